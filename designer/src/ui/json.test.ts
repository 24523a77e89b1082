import { expect, test } from 'vitest';
import { brokenAt, jsonFault } from './json';

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

test('agrees with the browser on what is JSON, however a text is cut or changed', () => {
  const whole = '{"a": [1, -2.5e3, true, null, {"b\\n\\u00e9": ""}], "c": {}, "d": [[]], "e": "x"}';
  const seen = { good: 0, bad: 0 };
  const ask = (text: string) => {
    const good = parses(text);
    seen[good ? 'good' : 'bad'] += 1;
    expect(brokenAt(text) === null, text).toBe(good);
  };
  for (let at = 0; at <= whole.length; at += 1) {
    ask(whole.slice(0, at));
    for (const sign of ['', ',', '"', '}', ']', '{', ':', '0', ' ', '\n', '\\', 'x'])
      for (const skip of [0, 1]) ask(whole.slice(0, at) + sign + whole.slice(at + skip));
  }
  expect(seen.good).toBeGreaterThan(100);
  expect(seen.bad).toBeGreaterThan(500);
});

test('says the place as an editor counts it', () => {
  expect(jsonFault('{\n  "a": 1,\n  b: 2\n}')).toEqual({ kind: 'wrong', line: 3, column: 3 });
  expect(jsonFault('{"a": [1,')).toEqual({ kind: 'short', line: 1, column: 10 });
  expect(jsonFault(' \n')).toEqual({ kind: 'empty' });
  expect(jsonFault('[{}]')).toBeNull();
});
