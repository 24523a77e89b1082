import { describe, expect, it } from 'vitest';
import { readValue, tableOf } from './values';

describe('a value that was typed', () => {
  it('is what it looks like', () => {
    expect(readValue('12.5')).toBe(12.5);
    expect(readValue(' true ')).toBe(true);
    expect(readValue('null')).toBeNull();
    expect(readValue('"12"')).toBe('12');
    expect(readValue('shenzhen')).toBe('shenzhen');
  });

  it('stays a text when it is a card or phone number that a number would spoil', () => {
    expect(readValue('0755')).toBe('0755');
    expect(readValue('6222000123456789')).toBe('6222000123456789');
    expect(readValue('+8613800000001')).toBe('+8613800000001');
  });
});

it('makes a table of rows with all their columns', () => {
  expect(tableOf([{ a: 1 }, { a: 2, b: 3 }])).toEqual({
    columns: ['a', 'b'],
    rows: [{ a: 1 }, { a: 2, b: 3 }],
  });
  expect(tableOf(null)).toEqual({ columns: [], rows: [] });
});
