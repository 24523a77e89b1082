import { describe, expect, it } from 'vitest';
import { blank, KINDS } from './model';
import { picture } from './picture';

const document = {
  entry: 'a',
  nodes: {
    a: { type: 'voice.menu' },
    b: { type: 'voice.say' },
    c: { type: 'web.http' },
    lost: { type: 'logic.end' },
  },
  edges: [
    { from: 'a', port: '1', to: 'b' },
    { from: 'a', port: '2', to: 'c' },
    { from: 'b', port: 'next', to: 'a' },
    { from: 'c', port: 'next', to: 'nowhere' },
  ],
};

describe('the picture of a flow', () => {
  it('puts every node once, below those that lead to it, without overlap', () => {
    const { boxes, lines } = picture(document);
    expect(boxes.map((box) => box.id).sort()).toEqual(['a', 'b', 'c', 'lost']);
    const at = Object.fromEntries(boxes.map((box) => [box.id, box]));
    expect(at.a?.y).toBe(0);
    expect(at.b?.y).toBe(at.c?.y);
    expect(at.b?.y).toBeGreaterThan(at.a?.y ?? 0);
    expect(Math.abs((at.b?.x ?? 0) - (at.c?.x ?? 0))).toBeGreaterThanOrEqual(34);
    expect(lines).toHaveLength(3);
    expect(new Set(boxes.map((box) => `${box.x}:${box.y}`)).size).toBe(boxes.length);
  });

  it('stays small for a large flow and does not fall over a broken one', () => {
    const nodes = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`n${n}`, { type: 'voice.say' }]));
    const edges = Array.from({ length: 499 }, (_, n) => ({ from: `n${n}`, port: 'next', to: `n${n + 1}` }));
    expect(picture({ entry: 'n0', nodes, edges }).boxes).toHaveLength(60);
    for (const broken of [null, [], {}, { nodes: 3, edges: 'x' }, { nodes: { a: null }, edges: [null] }])
      expect(() => picture(broken)).not.toThrow();
  });

  it('draws the blank of each kind', () => {
    for (const kind of KINDS) expect(picture(blank(kind)).boxes.length).toBeGreaterThan(0);
  });
});
