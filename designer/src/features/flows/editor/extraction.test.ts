/**
 * Random flows and what becomes of them when a part is made a subflow. The results are kept in a file: the interpreter's
 * own test (`flows/test_extraction.py`) runs each of them before and after, and demands the same path and values.
 */
import { describe, expect, it } from 'vitest';
import { connect, type FlowDoc, type NodeSpec, readDoc } from './model';
import { judge, type Known, replaced, subflowOf } from './subflow';

const KEPT = '../../../../../flows/fixtures/extractions.json';
const WANTED = 50;

/** Numbers that look random and are the same each time (mulberry32). */
function seeded(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (most: number) => Math.floor(next() * most);
  return {
    below,
    chance: (share: number) => next() < share,
    one: <T>(from: readonly T[]): T => from[below(from.length)]!,
  };
}

const PORTS: Record<string, string[]> = {
  'logic.set': ['next', 'error'],
  'logic.branch': ['yes', 'no', 'error'],
  'logic.switch': ['zero', 'one', 'other', 'error'],
  'logic.repeat': ['again', 'done', 'error'],
  'logic.end': ['error'],
  'test.wait': ['next', 'timeout', 'error', 'hangup'],
};

/**
 * Edges lead onward, and back only to nodes that count `n` up while it is small, so that every run ends. Some ways
 * out lead nowhere, some nodes end the flow in the middle.
 */
function flow(random: ReturnType<typeof seeded>): FlowDoc {
  const size = 5 + random.below(9);
  const names = ['n', 'a', 'b', 'c'];
  let doc = readDoc({
    spec_version: '1.0.0',
    id: 'before',
    kind: 'ticket',
    name: 'Before',
    entry: 'k0',
    inputs: [{ name: 'n', type: 'number', default: 0 }],
    outputs: ['n', ...(random.chance(0.5) ? ['a'] : [])].map((name) => ({
      name,
      type: 'number' as const,
      default: 0,
    })),
    variables: ['a', 'b', 'c'].map((name) => ({ name, type: 'number' as const, default: 0 })),
  });
  doc = {
    ...doc,
    variables: doc.variables.filter((one) => !doc.outputs.some((output) => output.name === one.name)),
  };
  const kinds = [
    'logic.set',
    'logic.set',
    'logic.set',
    'logic.branch',
    'logic.branch',
    'logic.switch',
    'logic.repeat',
    'test.wait',
    'logic.end',
  ];
  const ids: string[] = [];
  const counters: string[] = [];
  for (let at = 0; at < size; at += 1) {
    const id = `k${at}`;
    const type = at === 0 ? 'logic.set' : random.one(kinds);
    const value = () => {
      const sets = ids.filter((one) => doc.nodes[one]!.type === 'test.wait');
      return sets.length > 0 && random.chance(0.2)
        ? `(nodes.${random.one(sets)}.data | default({})).size | default(0)`
        : `vars.${random.one(names)}`;
    };
    const config: Record<string, unknown> = {
      'logic.set': () => ({
        assignments: [
          { name: 'n', value: 'vars.n + 1' },
          { name: random.one(['a', 'b', 'c']), value: `(${value()} * 2 + ${random.below(5)}) % 97` },
        ],
      }),
      'logic.branch': () => ({
        condition: `vars.n < ${6 + random.below(8)} and ${value()} % 3 != ${random.below(3)}`,
      }),
      'logic.switch': () => ({
        value: `${value()} % 3`,
        cases: [
          { name: 'zero', value: '0' },
          { name: 'one', value: '1' },
        ],
      }),
      'logic.repeat': () => ({ times: `${random.below(4)}` }),
      'test.wait': () => ({ seconds: 5 }),
      'logic.end': () => ({
        outcome: random.one(['completed', 'other']),
        outputs: random.chance(0.5) ? { n: `${value()} + 100` } : {},
      }),
    }[type]!();
    doc = {
      ...doc,
      nodes: { ...doc.nodes, [id]: readDoc({ nodes: { one: { type, config } as NodeSpec } }).nodes.one! },
    };
    ids.push(id);
    if (type === 'logic.set') counters.push(id);
  }
  ids.forEach((id, at) => {
    const { type } = doc.nodes[id]!;
    for (const port of PORTS[type]!) {
      if (port === 'error' || port === 'hangup' || random.chance(0.08)) continue;
      const onward = ids.slice(at + 1, at + 4);
      const counting = counters.filter((one) => ids.indexOf(one) <= at);
      const back = type === 'logic.branch' && port === 'yes' && random.chance(0.4) ? counting : [];
      const round = type === 'logic.repeat' && port === 'again' ? counting.slice(-2) : [];
      const to = random.one(back.length > 0 ? back : round.length > 0 ? round : onward);
      if (to) doc = connect(doc, { from: id, port, to });
    }
  });
  return doc;
}

