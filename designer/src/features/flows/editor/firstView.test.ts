import { describe, expect, it } from 'vitest';
import { BEGINNING, beginningOf, FIRST_ZOOM, MARGIN, type Rect, type View } from './firstView';

const PANE = { width: 700, height: 800 };
const pill = (x: number, y: number): Rect => ({ x, y, width: 176, height: 36 });
const shown = (view: View, rect: Rect) => ({
  left: rect.x * view.zoom + view.x,
  top: rect.y * view.zoom + view.y,
  right: (rect.x + rect.width) * view.zoom + view.x,
  bottom: (rect.y + rect.height) * view.zoom + view.y,
});

describe('what a big flow shows at first', () => {
  it('is its beginning, in the middle of the height when there is drawing above and below', () => {
    const start = pill(-280, 0);
    const view = beginningOf({ x: -280, y: -3000, width: 9000, height: 6000 }, start, PANE);
    expect(view.zoom).toBe(FIRST_ZOOM);
    expect(shown(view, start)).toMatchObject({ left: BEGINNING, top: 400 - 18 * FIRST_ZOOM });
  });

  it.each([
    ['top', pill(-280, 0), { x: -280, y: 0, width: 9000, height: 6000 }],
    ['foot', pill(-280, 5964), { x: -280, y: 0, width: 9000, height: 6000 }],
    ['far right', pill(8000, 3000), { x: 0, y: 0, width: 8176, height: 6000 }],
  ])('fills the canvas when it begins at the %s of the drawing', (_, start, drawing) => {
    const view = beginningOf(drawing, start, PANE);
    const all = shown(view, drawing);
    expect(all.left).toBeLessThanOrEqual(BEGINNING);
    expect(all.top).toBeLessThanOrEqual(MARGIN);
    expect(all.right).toBeGreaterThanOrEqual(PANE.width - MARGIN);
    expect(all.bottom).toBeGreaterThanOrEqual(PANE.height - MARGIN);
    const begins = shown(view, start);
    expect(begins.left).toBeGreaterThanOrEqual(0);
    expect(begins.top).toBeGreaterThanOrEqual(0);
    expect(begins.right).toBeLessThanOrEqual(PANE.width);
    expect(begins.bottom).toBeLessThanOrEqual(PANE.height);
  });

  it('stands in the middle where the drawing is shorter than the canvas', () => {
    const view = beginningOf({ x: 0, y: 200, width: 9000, height: 400 }, pill(0, 200), PANE);
    const all = shown(view, { x: 0, y: 200, width: 9000, height: 400 });
    expect(all.top).toBeCloseTo(PANE.height - all.bottom);
  });
});
