/** A setting as one reads it, on one line. Pure. */
import { partsOf, promptText } from './widgets/promptParts';

const MOST = 120;

const isPrompt = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Array.isArray((value as { parts?: unknown }).parts);

/** Texts as they are, prompts as they are said in a language, the rest as JSON; long ones cut, nothing as ''. */
export function shortly(value: unknown, language: string): string {
  if (value === null || value === undefined) return '';
  const whole =
    typeof value === 'string'
      ? value
      : isPrompt(value)
        ? promptText(partsOf(value), language)
        : JSON.stringify(value);
  return whole.length > MOST ? `${whole.slice(0, MOST - 1)}…` : whole;
}