function known(doc: FlowDoc): Known {
  return {
    outputType: () => ({ type: 'any', secret: false }),
    ports: (node) => PORTS[doc.nodes[node]!.type]!,
    terminal: (node) => doc.nodes[node]!.type === 'logic.end',
    name: (node) => ({ zh: node, en: node }),
  };
}

describe('making a subflow of a part of any flow', () => {
  const made: { seed: number; selected: string[]; before: FlowDoc; after: FlowDoc; sub: FlowDoc }[] = [];
  for (let seed = 1; made.length < WANTED && seed < 4000; seed += 1) {
    const random = seeded(seed);
    const before = flow(random);
    const all = Object.keys(before.nodes);
    const first = random.below(all.length);
    const selected = all.slice(first, first + 1 + random.below(6)).filter(() => random.chance(0.9));
    const judged = judge(before, selected, known(before));
    if ('problem' in judged || judged.extraction.nodes.length < 2) continue;
    const { extraction } = judged;
    const { doc: after, id } = replaced(before, extraction, 'part', 'Part');
    made.push({
      seed,
      selected: extraction.nodes,
      before,
      after: { ...after, id: 'after' },
      sub: subflowOf(before, extraction, 'part', 'Part'),
    });

    it(`keeps every node once (seed ${seed})`, () => {
      const { sub } = made.find((one) => one.seed === seed)!;
      for (const node of all)
        expect(node in sub.nodes && extraction.nodes.includes(node)).not.toBe(node in after.nodes);
      expect(after.nodes[id]?.config.flow).toBe('part');
      for (const flow of [after, sub]) {
        expect(flow.entry === null || flow.entry in flow.nodes).toBe(true);
        for (const edge of flow.edges) expect(edge.from in flow.nodes && edge.to in flow.nodes).toBe(true);
        const ports = flow.edges.map((edge) => `${edge.from}|${edge.port}`);
        expect(new Set(ports).size).toBe(ports.length);
      }
    });
  }

  it('covers ways out of every kind', () => {
    const exits = made.map(
      (one) => Object.values(one.sub.nodes).filter((node) => node.type === 'logic.end').length,
    );
    expect(made).toHaveLength(WANTED);
    expect(new Set(exits).size).toBeGreaterThan(2);
    expect(made.some((one) => one.selected.includes('k0'))).toBe(true);
  });

  it('gives what the interpreter has compared', async () => {
    const plain = made.map(({ seed, selected, before, after, sub }) => {
      const small = ({ ui: _, nodes, languages: __, ...doc }: FlowDoc) => ({
        ...doc,
        nodes: Object.fromEntries(
          Object.entries(nodes).map(([id, { type, config }]) => [id, { type, config }]),
        ),
      });
      return { seed, selected, before: small(before), after: small(after), sub: small(sub) };
    });
    await expect(`[\n${plain.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`).toMatchFileSnapshot(KEPT);
  });

  it('refuses to tear apart what is repeated', () => {
    let doc = readDoc({
      id: 'x',
      entry: 'r',
      nodes: {
        r: { type: 'logic.repeat', config: {} },
        s: { type: 'logic.set', config: {} },
        t: { type: 'logic.set', config: {} },
      },
    });
    doc = connect(doc, { from: 'r', port: 'again', to: 's' });
    doc = connect(doc, { from: 's', port: 'next', to: 't' });
    doc = connect(doc, { from: 't', port: 'next', to: 'r' });
    expect(judge(doc, ['r', 's'], known(doc))).toHaveProperty('problem');
    expect(judge(doc, ['r', 's', 't'], known(doc))).toHaveProperty('extraction');
  });
});
