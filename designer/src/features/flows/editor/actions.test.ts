import { describe, expect, it } from 'vitest';
import { insert, moved, splice } from './actions';
import { readCatalogue } from './catalogue';
import { addGroup, addNote, changeGroup, colourOf, frameOf } from './frames';
import { addNode, connect, readDoc, removeNodes } from './model';
import { judge, replaced, subflowOf } from './subflow';
import { follow } from './walk';
import {
  addKey,
  cutWire,
  eventsOf,
  HANGUP,
  keyEvent,
  OUT,
  removeEvents,
  START,
  setWire,
  wiresOf,
} from './wires';

const port = (name: string) => ({ name, title: { zh: name, en: name }, required: name !== 'error' });
const catalogue = readCatalogue([
  {
    type: 'voice.say',
    version: 1,
    family: 'voice',
    definition: { ports: [port('next'), port('error')], title: { zh: '播报', en: 'Say' } },
  },
  { type: 'logic.end', version: 1, family: 'logic', definition: { ports: [port('error')], terminal: true } },
]);
const say = { type: 'voice.say', typeVersion: 1, name: '', config: {}, at: { x: 0, y: 0 } };

function chain(...ids: string[]) {
  let doc = readDoc({ id: 'demo' });
  for (const id of ids) doc = addNode(doc, id, say);
  ids.slice(1).forEach((id, at) => {
    doc = connect(doc, { from: ids[at]!, port: 'next', to: id });
  });
  return doc;
}

describe('inserting', () => {
  it('into an edge leads both ways on', () => {
    const made = insert(
      chain('a', 'b'),
      { type: 'voice.say', at: { x: 5, y: 5 }, into: { from: 'a', port: 'next', to: 'b' } },
      catalogue,
      'en',
    );
    expect(made.doc.edges).toEqual([
      { from: 'a', port: 'next', to: made.id },
      { from: made.id, port: 'next', to: 'b' },
    ]);
    expect(made.doc.nodes[made.id]?.name).toBe('Say');
  });

  it('of a node without a way out does not invent one', () => {
    const made = insert(
      chain('a', 'b'),
      { type: 'logic.end', at: { x: 0, y: 0 }, into: { from: 'a', port: 'next', to: 'b' } },
      catalogue,
      'zh',
    );
    expect(made.doc.edges).toEqual([{ from: 'a', port: 'next', to: made.id }]);
  });

  it('between the start and the first node makes it the first', () => {
    const made = insert(
      chain('a'),
      { type: 'voice.say', at: { x: 0, y: 0 }, into: { from: START, port: OUT, to: 'a' } },
      catalogue,
      'zh',
    );
    expect(made.doc.entry).toBe(made.id);
    expect(made.doc.edges).toEqual([{ from: made.id, port: 'next', to: 'a' }]);
  });
});

describe('dropping a card on an edge', () => {
  const edge = { from: 'a', port: 'next', to: 'b' };

  it('puts a loose one in between', () => {
    const doc = addNode(chain('a', 'b'), 'x', say);
    expect(splice(doc, 'x', edge, catalogue)?.edges).toEqual([
      { from: 'a', port: 'next', to: 'x' },
      { from: 'x', port: 'next', to: 'b' },
    ]);
    const first = splice(doc, 'x', { from: START, port: OUT, to: 'a' }, catalogue);
    expect(first?.entry).toBe('x');
    expect(first?.edges).toContainEqual({ from: 'x', port: 'next', to: 'a' });
  });

  it('leaves a connected one alone unless it is pulled out of where it stands', () => {
    const doc = chain('a', 'b', 'c', 'd');
    expect(splice(doc, 'c', edge, catalogue)).toBeNull();
    expect(splice(doc, 'c', edge, catalogue, true)?.edges).toEqual([
      { from: 'b', port: 'next', to: 'd' },
      { from: 'a', port: 'next', to: 'c' },
      { from: 'c', port: 'next', to: 'b' },
    ]);
    expect(splice(doc, 'b', edge, catalogue, true)).toBeNull();
  });

  it('goes through a way out that is open, or not at all', () => {
    let doc = addNode(chain('a', 'b', 'c'), 'x', say);
    doc = connect(doc, { from: 'x', port: 'next', to: 'c' });
    expect(splice(doc, 'x', edge, catalogue)).toBeNull();
    const ended = addNode(chain('a', 'b'), 'end', { ...say, type: 'logic.end' });
    expect(splice(ended, 'end', edge, catalogue)?.edges).toEqual([{ from: 'a', port: 'next', to: 'end' }]);
  });
});

