/**
 * Turning a selection into a flow of its own. What it reads becomes its inputs, what others read of it becomes its
 * outputs, both typed as far as known; each place it leads to becomes an end. Pure.
 */
import type { Text } from '@/i18n';
import { GRID, WIDTH } from './geometry';
import {
  type EdgeSpec,
  edgeKey,
  type FlowDoc,
  freeId,
  type NodeSpec,
  type Point,
  positionOf,
  readDoc,
  removeNodes,
  type ValueType,
  type Variable,
} from './model';
import { setWire, wiresOf } from './wires';

export interface Port {
  name: string;
  type: ValueType;
  /** The expression that gives it: outside for an input, inside for an output. */
  value: string;
  secret: boolean;
}

export interface Extraction {
  nodes: string[];
  entry: string;
  inputs: Port[];
  outputs: Port[];
  /** Outputs that are variables of the flow: they are set again after the subflow has run. */
  changed: string[];
  /** Variables that the nodes set and nobody else reads. */
  own: Variable[];
  /** Where the selection leads, with the wires that lead there. */
  exits: { to: string; wires: EdgeSpec[] }[];
}

export type Judged = { extraction: Extraction } | { problem: Text };

const said = (nodes: readonly NodeSpec[]): string => JSON.stringify(nodes.map((one) => one.config));

function mentions(text: string, owner: 'vars' | 'nodes'): string[][] {
  const pattern = owner === 'vars' ? /\bvars\.([a-z_]\w*)/g : /\bnodes\.([a-z_]\w*)\.([a-z_]\w*)/g;
  const found = new Map<string, string[]>();
  for (const match of text.matchAll(pattern)) found.set(match[0], match.slice(1));
  return [...found.values()];
}

/** Names that `logic.set` gives a value. */
function assigned(nodes: readonly NodeSpec[]): string[] {
  return [
    ...new Set(
      nodes
        .filter((one) => one.type === 'logic.set')
        .flatMap((one) => (Array.isArray(one.config.assignments) ? one.config.assignments : []))
        .map((one: { name?: unknown }) => String(one?.name ?? ''))
        .filter(Boolean),
    ),
  ];
}

const shortName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_')
    .slice(0, 60);

export function judge(
  doc: FlowDoc,
  selected: Iterable<string>,
  outputType: (node: string, output: string) => { type: ValueType; secret: boolean },
): Judged {
  const nodes = [...selected].filter((id) => id in doc.nodes);
  const inside = new Set(nodes);
  const nameOf = (id: string) => doc.nodes[id]?.name || id;
  if (nodes.length === 0) return { problem: { zh: '请先选择节点。', en: 'Select nodes first.' } };
  const wires = wiresOf(doc);
  const entries = [
    ...new Set(wires.filter((wire) => !inside.has(wire.from) && inside.has(wire.to)).map((wire) => wire.to)),
  ];
  if (entries.length > 1) {
    const names = entries.map(nameOf).join(', ');
    return {
      problem: {
        zh: `所选部分有多个入口：${names}。请调整选择，使连线只从一个节点进入。`,
        en: `There is more than one way in: ${names}. Select so that only one node is led to from outside.`,
      },
    };
  }
  const led = new Set(doc.edges.filter((edge) => inside.has(edge.from)).map((edge) => edge.to));
  const entry = entries[0] ?? nodes.find((id) => !led.has(id)) ?? nodes[0]!;

  const specs = nodes.map((id) => doc.nodes[id]!);
  const others = Object.entries(doc.nodes).filter(([id]) => !inside.has(id));
  const text = said(specs);
  const outside = said(others.map(([, spec]) => spec));
  const declared = new Map([...doc.outputs, ...doc.variables, ...doc.inputs].map((one) => [one.name, one]));
  const sets = assigned(specs);
  const read = mentions(text, 'vars').map(([name]) => name!);
  const readOutside = new Set(mentions(outside, 'vars').map(([name]) => name!));
  for (const one of doc.outputs) readOutside.add(one.name);

  const inputs: Port[] = read.map((name) => {
    const variable = declared.get(name);
    return { name, type: variable?.type ?? 'any', value: `vars.${name}`, secret: variable?.secret ?? false };
  });
  for (const [node, output] of mentions(text, 'nodes')) {
    if (inside.has(node!) || !(node! in doc.nodes)) continue;
    inputs.push({
      name: shortName(`${node}_${output}`),
      value: `nodes.${node}.${output}`,
      ...outputType(node!, output!),
    });
  }
  const changed = sets.filter((name) => readOutside.has(name));
  const outputs: Port[] = changed.map((name) => {
    const variable = declared.get(name);
    return { name, type: variable?.type ?? 'any', value: `vars.${name}`, secret: variable?.secret ?? false };
  });
  for (const [node, output] of mentions(outside, 'nodes')) {
    if (!inside.has(node!)) continue;
    outputs.push({
      name: shortName(`${node}_${output}`),
      value: `nodes.${node}.${output} | default(none)`,
      ...outputType(node!, output!),
    });
  }
  const own = sets
    .filter((name) => !read.includes(name))
    .map((name): Variable => declared.get(name) ?? { name, type: 'any' });

  const leading = new Map<string, EdgeSpec[]>();
  for (const edge of doc.edges) {
    if (!inside.has(edge.from) || inside.has(edge.to)) continue;
    leading.set(edge.to, [...(leading.get(edge.to) ?? []), edge]);
  }
  return {
    extraction: {
      nodes,
      entry,
      inputs,
      outputs,
      changed,
      own,
      exits: [...leading].map(([to, led]) => ({ to, wires: led })),
    },
  };
}

