import { expect, test } from 'vitest';
import { crossingOf } from './around';

const card = (x: number, y: number, height = 120) => ({ x, y, width: 232, height });

test('an edge that leads on, or crosses where nothing is, keeps its way', () => {
  expect(crossingOf(card(0, 0), card(400, 0), 70, 18)).toBeUndefined();
  expect(crossingOf(card(400, 0), card(0, 600), 70, 618)).toBeUndefined();
});

test('an edge back to a card beside it goes around both, on the nearer side', () => {
  const from = card(300, 0);
  const to = card(0, 40, 200);
  const y = crossingOf(from, to, 70, 58)!;
  expect(y < 0 - 7 || y > 240 + 7).toBe(true);
  expect(y).toBe(-24);
});

test('an edge from a card to itself does not run through it', () => {
  expect(crossingOf(card(0, 0), card(0, 0), 100, 18)).toBe(-24);
});

test('between two cards one below the other it uses the gap', () => {
  expect(crossingOf(card(0, 400), card(40, 0, 300), 420, 18)).toBe((300 + 400) / 2);
});
