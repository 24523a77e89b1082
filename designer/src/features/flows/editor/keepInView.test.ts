import { describe, expect, it } from 'vitest';
import { EDGE, FOOT, Keeper, kept, READABLE, TOOLS } from './keepInView';

const wide = { width: 1200, height: 800 };
const narrow = { width: 800, height: 800 };
const low = { width: 1200, height: 400 };
const card = (x: number, y: number) => ({ x, y, width: 220, height: 120 });
/** Far bigger than the pane. */
const big = { x: -2000, y: -2000, width: 9000, height: 9000 };
const at = (x = 0, y = 0, zoom = 1) => ({ x, y, zoom });

describe('a selected node', () => {
  it('stays where it is while no panel covers it', () => {
    expect(kept(wide, narrow, at(), big, card(300, 300))).toBeNull();
  });

  it('is moved out from under a panel, as little as needed and at the same zoom', () => {
    const side = kept(wide, narrow, at(), big, card(900, 300))!;
    expect(side).toEqual({ x: 800 - EDGE - 1120, y: 0, zoom: 1 });
    const foot = kept(wide, low, at(), big, card(300, 600))!;
    expect(foot).toEqual({ x: 0, y: 400 - FOOT - 720, zoom: 1 });
  });

  it('shows its beginning when it is longer than what is left', () => {
    const tiny = { width: 200, height: 800 };
    expect(kept(wide, tiny, at(), big, card(500, 300))!.x).toBe(TOOLS - 500);
  });

  it('does not drag back somebody who looks elsewhere', () => {
    expect(kept(wide, narrow, at(), big, card(5000, 300))).toBeNull();
  });
});

describe('a flow that is in view as a whole', () => {
  const drawing = { x: 0, y: 0, width: 1000, height: 300 };

  it('stays whole, smaller when it must be', () => {
    const next = kept(wide, narrow, at(100, 200), drawing, null)!;
    expect(next.zoom).toBeLessThan(1);
    expect(next.x).toBeCloseTo(TOOLS);
    expect(1000 * next.zoom + next.x).toBeCloseTo(narrow.width - EDGE);
  });

  it('is only moved where there is room for it', () => {
    const small = { x: 0, y: 0, width: 500, height: 300 };
    const next = kept(wide, narrow, at(600, 200), small, null)!;
    expect(next).toEqual({ x: TOOLS + (800 - TOOLS - EDGE - 500) / 2, y: 200, zoom: 1 });
    expect(kept(wide, narrow, at(100, 200), small, null)).toBeNull();
  });

  it('keeps away from the edge of a panel that it would only touch', () => {
    const next = kept(wide, low, at(100, 90), { x: 0, y: 0, width: 500, height: 300 }, null)!;
    expect(next).toEqual({ x: 100, y: EDGE + (400 - EDGE - FOOT - 300) / 2, zoom: 1 });
  });

  it('gives way to the selection when its names could not be read', () => {
    const long = { x: 0, y: 0, width: 2400, height: 300 };
    const next = kept(wide, { width: 600, height: 800 }, at(0, 0, 0.5), long, card(2100, 50))!;
    expect(next.zoom).toBe(0.5);
    expect((2100 + 220) * 0.5 + next.x).toBeCloseTo(600 - EDGE);
    expect(next.zoom).toBeGreaterThan(READABLE);
  });
});

describe('somebody who looks at a part', () => {
  it('is left alone without a selection', () => {
    expect(kept(wide, narrow, at(), big, null)).toBeNull();
  });
});

describe('closing a panel', () => {
  it('gives back what its opening took', () => {
    const keeper = new Keeper();
    const opened = keeper.resized(wide, narrow, at(), big, card(900, 300))!;
    expect(keeper.resized(narrow, wide, opened, big, card(900, 300))).toEqual(at());
  });

  it('gives it back over two panels', () => {
    const keeper = new Keeper();
    const both = { width: 800, height: 400 };
    const one = keeper.resized(wide, narrow, at(), big, card(900, 600))!;
    const two = keeper.resized(narrow, both, one, big, card(900, 600))!;
    expect(keeper.resized(both, wide, two, big, card(900, 600))).toEqual(at());
  });

  it('moves nothing when the person moved on meanwhile', () => {
    const keeper = new Keeper();
    const opened = keeper.resized(wide, narrow, at(), big, card(900, 300))!;
    expect(keeper.resized(narrow, wide, { ...opened, x: opened.x - 50 }, big, card(900, 300))).toBeNull();
  });

  it('does not hide what was selected meanwhile', () => {
    const keeper = new Keeper();
    const opened = keeper.resized(wide, narrow, at(), big, card(900, 300))!;
    expect(keeper.resized(narrow, wide, opened, big, card(1100, 300))).toBeNull();
  });
});