const exitName = (index: number): string => `way_${index + 1}`;

/** The new flow. */
export function subflowOf(doc: FlowDoc, found: Extraction, key: string, name: string): FlowDoc {
  const inside = new Set(found.nodes);
  // Values of nodes that stay outside are inputs in here.
  const inner = (text: string): string => {
    let now = text;
    for (const port of found.inputs)
      if (port.value.startsWith('nodes.'))
        now = now.replaceAll(
          new RegExp(`\\b${port.value.replaceAll('.', '\\.')}\\b`, 'g'),
          `vars.${port.name}`,
        );
    return now;
  };
  const nodes: Record<string, NodeSpec> = {};
  const positions: Record<string, Point> = {};
  for (const id of found.nodes) {
    const spec = doc.nodes[id]!;
    nodes[id] = { ...spec, config: JSON.parse(inner(JSON.stringify(spec.config))) as NodeSpec['config'] };
    positions[id] = positionOf(doc, id);
  }
  const right = Math.max(...found.nodes.map((id) => positionOf(doc, id).x)) + WIDTH + 96;
  let sub = readDoc({
    id: key,
    kind: 'subflow',
    name,
    languages: doc.languages,
    entry: found.entry,
    inputs: found.inputs.map(({ name: input, type, secret }) => ({ name: input, type, secret })),
    outputs: [
      ...found.outputs
        .filter((one) => !found.inputs.some((input) => input.name === one.name))
        .map(({ name: output, type, secret }) => ({ name: output, type, secret })),
      ...(found.exits.length > 1 ? [{ name: 'way', type: 'string' }] : []),
    ],
    variables: found.own.filter((one) => !found.outputs.some((output) => output.name === one.name)),
    nodes,
    edges: doc.edges.filter((edge) => inside.has(edge.from) && inside.has(edge.to)),
    ui: { positions },
  });
  const exits = found.exits.length > 0 ? found.exits : [{ to: '', wires: [] }];
  exits.forEach((exit, index) => {
    const id = freeId(sub, 'logic.end');
    const outputs: Record<string, string> = {};
    for (const one of found.outputs) outputs[one.name] = one.value;
    if (found.exits.length > 1) outputs.way = `'${exitName(index)}'`;
    const y = exit.wires[0] ? positionOf(doc, exit.wires[0].from).y : positionOf(doc, found.entry).y;
    sub = {
      ...sub,
      nodes: {
        ...sub.nodes,
        [id]: readDoc({
          nodes: {
            end: {
              type: 'logic.end',
              name: doc.nodes[exit.to]?.name ?? '',
              config: { outcome: 'completed', outputs },
            },
          },
        }).nodes.end!,
      },
      edges: [...sub.edges, ...exit.wires.map((edge) => ({ from: edge.from, port: edge.port, to: id }))],
      ui: { ...sub.ui, positions: { ...sub.ui.positions, [id]: { x: right, y: y + (index % 4) * 24 } } },
    };
  });
  // Values that ports nobody wired would leave behind need an end as well: those runs end as before, without outputs.
  return sub;
}

