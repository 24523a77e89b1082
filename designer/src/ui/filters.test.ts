import { describe, expect, it } from 'vitest';
import { changed, filtersOf } from './filters';

describe('filters in the address', () => {
  it('reads its own keys and nothing else', () => {
    const params = new URLSearchParams('state=up&page=4');
    expect(filtersOf(['state', 'number'] as const, params)).toEqual({ state: 'up', number: '' });
  });

  it('changes one value, drops an emptied one and keeps what belongs to others', () => {
    const before = new URLSearchParams('state=up&number=138&tab=trunks');
    const after = changed<'state' | 'number'>(before, { state: '', number: '139' });
    expect(after.toString()).toBe('number=139&tab=trunks');
    expect(before.get('state')).toBe('up');
  });
});
