import { describe, expect, it } from 'vitest';
import { changes, merge } from './merge';
import { addNode, changeNode, connect, type FlowDoc, moveNodes, readDoc, removeNodes } from './model';

const node = (type: string, at = { x: 0, y: 0 }) => ({ type, typeVersion: 1, name: '', config: {}, at });

function base(): FlowDoc {
  let doc = readDoc({ id: 'demo', name: 'Demo' });
  for (const id of ['a', 'b', 'c']) doc = addNode(doc, id, node('voice.say'));
  return connect(connect(doc, { from: 'a', port: 'next', to: 'b' }), { from: 'b', port: 'next', to: 'c' });
}

const renamed = (doc: FlowDoc, id: string, name: string) => changeNode(doc, id, (one) => ({ ...one, name }));

describe('merging the work of two people', () => {
  it('keeps both when they changed different nodes', () => {
    const start = base();
    const mine = connect(addNode(renamed(start, 'a', 'Mine'), 'd', node('voice.menu')), {
      from: 'c',
      port: 'next',
      to: 'd',
    });
    const theirs = addNode(renamed(start, 'b', 'Theirs'), 'e', node('logic.end'));
    const { doc, conflicts } = merge(start, mine, theirs);
    expect(conflicts).toEqual([]);
    expect(Object.keys(doc.nodes).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(doc.nodes.a?.name).toBe('Mine');
    expect(doc.nodes.b?.name).toBe('Theirs');
    expect(doc.edges).toContainEqual({ from: 'c', port: 'next', to: 'd' });
  });

  it('keeps mine where both changed the same node, and says so', () => {
    const start = base();
    const { doc, conflicts } = merge(start, renamed(start, 'a', 'Mine'), renamed(start, 'a', 'Theirs'));
    expect(doc.nodes.a?.name).toBe('Mine');
    expect(conflicts).toEqual([{ kind: 'node', id: 'a' }]);
  });

  it('does not call the same change a conflict', () => {
    const start = base();
    const { conflicts } = merge(start, renamed(start, 'a', 'Same'), renamed(start, 'a', 'Same'));
    expect(conflicts).toEqual([]);
  });

  it('says when one changed what the other removed', () => {
    const start = base();
    const { doc, conflicts } = merge(start, renamed(start, 'b', 'Mine'), removeNodes(start, ['b']));
    expect(conflicts).toContainEqual({ kind: 'node', id: 'b' });
    expect(doc.nodes.b?.name).toBe('Mine');
  });

  it('never leaves an edge, a handler or the start at a node that is gone', () => {
    const start = base();
    const mine = { ...connect(start, { from: 'a', port: 'error', to: 'c' }), entry: 'c' };
    const { doc } = merge(start, mine, removeNodes(start, ['c']));
    expect(doc.edges.every((edge) => edge.from in doc.nodes && edge.to in doc.nodes)).toBe(true);
    expect(doc.entry).toBeNull();
  });

  it('takes places from both without a conflict', () => {
    const start = base();
    const { doc, conflicts } = merge(
      start,
      moveNodes(start, { a: { x: 8, y: 8 }, b: { x: 1, y: 1 } }),
      moveNodes(start, { b: { x: 2, y: 2 }, c: { x: 9, y: 9 } }),
    );
    expect(conflicts).toEqual([]);
    expect(doc.ui.positions).toEqual({ a: { x: 8, y: 8 }, b: { x: 1, y: 1 }, c: { x: 9, y: 9 } });
  });

  it('gives theirs when nothing of mine changed, and mine when nothing of theirs did', () => {
    const start = base();
    const other = removeNodes(renamed(start, 'a', 'Other'), ['c']);
    for (const { doc, conflicts } of [merge(start, start, other), merge(start, other, start)]) {
      expect(conflicts).toEqual([]);
      expect(doc.nodes).toEqual(other.nodes);
      expect(doc.edges).toEqual(other.edges);
    }
  });

  it('says when both led the same port elsewhere', () => {
    const start = base();
    const { conflicts } = merge(
      start,
      connect(start, { from: 'a', port: 'next', to: 'c' }),
      connect(start, { from: 'a', port: 'next', to: 'a' }),
    );
    expect(conflicts).toEqual([{ kind: 'wire', id: 'a', port: 'next' }]);
  });
});

describe('what somebody changed', () => {
  it('is told node by node, without places', () => {
    const start = base();
    const now = connect(
      moveNodes(
        removeNodes(
          changeNode(start, 'a', (one) => ({ ...one, config: { tries: 2 } })),
          ['c'],
        ),
        {
          b: { x: 5, y: 5 },
        },
      ),
      { from: 'b', port: 'next', to: 'a' },
    );
    expect(changes(start, { ...now, description: 'new' })).toEqual([
      { id: 'a', kind: 'changed', fields: ['tries'] },
      { id: 'b', kind: 'wired', fields: [] },
      { id: 'c', kind: 'removed', fields: [] },
      { id: '', kind: 'changed', fields: ['description'] },
    ]);
  });
});
