import { expect, test } from 'vitest';
import { calledBy } from './nodeName';

const queue = { zh: '排队', en: 'Queue' };

test('a node goes by its own name, or else by the title of its type in both languages', () => {
  expect(calledBy('人工 Agents', queue, 'q')).toEqual({ zh: '人工 Agents', en: '人工 Agents' });
  expect(calledBy('', queue, 'q')).toEqual(queue);
  expect(calledBy(undefined, queue, 'q')).toEqual(queue);
});

test('a title that was filled in as the name follows the language', () => {
  expect(calledBy('排队', queue, 'q').en).toBe('Queue');
});

test('a type that nobody knows leaves the id', () => {
  expect(calledBy('', undefined, 'queue_2').zh).toBe('queue_2');
  expect(calledBy('Agents', undefined, 'queue_2').zh).toBe('Agents');
});
