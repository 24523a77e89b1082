/** Values typed for a query's parameters, and a table out of what came back. */

/** `12` is a number, `true` a switch, `null` nothing; `"12"` and everything else a text. */
export function readValue(typed: string): string | number | boolean | null {
  const text = typed.trim();
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (text === 'null') return null;
  if (/^".*"$/s.test(text)) return text.slice(1, -1);
  // Long or zero-led figures are card and phone numbers, not amounts.
  if (/^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text)) return Number(text);
  return text;
}

export interface Result {
  columns: string[];
  rows: Record<string, unknown>[];
}

export function tableOf(told: unknown): Result {
  const list = Array.isArray(told) ? told : [];
  const rows = list.filter((row): row is Record<string, unknown> => typeof row === 'object' && row !== null);
  return { columns: [...new Set(rows.flatMap((row) => Object.keys(row)))], rows };
}
