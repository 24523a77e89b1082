import { describe, expect, it } from 'vitest';
import { actsOf, onSelected, selectionFor, widened } from './menu';
import { addNode, readDoc } from './model';
import { NOTHING } from './store';
import { keyEvent, START } from './wires';

const say = { type: 'voice.say', typeVersion: 1, name: '', config: {}, at: { x: 0, y: 0 } };
const doc = addNode(addNode(readDoc({ id: 'demo' }), 'a', say), 'b', say);
const now = { doc, selection: NOTHING, locked: false, undoable: false, redoable: false };
const nodes = (...ids: string[]) => ({ ...NOTHING, nodes: new Set(ids) });

describe('a context menu', () => {
  it('offers a node to be the first one unless it is', () => {
    expect(actsOf({ kind: 'node', id: 'a' }, now).flat()).not.toContain('entry');
    expect(actsOf({ kind: 'node', id: 'b' }, now).flat()).toContain('entry');
  });

  it('cuts a wire only where there is one, and removes keys only', () => {
    expect(actsOf({ kind: 'event', id: START }, now).flat()).toEqual([
      'properties',
      'continue',
      'disconnect',
    ]);
    expect(actsOf({ kind: 'event', id: keyEvent('0') }, now).flat()).toEqual([
      'properties',
      'continue',
      'removeKey',
    ]);
  });

  it('offers nothing that changes what may only be looked at', () => {
    const locked = { ...now, locked: true, undoable: true, selection: nodes('a', 'b') };
    expect(actsOf({ kind: 'many' }, locked)).toEqual([['copy']]);
    expect(actsOf({ kind: 'group', id: 'g1' }, locked)).toEqual([['members']]);
    expect(actsOf({ kind: 'canvas' }, locked)).toEqual([['selectAll', 'fit', 'find']]);
  });

  it('makes no subflow of notes', () => {
    const noted = { ...now, selection: { ...NOTHING, comments: new Set(['c1', 'c2']) } };
    expect(actsOf({ kind: 'many' }, noted).flat()).not.toContain('subflow');
    expect(actsOf({ kind: 'many' }, { ...now, selection: nodes('a', 'b') }).flat()).toContain('subflow');
  });

  it('is about all of the selection when it was opened on a part of it, and else about that alone', () => {
    const both = nodes('a', 'b');
    expect(widened({ kind: 'node', id: 'a' }, both)).toEqual({ kind: 'many' });
    expect(selectionFor({ kind: 'node', id: 'a' }, both)).toBe(both);
    expect(widened({ kind: 'node', id: 'b' }, nodes('a'))).toEqual({ kind: 'node', id: 'b' });
    expect(selectionFor({ kind: 'node', id: 'b' }, nodes('a'))).toEqual(nodes('b'));
    expect(selectionFor({ kind: 'canvas' }, both)).toEqual(NOTHING);
    expect(onSelected(nodes(START))).toEqual({ kind: 'event', id: START });
    expect(onSelected({ ...NOTHING, edges: new Set(['a|next']) })).toEqual({ kind: 'edge', id: 'a|next' });
    expect(onSelected(NOTHING)).toEqual({ kind: 'canvas' });
  });
});
