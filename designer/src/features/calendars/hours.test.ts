import { describe, expect, it } from 'vitest';
import {
  covers,
  DAY,
  datesBetween,
  lookOf,
  monthOf,
  painted,
  parseSpans,
  readDays,
  readWeek,
  type Span,
  textOf,
  writeDays,
  writeWeek,
} from './hours';

describe('typed hours', () => {
  it('are read as people write them, in either language', () => {
    expect(parseSpans('09:00-12:00 13:00-18:00')).toEqual([
      [540, 720],
      [780, 1080],
    ]);
    expect(parseSpans('13:00–18:00，9:00 至 12:00')).toEqual([
      [540, 720],
      [780, 1080],
    ]);
    expect(parseSpans('00:00-24:00')).toEqual([[0, DAY]]);
    expect(parseSpans('  ')).toEqual([]);
  });

  it('are refused when they make no sense', () => {
    for (const bad of [
      '9-12',
      '12:00-09:00',
      '09:00-12:00 11:00-13:00',
      '09:00-25:00',
      '09:61-10:00',
      'noon',
    ])
      expect(parseSpans(bad)).toBeNull();
  });

  it('read back what was written', () => {
    const spans: Span[] = [
      [0, 15],
      [540, 1080],
    ];
    expect(parseSpans(textOf(spans))).toEqual(spans);
  });
});

describe('painting', () => {
  it('opens and closes exactly the stretch, whatever was there', () => {
    // Every stretch of a small day against every set of spans, minute by minute.
    const before: Span[] = [
      [2, 4],
      [6, 9],
    ];
    for (let from = 0; from < 10; from++)
      for (let to = from + 1; to <= 10; to++)
        for (const open of [true, false]) {
          const after = painted(before, from, to, open);
          for (let minute = 0; minute < 10; minute++) {
            const inside = from <= minute && minute < to;
            expect(covers(after, minute)).toBe(inside ? open : covers(before, minute));
          }
          for (let index = 1; index < after.length; index++)
            expect(after[index]?.[0]).toBeGreaterThan(after[index - 1]?.[1] ?? 0);
        }
  });
});

describe('a date', () => {
  const week = readWeek({ mon: [['09:00', '18:00']], fri: [['10:00', '12:00']] });
  const days = readDays([
    { date: '2027-01-01', state: 'holiday', name: 'New year', yearly: true },
    { date: '2028-01-01', state: 'open', name: 'Moved', hours: [['10:00', '11:00']] },
    { date: '2027-02-20', state: 'open', name: 'Make-up day' },
  ]);

  it('follows the week, the day that differs, and the year itself over every year', () => {
    expect(lookOf(week, days, '2027-01-04')).toMatchObject({ state: 'open', spans: [[540, 1080]] });
    expect(lookOf(week, days, '2027-01-05')).toMatchObject({ state: 'closed', spans: [] });
    expect(lookOf(week, days, '2029-01-01')).toMatchObject({ state: 'holiday', name: 'New year' });
    expect(lookOf(week, days, '2028-01-01')).toMatchObject({ state: 'open', spans: [[600, 660]] });
    expect(lookOf(week, days, '2027-02-20')).toMatchObject({ state: 'open', spans: [[540, 1080]] });
  });

  it('stands in its month: six whole weeks from a Monday', () => {
    const month = monthOf(2027, 2);
    expect(month).toHaveLength(42);
    expect(month[0]).toEqual({ date: '2027-02-01', inside: true });
    expect(month.filter((day) => day.inside)).toHaveLength(28);
    expect(monthOf(2026, 11)[0]?.date).toBe('2026-10-26');
  });

  it('is counted from one to another, over the ends of months and years', () => {
    expect(datesBetween('2026-12-30', '2027-01-02')).toEqual([
      '2026-12-30',
      '2026-12-31',
      '2027-01-01',
      '2027-01-02',
    ]);
    expect(datesBetween('2027-01-02', '2027-01-01')).toEqual([]);
  });

  it('is written as it was read', () => {
    expect(readDays(writeDays(days))).toEqual(days);
    expect(readWeek(writeWeek(week))).toEqual(week);
  });
});
