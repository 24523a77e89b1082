import { describe, expect, it } from 'vitest';
import { byDomain } from './rights';
import { PERMISSIONS } from './words';

describe('permissions by domain', () => {
  it('are all there once', () => {
    const all = Object.keys(PERMISSIONS);
    const found = byDomain([...all, 'signed_in', 'new.thing']).flatMap((one) => one.names);
    expect([...found].sort()).toEqual([...all, 'new.thing'].sort());
  });

  it('keep maintenance apart', () => {
    const found = byDomain(['users.manage', 'calls.read', 'system.manage']);
    expect(found.map((one) => [one.key, one.names])).toEqual([
      ['calls', ['calls.read']],
      ['system', ['users.manage', 'system.manage']],
    ]);
  });
});
