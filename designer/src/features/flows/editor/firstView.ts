/** What a big flow shows when it opens: its beginning, with cards that say what they do, and no blank beyond the drawing. */
import type { Size } from './geometry';

export interface Rect extends Size {
  x: number;
  y: number;
}
export interface View {
  x: number;
  y: number;
  zoom: number;
}

/** Cards show what they do, and enough of the drawing is there to see how it goes on. */
export const FIRST_ZOOM = 0.6;
export const MARGIN = 32;
/** Where the beginning stands, from the left: beside the tools. */
export const BEGINNING = 88;

/**
 * How far one axis is moved: as it is wanted, but a drawing that is longer than the pane fills it from edge to edge,
 * and a shorter one stands in its middle.
 */
function moved(wanted: number, from: number, to: number, length: number, first: number): number {
  if (to - from <= length - first - MARGIN) return (length + first - MARGIN - from - to) / 2;
  return Math.min(first - from, Math.max(length - MARGIN - to, wanted));
}

/** `drawing` is all of it, `start` where it begins. */
export function beginningOf(drawing: Rect, start: Rect, pane: Size): View {
  const zoom = FIRST_ZOOM;
  const beginning = Math.min(BEGINNING, pane.width / 4);
  const beside = beginning - start.x * zoom;
  const level = pane.height / 2 - (start.y + start.height / 2) * zoom;
  return {
    x: moved(beside, drawing.x * zoom, (drawing.x + drawing.width) * zoom, pane.width, beginning),
    y: moved(level, drawing.y * zoom, (drawing.y + drawing.height) * zoom, pane.height, MARGIN),
    zoom,
  };
}
