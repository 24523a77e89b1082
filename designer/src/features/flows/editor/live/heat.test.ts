import { describe, expect, it } from 'vitest';
import { dropOf, heatOf, type NodeNumbers, sinceOf, widthOf } from './heat';

const node = (nodeId: string, more: Partial<NodeNumbers> = {}): NodeNumbers => ({
  nodeId,
  nodeType: 'voice.menu',
  entered: 0,
  left: [],
  errors: [],
  hangups: 0,
  standing: 0,
  median: null,
  p95: null,
  ...more,
});

describe('heat', () => {
  it('finds the most walked port', () => {
    const found = heatOf({
      runs: 3,
      outcomes: [],
      nodes: [
        node('menu', {
          left: [
            { name: '1', count: 9 },
            { name: '0', count: 2 },
          ],
        }),
      ],
    });
    expect(found.most).toBe(9);
    expect(found.ports.get('menu|0')).toBe(2);
  });

  it('draws more walked lines thicker', () => {
    expect(widthOf(0, 100)).toBeLessThan(widthOf(1, 100));
    expect(widthOf(1, 100)).toBeLessThan(widthOf(100, 100));
    expect(widthOf(100, 100)).toBe(8);
    expect(widthOf(0, 0)).toBe(1.5);
  });

  it('counts those who hung up against those who came', () => {
    expect(dropOf(node('a', { entered: 4, hangups: 1 }))).toBe(0.25);
    expect(dropOf(node('a'))).toBe(0);
  });

  it('begins a week six days before today', () => {
    expect(sinceOf('week', new Date(2026, 2, 3, 15))).toEqual(new Date(2026, 1, 25));
    expect(sinceOf('today', new Date(2026, 2, 3, 15))).toEqual(new Date(2026, 2, 3));
  });
});