describe('the colour of a group', () => {
  it('is kept in the document; one that is not known is the usual one', () => {
    const { doc, id } = addGroup(chain('a'), ['a'], 'One');
    expect(colourOf(doc.ui.groups![0]!)).toBe('blue');
    expect(colourOf(changeGroup(doc, id, { colour: 'amber' }).ui.groups![0]!)).toBe('amber');
    expect(colourOf({ id, name: '', nodes: [], colour: 'url(#x)' })).toBe('blue');
  });
});

describe('what comes from outside', () => {
  it('is wired and cut like a port', () => {
    let doc = chain('a', 'b');
    doc = setWire(doc, { from: HANGUP, port: OUT, to: 'b' });
    doc = addKey(doc, '0', { x: 1, y: 2 });
    expect(eventsOf(doc)).toContain(keyEvent('0'));
    doc = setWire(doc, { from: keyEvent('0'), port: OUT, to: 'a' });
    expect(doc.shortcuts).toEqual([{ key: '0', to: 'a' }]);
    expect(doc.handlers.hangup).toBe('b');
    expect(wiresOf(doc)).toHaveLength(4);
    doc = cutWire(doc, keyEvent('0'), OUT);
    expect(doc.shortcuts).toEqual([]);
    expect(eventsOf(doc)).toContain(keyEvent('0'));
    doc = removeEvents(doc, [keyEvent('0')]);
    expect(eventsOf(doc)).not.toContain(keyEvent('0'));
  });

  it('leads only to nodes that are there', () => {
    expect(setWire(chain('a'), { from: START, port: OUT, to: 'gone' }).entry).toBe('a');
    expect(removeNodes(chain('a'), ['a']).entry).toBeNull();
  });
});

describe('moving', () => {
  it('moves nodes and notes in one step, and frames follow', () => {
    const noted = addNote(chain('a', 'b'), { x: 0, y: 0 }, 'x').doc;
    const { doc } = addGroup(noted, ['a', 'b'], 'Both');
    const next = moved(doc, { a: { x: 80, y: 0 }, 'note:c1': { x: 8, y: 8 } });
    expect(next.ui.positions?.a).toEqual({ x: 80, y: 0 });
    expect(next.ui.positions?.['note:c1']).toBeUndefined();
    expect(next.ui.comments?.[0]).toMatchObject({ x: 8, y: 8, text: 'x' });
    const size = () => ({ width: 100, height: 50 });
    expect(frameOf(next, next.ui.groups![0]!, size)?.width).toBe(180 + 48);
  });
});

describe('going along edges', () => {
  it('goes on, back to where one came from, and among brothers', () => {
    let doc = chain('a', 'b');
    doc = addNode(doc, 'c', say);
    doc = connect(doc, { from: 'a', port: 'error', to: 'c' });
    doc = connect(doc, { from: 'c', port: 'next', to: 'b' });
    const ports = () => ['next', 'error'];
    expect(follow(doc, START, 'right', null, ports)).toBe('a');
    expect(follow(doc, 'a', 'right', null, ports)).toBe('b');
    expect(follow(doc, 'b', 'left', 'c', ports)).toBe('c');
    expect(follow(doc, 'b', 'down', 'a', ports)).toBe('c');
    expect(follow(doc, 'c', 'up', 'a', ports)).toBe('b');
  });
});

