import type { Point } from '../model';

export interface Card extends Point {
  width: number;
  height: number;
}

const GAP = 24;
/** How far an edge goes straight before it turns. */
const STUB = 20;

/**
 * The height at which an edge that leads back crosses, when half way between its ends would be under one of its two
 * cards; undefined where half way is free, or the edge leads on.
 */
export function crossingOf(from: Card, to: Card, leaves: number, arrives: number): number | undefined {
  const right = from.x + from.width;
  if (to.x - STUB >= right + STUB) return undefined;
  const crossed = [from, to].filter((card) => card.x < right + STUB && card.x + card.width > to.x - STUB);
  const free = (y: number) =>
    crossed.every((card) => y < card.y - GAP / 3 || y > card.y + card.height + GAP / 3);
  const half = (leaves + arrives) / 2;
  if (free(half)) return undefined;
  const [upper, lower] = from.y <= to.y ? [from, to] : [to, from];
  const ways = [
    (upper.y + upper.height + lower.y) / 2,
    upper.y - GAP,
    Math.max(upper.y + upper.height, lower.y + lower.height) + GAP,
  ].filter(free);
  return ways.sort((one, other) => Math.abs(one - half) - Math.abs(other - half))[0];
}
