import { describe, expect, it } from 'vitest';
import { choicesOf, linesOf } from './choices';

describe('choices as lines', () => {
  it('come back as they were written', () => {
    const lines = 'tv | 电视 | TV\nweb | 网络 | Web';
    const read = choicesOf(lines);
    expect(read).toEqual([
      { value: 'tv', zh: '电视', en: 'TV' },
      { value: 'web', zh: '网络', en: 'Web' },
    ]);
    expect(linesOf(read.map(({ value, zh, en }) => ({ value, label: { zh, en } })))).toBe(lines);
  });

  it('need only a value', () => {
    expect(choicesOf('114\n\n')).toEqual([{ value: '114', zh: '114', en: '114' }]);
  });
});