/** The flow from which the nodes were taken, with the new subflow in their place. */
export function replaced(
  doc: FlowDoc,
  found: Extraction,
  key: string,
  name: string,
): { doc: FlowDoc; id: string } {
  const into = wiresOf(doc).filter(
    (wire) => found.nodes.includes(wire.to) && !found.nodes.includes(wire.from),
  );
  const entries = new Map(into.map((wire) => [edgeKey(wire.from, wire.port), wire]));
  const places = found.nodes.map((id) => positionOf(doc, id));
  const middle = {
    x: Math.round(Math.min(...places.map((at) => at.x)) / GRID) * GRID,
    y: Math.round(places.reduce((sum, at) => sum + at.y, 0) / places.length / GRID) * GRID,
  };
  let next = removeNodes(doc, found.nodes);
  const spec = (given: Partial<NodeSpec>) => readDoc({ nodes: { one: given } }).nodes.one!;
  const put = (id: string, given: Partial<NodeSpec>, at: Point) => {
    next = {
      ...next,
      nodes: { ...next.nodes, [id]: spec(given) },
      ui: { ...next.ui, positions: { ...next.ui.positions, [id]: at } },
    };
  };
  const id = freeId(next, 'logic.subflow');
  const inputs = Object.fromEntries(found.inputs.map((one) => [one.name, one.value]));
  put(id, { type: 'logic.subflow', name, config: { flow: key, alias: 'live', inputs } }, middle);
  for (const wire of entries.values()) next = setWire(next, { from: wire.from, port: wire.port, to: id });

  let last = { from: id, port: 'next' };
  let x = middle.x + WIDTH + 64;
  if (found.changed.length > 0) {
    const set = freeId(next, 'logic.set');
    const assignments = found.changed.map((one) => ({ name: one, value: `nodes.${id}.${one}` }));
    put(set, { type: 'logic.set', name: '', config: { assignments } }, { x, y: middle.y });
    next = setWire(next, { ...last, to: set });
    last = { from: set, port: 'next' };
    x += WIDTH + 64;
  }
  if (found.exits.length === 1) next = setWire(next, { ...last, to: found.exits[0]!.to });
  if (found.exits.length > 1) {
    const choose = freeId(next, 'logic.switch');
    const cases = found.exits.slice(0, -1).map((exit, index) => ({
      name: exitName(index),
      value: exitName(index),
      label: next.nodes[exit.to]?.name ?? '',
    }));
    put(
      choose,
      { type: 'logic.switch', name: '', config: { value: `nodes.${id}.way`, cases } },
      { x, y: middle.y },
    );
    next = setWire(next, { ...last, to: choose });
    found.exits.forEach((exit, index) => {
      const port = index === found.exits.length - 1 ? 'other' : exitName(index);
      next = setWire(next, { from: choose, port, to: exit.to });
    });
  }
  // What others read of the nodes, they now read of the subflow.
  const outer = (text: string): string => {
    let now = text;
    for (const port of found.outputs) {
      const inner = port.value.split(' ')[0]!;
      if (!inner.startsWith('nodes.')) continue;
      now = now.replaceAll(
        new RegExp(`\\b${inner.replaceAll('.', '\\.')}\\b`, 'g'),
        `nodes.${id}.${port.name}`,
      );
    }
    return now;
  };
  const nodes = Object.fromEntries(
    Object.entries(next.nodes).map(([one, given]) => {
      if (one === id) return [one, given];
      const before = JSON.stringify(given.config);
      const after = outer(before);
      return [one, before === after ? given : { ...given, config: JSON.parse(after) as NodeSpec['config'] }];
    }),
  );
  return { doc: { ...next, nodes }, id };
}
