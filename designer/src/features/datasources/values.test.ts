import { describe, expect, it } from 'vitest';
import { readValue, tableOf } from './values';

describe('a value that was typed', () => {
  it('is of the chosen type, and a card number stays a text', () => {
    expect(readValue('62220001', 'text')).toBe('62220001');
    expect(readValue('12.5', 'number')).toBe(12.5);
    expect(readValue(' true ', 'boolean')).toBe(true);
    expect(readValue('anything', 'null')).toBeNull();
  });

  it('is refused when it cannot be that', () => {
    expect(readValue('', 'number')).toBeUndefined();
    expect(readValue('12 apples', 'number')).toBeUndefined();
    expect(readValue('perhaps', 'boolean')).toBeUndefined();
  });
});

it('makes a table of rows with all their columns', () => {
  expect(tableOf([{ a: 1 }, { a: 2, b: 3 }])).toEqual({
    columns: ['a', 'b'],
    rows: [{ a: 1 }, { a: 2, b: 3 }],
  });
  expect(tableOf(null)).toEqual({ columns: [], rows: [] });
});
