import { expect, it } from 'vitest';
import { entriesOf, languagesOf, matches } from './library';

const row = (name: string, language: string, text = '', updatedAt = '2026-01-01') => ({
  id: `${name}.${language}`,
  name,
  language,
  text,
  seconds: 0,
  url: null,
  updatedAt,
});

it('puts the languages of a prompt beside each other and tells its last change', () => {
  const rows = [row('b', 'zh'), row('a', 'zh', '您好', '2026-02-01'), row('a', 'en', 'Hello', '2026-03-01')];
  const entries = entriesOf(rows);
  expect(entries.map((entry) => [entry.name, [...entry.byLanguage.keys()], entry.updatedAt])).toEqual([
    ['a', ['zh', 'en'], '2026-03-01'],
    ['b', ['zh'], '2026-01-01'],
  ]);
  expect(languagesOf([...rows, row('c', 'yue')], ['zh', 'en'])).toEqual(['zh', 'en', 'yue']);
});

it('finds a prompt by its name and by what it says, in any language', () => {
  const [entry] = entriesOf([row('welcome', 'zh', '您好'), row('welcome', 'en', 'Hello there')]);
  for (const search of ['WEL', '您好', 'there', '']) expect(entry && matches(entry, search)).toBe(true);
  expect(entry && matches(entry, 'goodbye')).toBe(false);
});
