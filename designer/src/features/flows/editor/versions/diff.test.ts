import { describe, expect, it } from 'vitest';
import { readDoc } from '../model';
import { type Difference, marksOf } from './diff';

const old = readDoc({
  nodes: { a: { type: 'voice.say', config: {} }, b: { type: 'voice.say', config: {} } },
  edges: [{ from: 'a', port: 'next', to: 'b' }],
  ui: { positions: { b: { x: 40, y: 80 } } },
});

const difference: Difference = {
  nodes: [
    { node: 'b', kind: 'removed', type: 'voice.say', name: 'B', renamed: false, fields: [] },
    { node: 'c', kind: 'added', type: 'voice.say', name: 'C', renamed: false, fields: [] },
  ],
  wires: [{ node: 'a', port: 'next', old: 'b', new: 'c' }],
  flow: [],
};

describe('marks of a comparison', () => {
  it('keeps removed nodes as ghosts where they stood', () => {
    const marks = marksOf(difference, old);
    expect(marks.ghosts).toEqual([{ id: 'b', node: old.nodes.b, at: { x: 40, y: 80 } }]);
    expect(marks.nodes.get('c')).toBe('added');
  });

  it('keeps old ways as ghost edges and marks the new ones', () => {
    const marks = marksOf(difference, old);
    expect(marks.wires).toEqual(new Set(['a|next']));
    expect(marks.ghostEdges).toEqual([{ from: 'a', port: 'next', to: 'b' }]);
  });
});
