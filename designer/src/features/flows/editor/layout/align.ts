/** Lining up and spreading out what is selected. Pure. */
import type { Size } from '../geometry';
import type { Point } from '../model';

export const ALIGNMENTS = ['left', 'centre', 'right', 'top', 'middle', 'bottom'] as const;
export type Alignment = (typeof ALIGNMENTS)[number];
export type Box = Point & Size;

export function align(boxes: Record<string, Box>, how: Alignment): Record<string, Point> {
  const all = Object.values(boxes);
  if (all.length < 2) return {};
  const left = Math.min(...all.map((box) => box.x));
  const right = Math.max(...all.map((box) => box.x + box.width));
  const top = Math.min(...all.map((box) => box.y));
  const bottom = Math.max(...all.map((box) => box.y + box.height));
  const moved = ({ x, y, width, height }: Box): Point => {
    switch (how) {
      case 'left':
        return { x: left, y };
      case 'centre':
        return { x: Math.round((left + right - width) / 2), y };
      case 'right':
        return { x: right - width, y };
      case 'top':
        return { x, y: top };
      case 'middle':
        return { x, y: Math.round((top + bottom - height) / 2) };
      case 'bottom':
        return { x, y: bottom - height };
    }
  };
  return Object.fromEntries(Object.entries(boxes).map(([id, box]) => [id, moved(box)]));
}

/** Equal gaps; the first and the last stay. Of what does not fit between them the gaps are none. */
export function distribute(boxes: Record<string, Box>, along: 'x' | 'y'): Record<string, Point> {
  const length = along === 'x' ? 'width' : 'height';
  const sorted = Object.entries(boxes).sort(([, a], [, b]) => a[along] - b[along]);
  const [, first] = sorted[0] ?? [];
  const [, last] = sorted.at(-1) ?? [];
  if (!first || !last || sorted.length < 3) return {};
  const room = last[along] + last[length] - first[along];
  const taken = sorted.reduce((sum, [, box]) => sum + box[length], 0);
  const gap = Math.max(0, (room - taken) / (sorted.length - 1));
  let at = first[along];
  const places: Record<string, Point> = {};
  for (const [id, box] of sorted) {
    places[id] = { x: box.x, y: box.y, [along]: Math.round(at) };
    at += box[length] + gap;
  }
  return places;
}
