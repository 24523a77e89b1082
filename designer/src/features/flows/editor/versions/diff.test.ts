import { describe, expect, it } from 'vitest';
import { readDoc } from '../model';
import { type Difference, overlay } from './diff';

const old = readDoc({
  nodes: { a: { type: 'voice.say', config: {} }, b: { type: 'voice.say', config: {} } },
  edges: [
    { from: 'a', port: 'next', to: 'b' },
    { from: 'b', port: 'next', to: 'a' },
  ],
  ui: { positions: { b: { x: 40, y: 80 } } },
});
const fresh = readDoc({
  nodes: { a: { type: 'voice.say', config: {} }, c: { type: 'voice.say', config: {} } },
  edges: [{ from: 'a', port: 'next', to: 'c' }],
});
const difference: Difference = {
  nodes: [
    { node: 'b', kind: 'removed', type: 'voice.say', name: 'B', renamed: false, fields: [] },
    { node: 'c', kind: 'added', type: 'voice.say', name: 'C', renamed: false, fields: [] },
  ],
  wires: [
    { node: 'a', port: 'next', old: 'b', new: 'c' },
    { node: 'b', port: 'next', old: 'a', new: null },
  ],
  flow: [],
};

describe('both states on one canvas', () => {
  const { doc, marks } = overlay(difference, old, fresh);

  it('keeps removed nodes as ghosts where they stood', () => {
    expect(doc.nodes.b).toEqual(old.nodes.b);
    expect(doc.ui.positions?.b).toEqual({ x: 40, y: 80 });
    expect(marks.nodes).toEqual({ b: { state: 'removed' }, c: { state: 'added' } });
  });

  it('shows the new way of a port, and old ways only of ports that have no other', () => {
    expect(doc.edges).toEqual([
      { from: 'a', port: 'next', to: 'c' },
      { from: 'b', port: 'next', to: 'a' },
    ]);
    expect(marks.edges).toEqual({ 'a|next': { state: 'changed' }, 'b|next': { state: 'removed' } });
  });
});
