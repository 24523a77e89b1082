/**
 * Sizes of cards, worked out without measuring: a thousand nodes are placed, routed and laid out before one of them
 * is drawn. The stylesheet draws exactly these sizes.
 */
import type { PortInfo } from './catalogue';
import { FOOT, type Shape } from './shapes';

export const GRID = 8;
export const WIDTH = 232;
export const HEAD = 36;
export const SUMMARY = 24;
export const ROW = 24;
export const FOOTER = 24;
export const EVENT = { width: 176, height: 36 };
const HANDLE = 12;

export interface Size {
  width: number;
  height: number;
}

export interface Face {
  /** Ports with a row of their own, at the right edge. */
  rows: PortInfo[];
  /** Ports that every node has, at the foot. */
  foot: PortInfo[];
}

export function faceOf(ports: readonly PortInfo[]): Face {
  const rows = ports.filter((port) => !FOOT.has(port.name));
  return {
    rows: [...rows.filter((port) => port.required), ...rows.filter((port) => !port.required)],
    foot: ports.filter((port) => FOOT.has(port.name)),
  };
}

export function sizeOf(shape: Shape): Size {
  const face = faceOf(shape.ports);
  return {
    width: WIDTH,
    height: HEAD + SUMMARY + face.rows.length * ROW + (face.foot.length > 0 ? FOOTER : 8),
  };
}

export interface Place {
  id: string;
  side: 'left' | 'right' | 'bottom';
  /** Where an edge touches, from the card's corner. */
  x: number;
  y: number;
}

/** Where edges touch a card. */
export function placesOf(shape: Shape): Place[] {
  const face = faceOf(shape.ports);
  const { height } = sizeOf(shape);
  return [
    { id: 'in', side: 'left', x: 0, y: HEAD / 2 },
    ...face.rows.map(
      (port, row): Place => ({
        id: port.name,
        side: 'right',
        x: WIDTH,
        y: HEAD + SUMMARY + row * ROW + ROW / 2,
      }),
    ),
    ...face.foot.map(
      (port, column): Place => ({
        id: port.name,
        side: 'bottom',
        x: (WIDTH / face.foot.length) * (column + 0.5),
        y: height,
      }),
    ),
  ];
}

/** The handle of React Flow for a place: inside of the card, so that edges end at its border. */
export function handleBox(place: Place) {
  return {
    x: place.side === 'left' ? 0 : place.side === 'right' ? place.x - HANDLE : place.x - HANDLE / 2,
    y: place.side === 'bottom' ? place.y - HANDLE : place.y - HANDLE / 2,
    width: HANDLE,
    height: HANDLE,
  };
}
