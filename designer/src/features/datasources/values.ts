/** Values typed for a query's parameters, and a table out of what came back. */

export const TYPES = ['text', 'number', 'boolean', 'null'] as const;
export type As = (typeof TYPES)[number];

/** What was typed, as the chosen type; undefined when it cannot be that. A card number is a text, whatever it looks like. */
export function readValue(typed: string, as: As): string | number | boolean | null | undefined {
  const text = typed.trim();
  if (as === 'null') return null;
  if (as === 'number') return text !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined;
  if (as === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  return typed;
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
