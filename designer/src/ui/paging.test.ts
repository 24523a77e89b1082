import { expect, it } from 'vitest';
import { type Page, pagesAfter, rowsOf } from './paging';

interface Row {
  id: number;
}
const SIZE = 3;

/** A list of so many rows by cursor, as the API gives it. */
const listOf =
  (count: number) =>
  async (after: string): Promise<Page<Row>> => {
    const from = Number(after);
    const nodes = Array.from({ length: Math.min(SIZE, count - from) }, (_, at) => ({ id: from + at }));
    return { nodes, endCursor: String(from + nodes.length), hasNext: from + nodes.length < count };
  };

it('reads as many pages as wanted and no further than the end', async () => {
  expect((await pagesAfter(listOf(20), '3', 2))?.map((page) => page.nodes.length)).toEqual([3, 3]);
  expect((await pagesAfter(listOf(8), '3', 9))?.map((page) => page.nodes.length)).toEqual([3, 2]);
  expect(await pagesAfter(listOf(8), null, 1)).toEqual([]);
});

it('gives no half of what was asked for when a page cannot be had', async () => {
  const failing = async (after: string) => (after === '6' ? null : listOf(20)(after));
  expect(await pagesAfter(failing, '3', 3)).toBeNull();
});

it('shows a row once that moved to the next page meanwhile', async () => {
  const first: Page<Row> = { nodes: [{ id: 9 }, { id: 0 }, { id: 1 }], endCursor: '2', hasNext: true };
  const below = await pagesAfter(listOf(6), '1', 2);
  expect(rowsOf([first, ...(below ?? [])], (row) => row.id).map((row) => row.id)).toEqual([
    9, 0, 1, 2, 3, 4, 5,
  ]);
});
