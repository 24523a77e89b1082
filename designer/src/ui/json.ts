/** Where a text stops being JSON, in the person's words: a browser's own message is in its own language and form. */
import { useCallback } from 'react';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';

/** Whether it is a JSON object: no list and not null. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Wanted = 'value' | 'value]' | 'key' | 'key}' | ':' | ',' | 'end';
const LITERAL = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** The first character that cannot stand where it stands; the length of a text that breaks off; null for JSON. */
export function brokenAt(text: string): number | null {
  const open: ('{' | '[')[] = [];
  let wanted: Wanted = 'value';
  let at = 0;
  const after = (): Wanted => (open.length > 0 ? ',' : 'end');
  for (; at < text.length; ) {
    const sign = text[at]!;
    if (sign === ' ' || sign === '\n' || sign === '\r' || sign === '\t') {
      at += 1;
      continue;
    }
    const closing = sign === '}' ? '{' : sign === ']' ? '[' : null;
    if (closing) {
      const may = wanted === ',' || wanted === (closing === '{' ? 'key}' : 'value]');
      if (!may || open.at(-1) !== closing) return at;
      open.pop();
      wanted = after();
      at += 1;
    } else if (wanted === 'key' || wanted === 'key}') {
      if (sign !== '"') return at;
      const end = stringEnd(text, at);
      if (end.broken) return end.at;
      at = end.at;
      wanted = ':';
    } else if (wanted === ':') {
      if (sign !== ':') return at;
      at += 1;
      wanted = 'value';
    } else if (wanted === ',') {
      if (sign !== ',') return at;
      at += 1;
      wanted = open.at(-1) === '{' ? 'key' : 'value';
    } else if (wanted === 'end') {
      return at;
    } else if (sign === '{' || sign === '[') {
      open.push(sign);
      at += 1;
      wanted = sign === '{' ? 'key}' : 'value]';
    } else if (sign === '"') {
      const end = stringEnd(text, at);
      if (end.broken) return end.at;
      at = end.at;
      wanted = after();
    } else {
      LITERAL.lastIndex = at;
      const found = LITERAL.exec(text)?.[0];
      if (!found) return at;
      at += found.length;
      wanted = after();
    }
  }
  return wanted === 'end' ? null : text.length;
}

function stringEnd(text: string, start: number): { at: number; broken: boolean } {
  for (let at = start + 1; at < text.length; at += 1) {
    const sign = text[at]!;
    if (sign === '"') return { at: at + 1, broken: false };
    if (sign < ' ') return { at, broken: true };
    if (sign !== '\\') continue;
    const escaped = /^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(text.slice(at + 1, at + 6))?.[0];
    if (!escaped) return { at, broken: true };
    at += escaped.length;
  }
  return { at: text.length, broken: true };
}

/** Counted from 1, as editors count. */
export function lineAndColumn(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  const lines = before.split(/\r\n|\r|\n/);
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}

export type JsonFault = { kind: 'empty' } | { kind: 'wrong' | 'short'; line: number; column: number };

export function jsonFault(text: string): JsonFault | null {
  if (text.trim() === '') return { kind: 'empty' };
  const at = brokenAt(text);
  if (at === null) return null;
  return { kind: at >= text.length ? 'short' : 'wrong', ...lineAndColumn(text, at) };
}

/** What is wrong with a text that should be JSON, and where. */
export function useJsonFault(): (fault: JsonFault) => string {
  const c = useWords(common);
  return useCallback(
    (fault) => {
      if (fault.kind === 'empty') return c('jsonEmpty');
      return c(fault.kind === 'short' ? 'jsonShort' : 'jsonWrong', {
        line: fault.line,
        column: fault.column,
      });
    },
    [c],
  );
}
