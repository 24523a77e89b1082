/** Going over the canvas by keyboard: along edges, and to what stands next to something. Pure. */
import { type FlowDoc, type Point, positionOf } from './model';
import { eventsOf, wiresOf } from './wires';

export type Way = 'right' | 'left' | 'up' | 'down';

/** Wires of a node in the order of its ports. */
export function waysOut(doc: FlowDoc, node: string, ports: readonly string[] = []): string[] {
  const order = (port: string) => {
    const at = ports.indexOf(port);
    return at < 0 ? ports.length : at;
  };
  return wiresOf(doc)
    .filter((wire) => wire.from === node)
    .sort((a, b) => order(a.port) - order(b.port))
    .map((wire) => wire.to);
}

/**
 * Along the edges: right to what follows, left back to where one came from, up and down among the nodes that the
 * same node leads to.
 */
export function follow(
  doc: FlowDoc,
  node: string,
  way: Way,
  came: string | null,
  portsOf: (node: string) => readonly string[],
): string | null {
  const wires = wiresOf(doc);
  if (way === 'right') return waysOut(doc, node, portsOf(node))[0] ?? null;
  const sources = wires.filter((wire) => wire.to === node).map((wire) => wire.from);
  const source = came !== null && sources.includes(came) ? came : (sources[0] ?? null);
  if (way === 'left') return source;
  if (source === null) return nearest(doc, node, way);
  const among = [...new Set(waysOut(doc, source, portsOf(source)))];
  const at = among.indexOf(node) + (way === 'down' ? 1 : -1);
  return among[at] ?? null;
}

/** What stands nearest in a direction. */
export function nearest(doc: FlowDoc, node: string, way: Way): string | null {
  const here = positionOf(doc, node);
  let found: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const id of [...Object.keys(doc.nodes), ...eventsOf(doc)]) {
    if (id === node) continue;
    const distance = reach(here, positionOf(doc, id), way);
    if (distance < least) [found, least] = [id, distance];
  }
  return found;
}

function reach(from: Point, to: Point, way: Way): number {
  const x = to.x - from.x;
  const y = to.y - from.y;
  const [ahead, aside] = {
    right: [x, y],
    left: [-x, y],
    down: [y, x],
    up: [-y, x],
  }[way] as [number, number];
  return ahead <= 0 ? Number.POSITIVE_INFINITY : ahead + 2 * Math.abs(aside);
}
