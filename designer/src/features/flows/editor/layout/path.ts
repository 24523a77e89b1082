import type { Point } from '../model';

/** An orthogonal way with round corners, as the path of an SVG. */
export function roundPath(points: readonly Point[], radius: number): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let path = `M${first.x} ${first.y}`;
  for (let at = 0; at < rest.length; at += 1) {
    const corner = rest[at]!;
    const before = at === 0 ? first : rest[at - 1]!;
    const after = rest[at + 1];
    if (!after) {
      path += `L${corner.x} ${corner.y}`;
      continue;
    }
    const into = Math.hypot(corner.x - before.x, corner.y - before.y);
    const out = Math.hypot(after.x - corner.x, after.y - corner.y);
    const bend = Math.min(radius, into / 2, out / 2);
    if (bend < 0.5) {
      path += `L${corner.x} ${corner.y}`;
      continue;
    }
    const start = {
      x: corner.x - ((corner.x - before.x) / into) * bend,
      y: corner.y - ((corner.y - before.y) / into) * bend,
    };
    const end = {
      x: corner.x + ((after.x - corner.x) / out) * bend,
      y: corner.y + ((after.y - corner.y) / out) * bend,
    };
    path += `L${start.x} ${start.y}Q${corner.x} ${corner.y} ${end.x} ${end.y}`;
  }
  return path;
}

/** The middle of a way, where its label stands. */
export function middleOf(points: readonly Point[]): Point {
  let length = 0;
  for (let at = 1; at < points.length; at += 1)
    length += Math.hypot(points[at]!.x - points[at - 1]!.x, points[at]!.y - points[at - 1]!.y);
  let left = length / 2;
  for (let at = 1; at < points.length; at += 1) {
    const from = points[at - 1]!;
    const to = points[at]!;
    const part = Math.hypot(to.x - from.x, to.y - from.y);
    if (part >= left && part > 0)
      return { x: from.x + ((to.x - from.x) * left) / part, y: from.y + ((to.y - from.y) * left) / part };
    left -= part;
  }
  return points[0] ?? { x: 0, y: 0 };
}
