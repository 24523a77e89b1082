/** Numbers out of pasted lines or a CSV file, and what is wrong with each line. */

export interface Entry {
  line: number;
  number: string;
  note: string;
  /** The last day, as 2027-01-31. */
  until: string | null;
}
export interface BadLine {
  line: number;
  text: string;
  why: 'noDigits' | 'badDate' | 'repeated';
  /** The line that a repeated number stood in first. */
  first?: number;
}
export const MOST = 5000;

function cells(line: string): string[] {
  const found: string[] = [];
  let cell = '';
  let quoted = false;
  for (let index = 0; index < line.length; index++) {
    const sign = line[index] as string;
    if (quoted) {
      if (sign === '"' && line[index + 1] === '"') {
        cell += '"';
        index++;
      } else if (sign === '"') quoted = false;
      else cell += sign;
    } else if (sign === '"' && cell === '') quoted = true;
    else if (',;\t，；'.includes(sign)) {
      found.push(cell.trim());
      cell = '';
    } else cell += sign;
  }
  return [...found, cell.trim()];
}

const plain = (number: string) => number.replace(/[\s().\-/]/g, '');

export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

export function readNumbers(content: string): { entries: Entry[]; bad: BadLine[] } {
  const entries: Entry[] = [];
  const bad: BadLine[] = [];
  const seen = new Map<string, number>();
  content
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .forEach((text, index) => {
      const line = index + 1;
      if (!text.trim()) return;
      const [first = '', note = '', until = ''] = cells(text);
      const number = plain(first);
      if (!/^\+?\d{2,20}$/.test(number)) {
        // A first line of titles is no fault.
        if (line > 1 || /\d/.test(first)) bad.push({ line, text, why: 'noDigits' });
        return;
      }
      if (until && !isDate(until)) {
        bad.push({ line, text, why: 'badDate' });
        return;
      }
      const before = seen.get(number);
      if (before !== undefined) {
        bad.push({ line, text, why: 'repeated', first: before });
        return;
      }
      seen.set(number, line);
      entries.push({ line, number, note, until: until || null });
    });
  return { entries, bad };
}

/** The end of a day in the browser's zone, as the API takes it. */
export function endOf(day: string | null): string | null {
  return day ? new Date(`${day}T23:59:59`).toISOString() : null;
}
