import { describe, expect, it } from 'vitest';
import { isDate, readNumbers } from './read';

describe('numbers from a file', () => {
  it('come with note and last day, whatever separates them', () => {
    const { entries, bad } = readNumbers(
      '\uFEFF号码,备注,有效期\r\n138 0000-0001,"骚扰, 多次",2027-01-31\n+86 (10) 8888.6666\tbank\n\n4001;;\n',
    );
    expect(bad).toEqual([]);
    expect(entries).toEqual([
      { line: 2, number: '13800000001', note: '骚扰, 多次', until: '2027-01-31' },
      { line: 3, number: '+861088886666', note: 'bank', until: null },
      { line: 5, number: '4001', note: '', until: null },
    ]);
  });

  it('are refused line by line, with the reason', () => {
    const { entries, bad } = readNumbers('13800000001\n12ab\n13900000000,x,31.1.2027\n138-0000-0001\n');
    expect(entries).toHaveLength(1);
    expect(bad.map((one) => [one.line, one.why, one.first])).toEqual([
      [2, 'noDigits', undefined],
      [3, 'badDate', undefined],
      [4, 'repeated', 1],
    ]);
  });

  it('keep a quote that is written twice', () => {
    expect(readNumbers('100,"says ""hi"""').entries[0]?.note).toBe('says "hi"');
  });
});

it('knows a day of the calendar from one that is none', () => {
  expect(isDate('2028-02-29')).toBe(true);
  expect(isDate('2027-02-29')).toBe(false);
  expect(isDate('27-2-1')).toBe(false);
});
