import { describe, expect, it } from 'vitest';
import { readChoice, versionChoice } from './data';

describe('which version a number leads to', () => {
  it('follows an alias or stays on a version, and reads back what it wrote', () => {
    for (const did of [
      { alias: 'live', version: null },
      { alias: 'test', version: null },
      { alias: 'live', version: 12 },
    ])
      expect(readChoice(versionChoice(did))).toEqual(did);
  });

  it('does not take an alias that begins with v for a version', () => {
    expect(readChoice('vip')).toEqual({ alias: 'vip', version: null });
  });
});