describe('a subflow of a selection', () => {
  function asking() {
    let doc = readDoc({
      id: 'main',
      variables: [
        { name: 'limit', type: 'number' },
        { name: 'total', type: 'number' },
      ],
    });
    const put = (id: string, type: string, config: Record<string, unknown>) => {
      doc = addNode(doc, id, { ...say, type, config });
    };
    put('card', 'voice.collect', {});
    put('query', 'web.query', { parameters: { card: 'nodes.card.digits' } });
    put('keep', 'logic.set', { assignments: [{ name: 'total', value: 'nodes.query.balance + vars.limit' }] });
    put('tell', 'voice.say', { text: '{{ vars.total }} {{ nodes.query.balance }}' });
    put('sorry', 'voice.say', {});
    doc = connect(doc, { from: 'card', port: 'next', to: 'query' });
    doc = connect(doc, { from: 'query', port: 'found', to: 'keep' });
    doc = connect(doc, { from: 'query', port: 'empty', to: 'sorry' });
    return connect(doc, { from: 'keep', port: 'next', to: 'tell' });
  }
  const types = {
    outputType: (node: string) => ({
      type: node === 'card' ? ('string' as const) : ('number' as const),
      secret: false,
    }),
    ports: (node: string) => (node === 'query' ? ['found', 'empty', 'error'] : ['next', 'error']),
    terminal: () => false,
    name: (node: string) => ({ zh: node, en: node }),
  };

  it('finds typed inputs and outputs, and every place it leads to', () => {
    const judged = judge(asking(), ['query', 'keep'], types);
    if (!('extraction' in judged)) throw new Error('refused');
    const { extraction } = judged;
    expect(extraction.entry).toBe('query');
    expect(extraction.inputs).toEqual([
      { name: 'limit', type: 'number', value: 'vars.limit', secret: false },
      { name: 'total', type: 'number', value: 'vars.total', secret: false },
      { name: 'card_digits', type: 'string', value: 'nodes.card.digits | default(none)', secret: false },
    ]);
    expect(extraction.outputs.map((one) => [one.name, one.type])).toEqual([
      ['total', 'number'],
      ['query_balance', 'number'],
    ]);
    expect(extraction.exits.map((one) => one.to)).toEqual(['sorry', 'tell']);
  });

  it('makes a flow of its own and takes the place of the nodes', () => {
    const doc = asking();
    const judged = judge(doc, ['query', 'keep'], types);
    if (!('extraction' in judged)) throw new Error('refused');
    const sub = subflowOf(doc, judged.extraction, 'part', 'Part');
    expect(sub.kind).toBe('subflow');
    expect(sub.nodes.query?.config).toEqual({ parameters: { card: 'vars.card_digits' } });
    const ends = Object.values(sub.nodes).filter((one) => one.type === 'logic.end');
    expect(ends).toHaveLength(2);
    const done = replaced(doc, judged.extraction, 'part', 'Part');
    expect(Object.keys(done.doc.nodes).sort()).toEqual(['card', 'set', 'sorry', 'subflow', 'switch', 'tell']);
    expect(done.doc.edges).toContainEqual({ from: 'card', port: 'next', to: 'subflow' });
    expect(done.doc.nodes.tell?.config.text).toBe('{{ vars.total }} {{ nodes.subflow.query_balance }}');
    expect(done.doc.nodes.subflow?.config.inputs).toEqual({
      limit: 'vars.limit',
      total: 'vars.total',
      card_digits: 'nodes.card.digits | default(none)',
    });
    expect(done.doc.edges).toContainEqual({ from: 'switch', port: 'way_1', to: 'sorry' });
    expect(done.doc.edges).toContainEqual({ from: 'switch', port: 'other', to: 'tell' });
  });

  it('is refused when there is more than one way in', () => {
    const doc = connect(asking(), { from: 'card', port: 'timeout', to: 'keep' });
    const judged = judge(doc, ['query', 'keep'], types);
    expect('problem' in judged && judged.problem.en).toContain('more than one way in');
  });
});
