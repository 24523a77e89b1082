/** What a big flow shows when it opens: its beginning, as large as can be read, and no blank beyond the drawing. */
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

export const FIRST_ZOOM = 0.75;
const MARGIN = 32;
/** Where the beginning stands, from the left. */
const BEGINNING = 96;

/**
 * How far one axis is moved: as it is wanted, but a drawing that is longer than the pane fills it from edge to edge,
 * and a shorter one stands in its middle.
 */
function moved(wanted: number, from: number, to: number, length: number): number {
  if (to - from <= length - 2 * MARGIN) return (length - from - to) / 2;
  return Math.min(MARGIN - from, Math.max(length - MARGIN - to, wanted));
}

/** `drawing` is all of it, `start` where it begins. */
export function beginningOf(drawing: Rect, start: Rect, pane: Size): View {
  const zoom = FIRST_ZOOM;
  const beside = Math.min(BEGINNING, pane.width / 4) - start.x * zoom;
  const level = pane.height / 2 - (start.y + start.height / 2) * zoom;
  return {
    x: moved(beside, drawing.x * zoom, (drawing.x + drawing.width) * zoom, pane.width),
    y: moved(level, drawing.y * zoom, (drawing.y + drawing.height) * zoom, pane.height),
    zoom,
  };
}
