/** Opening hours without a browser: spans of minutes, what is typed, what is dragged, what a day is. */

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];
/** Minutes after midnight, the end not included. */
export type Span = [number, number];
export type Week = Record<Weekday, Span[]>;
export type DayState = 'holiday' | 'special' | 'open';

export interface Day {
  date: string;
  state: DayState;
  name: string;
  hours: Span[] | null;
  yearly: boolean;
}

export const DAY = 24 * 60;

export function clockOf(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

function minutesOf(clock: string): number | null {
  const found = /^(\d{1,2})[:：](\d{2})$/.exec(clock);
  if (!found) return null;
  const minutes = Number(found[1]) * 60 + Number(found[2]);
  return Number(found[2]) > 59 || minutes > DAY ? null : minutes;
}

/** Spans in order; those that touch or overlap become one. */
export function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const [start, end] of [...spans].sort((one, two) => one[0] - two[0])) {
    const last = result.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else if (end > start) result.push([start, end]);
  }
  return result;
}

export function textOf(spans: readonly Span[]): string {
  return spans.map(([start, end]) => `${clockOf(start)}-${clockOf(end)}`).join(' ');
}

/** What somebody typed: `09:00-12:00, 13:00-18:00`; nothing is closed; null when it cannot be read. */
export function parseSpans(typed: string): Span[] | null {
  const parts = typed
    .replace(/[–—~～至到]/g, '-')
    .replace(/\s*-\s*/g, '-')
    .split(/[\s,，;；、]+/)
    .filter(Boolean);
  const spans: Span[] = [];
  for (const part of parts) {
    const [from, to, rest] = part.split('-');
    const start = minutesOf(from ?? '');
    const end = minutesOf(to ?? '');
    if (rest !== undefined || start === null || end === null || start >= end) return null;
    spans.push([start, end]);
  }
  spans.sort((one, two) => one[0] - two[0]);
  for (let index = 1; index < spans.length; index++)
    if ((spans[index]?.[0] ?? 0) < (spans[index - 1]?.[1] ?? 0)) return null;
  return spans;
}

/** The spans after opening or closing a stretch. */
export function painted(spans: readonly Span[], from: number, to: number, open: boolean): Span[] {
  if (open) return joined([...spans, [from, to]]);
  const kept: Span[] = [];
  for (const [start, end] of spans) {
    if (start < from) kept.push([start, Math.min(end, from)]);
    if (end > to) kept.push([Math.max(start, to), end]);
  }
  return joined(kept);
}

export const covers = (spans: readonly Span[], minute: number): boolean =>
  spans.some(([start, end]) => start <= minute && minute < end);

/** A row of spans as the API writes them: `[["09:00", "12:00"]]`. */
export function readSpans(value: unknown): Span[] {
  if (!Array.isArray(value)) return [];
  return joined(
    value.flatMap((span: unknown): Span[] => {
      if (!Array.isArray(span)) return [];
      const start = minutesOf(String(span[0]));
      const end = minutesOf(String(span[1]));
      return start === null || end === null ? [] : [[start, end]];
    }),
  );
}

export const writeSpans = (spans: readonly Span[]): [string, string][] =>
  spans.map(([start, end]) => [clockOf(start), clockOf(end)]);

export function readWeek(value: unknown): Week {
  const found = (value ?? {}) as Record<string, unknown>;
  return Object.fromEntries(WEEKDAYS.map((day) => [day, readSpans(found[day])])) as Week;
}

export function writeWeek(week: Week): Record<Weekday, [string, string][]> {
  return Object.fromEntries(WEEKDAYS.map((day) => [day, writeSpans(week[day])])) as Record<
    Weekday,
    [string, string][]
  >;
}

export function readDays(value: unknown): Day[] {
  if (!Array.isArray(value)) return [];
  return value
    .flatMap((one: Record<string, unknown> | null): Day[] => {
      const state = one?.state;
      if (!one || (state !== 'holiday' && state !== 'special' && state !== 'open')) return [];
      return [
        {
          date: String(one.date),
          state,
          name: String(one.name ?? ''),
          hours: one.hours === null || one.hours === undefined ? null : readSpans(one.hours),
          yearly: one.yearly === true,
        },
      ];
    })
    .sort((one, two) => one.date.localeCompare(two.date));
}

export function writeDays(days: readonly Day[]): unknown[] {
  return days.map((day) => ({ ...day, hours: day.hours === null ? null : writeSpans(day.hours) }));
}

/** The day that differs on a date (2027-01-31); one of that very year wins over a yearly one. */
export function dayOn(days: readonly Day[], date: string): Day | undefined {
  return (
    days.find((day) => !day.yearly && day.date === date) ??
    days.find((day) => day.yearly && day.date.slice(5) === date.slice(5))
  );
}

export interface Look {
  state: 'open' | 'closed' | 'holiday' | 'special';
  name: string;
  spans: Span[];
}

/** What a date looks like in the month: as the product itself decides it. */
export function lookOf(week: Week, days: readonly Day[], date: string): Look {
  const day = dayOn(days, date);
  if (day && day.state !== 'open') return { state: day.state, name: day.name, spans: [] };
  const [year = 0, month = 1, number = 1] = date.split('-').map(Number);
  const weekday = WEEKDAYS[(new Date(Date.UTC(year, month - 1, number)).getUTCDay() + 6) % 7] ?? 'mon';
  const spans = day ? (day.hours ?? week.mon) : week[weekday];
  return { state: spans.length > 0 ? 'open' : 'closed', name: day?.name ?? '', spans: [...spans] };
}

export const dateText = (year: number, month: number, day: number): string =>
  `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;

/** Six weeks that hold a month, Monday first. */
export function monthOf(year: number, month: number): { date: string; inside: boolean }[] {
  const first = new Date(Date.UTC(year, month - 1, 1));
  const lead = (first.getUTCDay() + 6) % 7;
  return Array.from({ length: 42 }, (_, index) => {
    const at = new Date(Date.UTC(year, month - 1, 1 + index - lead));
    return {
      date: dateText(at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()),
      inside: at.getUTCMonth() === month - 1,
    };
  });
}

/** Every date from one to another, a year at most. */
export function datesBetween(from: string, to: string): string[] {
  const [y = 0, m = 1, d = 1] = from.split('-').map(Number);
  const dates: string[] = [];
  for (let index = 0; index < 366; index++) {
    const at = new Date(Date.UTC(y, m - 1, d + index));
    const date = dateText(at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate());
    if (date > to) break;
    dates.push(date);
  }
  return dates;
}

export const weekHours = (week: Week): number =>
  WEEKDAYS.flatMap((day) => week[day]).reduce((sum, [start, end]) => sum + (end - start), 0) / 60;
