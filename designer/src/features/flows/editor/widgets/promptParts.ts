/** The parts of a prompt, as `nodes/sdk/prompt.py` has them. */
import { isRecord } from '@/ui/json';

export interface Part {
  kind: 'text' | 'recording' | 'value';
  text?: Record<string, string>;
  prompt?: string;
  value?: unknown;
  read_as?: string;
  currency?: string;
}

/** The parts of a prompt, or of a list that stands for one. */
export function partsOf(value: unknown): Part[] {
  const parts = isRecord(value) ? value.parts : value;
  return (Array.isArray(parts) ? parts : []).filter(isRecord).map((part) => {
    const kind = part.kind ?? ('prompt' in part ? 'recording' : 'value' in part ? 'value' : 'text');
    return { ...part, kind } as Part;
  });
}

export function blankPart(kind: Part['kind'], language: string): Part {
  switch (kind) {
    case 'text':
      return { kind, text: { [language]: '' } };
    case 'recording':
      return { kind, prompt: '' };
    case 'value':
      return { kind, value: '', read_as: 'text' };
  }
}

const textIn = (part: Part, language: string): string => String(part.text?.[language] ?? '').trim();

/** Whether no text part says anything in a language, although there are texts. */
export function saysNothing(parts: readonly Part[], language: string): boolean {
  const texts = parts.filter((part) => part.kind === 'text');
  return texts.length > 0 && texts.every((part) => textIn(part, language) === '');
}

/**
 * Whether a language lacks something. A prompt whose texts have one language each speaks all of them to everybody,
 * as a bilingual greeting does: there the texts together must have the languages.
 */
export function lacking(parts: readonly Part[], language: string): boolean {
  const texts = parts.filter((part) => part.kind === 'text');
  if (texts.length === 0) return false;
  const given = texts.map((part) => Object.keys(part.text ?? {}).filter((tag) => textIn(part, tag) !== ''));
  const eachItsOwn = texts.length > 1 && given.every((tags) => tags.length === 1);
  if (eachItsOwn) return !given.some((tags) => tags.includes(language));
  return texts.some((part) => textIn(part, language) === '');
}

/** What a prompt says in a language, on one line. */
export function promptText(parts: readonly Part[], language: string): string {
  return parts
    .map((part) => {
      if (part.kind === 'recording') return `▶ ${part.prompt ?? ''}`;
      if (part.kind === 'value') return `{${String(part.value ?? '')}}`;
      const first = Object.values(part.text ?? {}).find((text) => text.trim() !== '');
      return textIn(part, language) || (first ?? '').trim();
    })
    .filter(Boolean)
    .reduce(behind, '');
}

/** One after the other on a line; the signs of Chinese bring their own space. */
export function behind(said: string, next: string): string {
  return said === '' || next === '' || /[。！？；：，、”）]$/.test(said) ? said + next : `${said} ${next}`;
}
