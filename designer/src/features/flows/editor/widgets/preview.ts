/** What is said below an expression about its last run, and when there is nothing to say. */
import type { Text } from '@/i18n';
import { computed } from './schema';
import { shown } from './scope';

export type Mode = 'expression' | 'template';

/** Nothing is computed: the field is empty, or a template without a place for a value. */
export function isEmpty(source: string, mode: Mode): boolean {
  return source.trim() === '' || (mode === 'template' && !computed(source));
}

/** A number or a quoted text gives itself: nobody needs to be told. */
export function isConstant(source: string): boolean {
  return /^\s*(-?\d+(\.\d+)?|'[^']*'|"[^"]*"|true|false|none)\s*$/i.test(source);
}

/** Whether the value of the last run is asked for. Confidential ones are never. */
export function isPreviewed(source: string, mode: Mode, secret: boolean): boolean {
  return !secret && !isEmpty(source, mode) && !(mode === 'expression' && isConstant(source));
}

export interface Previewed {
  value?: unknown;
  text: string;
  problem?: Text | null;
}

/** What it came to, on one line: a template as the text it makes, an expression as its value, or why it failed. */
export function lastValue(preview: Previewed, mode: Mode, say: (text: Text) => string): string {
  if (preview.problem) return say(preview.problem);
  return shown(mode === 'template' ? preview.text : (preview.value ?? null));
}
