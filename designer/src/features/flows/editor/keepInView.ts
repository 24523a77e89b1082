/**
 * What a person looks at stays in view while the panels around the drawing open, close and change their size.
 *
 * The selection is moved back into view, as little as needed, without a change of zoom. Where the whole flow was in
 * view it stays whole, smaller if it must be; only names that could not be read any more give way to the selection.
 */
import type { Rect, View } from './firstView';
import type { Size } from './geometry';

export const EDGE = 24;
/** The tools of the drawing stand at its left. */
export const TOOLS = 64;
/** The zoom stands at its foot. */
export const FOOT = 64;
/** Below this zoom names cannot be read. */
export const READABLE = 0.4;
/** Less than a pixel is no difference. */
const NEAR = 1;

interface Span {
  from: number;
  to: number;
}

function across(box: Rect, view: View): Span {
  return { from: box.x * view.zoom + view.x, to: (box.x + box.width) * view.zoom + view.x };
}

function down(box: Rect, view: View): Span {
  return { from: box.y * view.zoom + view.y, to: (box.y + box.height) * view.zoom + view.y };
}

const within = ({ from, to }: Span, length: number, last = 0): boolean =>
  from >= -NEAR && to <= length - last + NEAR;
const meets = ({ from, to }: Span, length: number): boolean => to > 0 && from < length;

function whole(box: Rect, view: View, pane: Size, last = 0): boolean {
  return within(across(box, view), pane.width, last) && within(down(box, view), pane.height, last);
}

/** How far a span is moved until it ends before the edge; of one that is too long the beginning is shown. */
function step({ from, to }: Span, length: number, first: number, last: number): number {
  const over = to - (length - last);
  if (over <= 0) return 0;
  return -Math.max(0, Math.min(over, from - first));
}

/** The view of the new pane; null when the old one shows as much as it did. */
export function kept(
  before: Size,
  after: Size,
  view: View,
  drawing: Rect | null,
  selected: Rect | null,
): View | null {
  if (drawing && whole(drawing, view, before)) {
    const free = { width: after.width, height: after.height - FOOT + EDGE };
    if (whole(drawing, view, free, EDGE)) return null;
    const room = { width: after.width - TOOLS - EDGE, height: after.height - EDGE - FOOT };
    const zoom = Math.min(view.zoom, room.width / drawing.width, room.height / drawing.height);
    if (zoom > 0 && (!selected || zoom >= Math.min(READABLE, view.zoom))) {
      const next = {
        x: TOOLS + (room.width - drawing.width * zoom) / 2 - drawing.x * zoom,
        y: EDGE + (room.height - drawing.height * zoom) / 2 - drawing.y * zoom,
        zoom,
      };
      // What the panel leaves as it is does not jump.
      const same = zoom === view.zoom;
      return {
        x: same && within(across(drawing, view), free.width, EDGE) ? view.x : next.x,
        y: same && within(down(drawing, view), free.height, EDGE) ? view.y : next.y,
        zoom,
      };
    }
  }
  if (!selected) return null;
  const [x, y] = [across(selected, view), down(selected, view)];
  if (!meets(x, before.width) || !meets(y, before.height)) return null;
  const by = { x: step(x, after.width, TOOLS, EDGE), y: step(y, after.height, EDGE, FOOT) };
  return by.x === 0 && by.y === 0 ? null : { x: view.x + by.x, y: view.y + by.y, zoom: view.zoom };
}

interface Kept {
  pane: Size;
  from: View;
  to: View;
}

const alike = (one: View, other: View): boolean =>
  Math.abs(one.x - other.x) < NEAR &&
  Math.abs(one.y - other.y) < NEAR &&
  Math.abs(one.zoom - other.zoom) < 0.001;
const sized = (one: Size, other: Size): boolean =>
  Math.abs(one.width - other.width) < NEAR && Math.abs(one.height - other.height) < NEAR;

/** Remembers what it moved, so that closing a panel gives back what its opening took, unless the person moved on. */
export class Keeper {
  private moved: Kept[] = [];

  resized(before: Size, after: Size, view: View, drawing: Rect | null, selected: Rect | null): View | null {
    const last = this.moved.at(-1);
    if (last && !alike(last.to, view)) this.moved = [];
    const index = this.moved.findIndex((one) => sized(one.pane, after));
    const back = index < 0 ? null : this.moved[index]!.from;
    if (back) {
      this.moved = this.moved.slice(0, index);
      if (!selected || whole(selected, back, after) || !whole(selected, view, after)) return back;
    }
    const next = kept(before, after, view, drawing, selected);
    if (next) this.moved.push({ pane: before, from: view, to: next });
    return next;
  }
}
