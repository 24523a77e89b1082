/**
 * Arranging by ELK: the document as a graph with fixed ports, and the answer as places and ways of edges. Pure; the
 * work itself is done by a worker (arrange.ts).
 */
import type { Catalogue } from '../catalogue';
import { fullShape, portsInUse } from '../derive';
import { EVENT, type Place, placesOf, type Size, sizeOf } from '../geometry';
import { edgeKey, type FlowDoc, type Point, positionOf, type Route } from '../model';
import { eventsOf, isEvent, OUT, wiresOf } from '../wires';

export interface ElkPort {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
  layoutOptions: Record<string, string>;
}

export interface ElkNode {
  id: string;
  width: number;
  height: number;
  x?: number;
  y?: number;
  ports: ElkPort[];
  layoutOptions: Record<string, string>;
}

export interface ElkEdge {
  id: string;
  sources: string[];
  targets: string[];
  sections?: { startPoint: Point; endPoint: Point; bendPoints?: Point[] }[];
}

export interface ElkGraph {
  id: string;
  layoutOptions: Record<string, string>;
  children: ElkNode[];
  edges: ElkEdge[];
}

const SIDES = { left: 'WEST', right: 'EAST', bottom: 'SOUTH' };
const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.spacing.nodeNode': '40',
  'elk.spacing.edgeNode': '20',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.componentComponent': '64',
  'elk.layered.spacing.nodeNodeBetweenLayers': '64',
  'elk.layered.spacing.edgeNodeBetweenLayers': '24',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
};

const portId = (node: string, port: string) => `${node}\u0000${port}`;
const EVENT_PLACES: Place[] = [{ id: OUT, side: 'right', x: EVENT.width, y: EVENT.height / 2 }];

export function faceAt(
  doc: FlowDoc,
  id: string,
  catalogue: Catalogue,
  used?: string[],
): { size: Size; places: Place[] } {
  if (isEvent(id)) return { size: EVENT, places: EVENT_PLACES };
  const shape = fullShape(doc, id, catalogue, used);
  return { size: sizeOf(shape), places: placesOf(shape) };
}

/** Nodes from the entry on, as a caller meets them: an arrangement keeps this order. */
function inOrder(doc: FlowDoc, ids: ReadonlySet<string>): string[] {
  const next = new Map<string, string[]>();
  for (const wire of wiresOf(doc)) next.set(wire.from, [...(next.get(wire.from) ?? []), wire.to]);
  const found: string[] = [];
  const seen = new Set<string>();
  const queue = [...eventsOf(doc), ...Object.keys(doc.nodes)];
  const stack: string[] = [];
  for (const root of queue) {
    stack.push(root);
    while (stack.length > 0) {
      const id = stack.pop()!;
      if (seen.has(id)) continue;
      seen.add(id);
      if (ids.has(id)) found.push(id);
      stack.push(...[...(next.get(id) ?? [])].reverse());
    }
  }
  return found;
}

export function toElk(doc: FlowDoc, ids: ReadonlySet<string>, catalogue: Catalogue): ElkGraph {
  const used = portsInUse(doc);
  const placed = new Set<string>();
  const children = inOrder(doc, ids).map((id): ElkNode => {
    const { size, places } = faceAt(doc, id, catalogue, used.get(id) ?? []);
    for (const place of places) placed.add(portId(id, place.id));
    return {
      id,
      ...size,
      ports: places.map((place) => ({
        id: portId(id, place.id),
        x: place.x,
        y: place.y,
        width: 0,
        height: 0,
        layoutOptions: { 'elk.port.side': SIDES[place.side] },
      })),
      layoutOptions: { 'elk.portConstraints': 'FIXED_POS' },
    };
  });
  const edges = wiresOf(doc)
    .filter((wire) => placed.has(portId(wire.from, wire.port)) && placed.has(portId(wire.to, 'in')))
    .map((wire) => ({
      id: edgeKey(wire.from, wire.port),
      sources: [portId(wire.from, wire.port)],
      targets: [portId(wire.to, 'in')],
    }));
  return { id: 'flow', layoutOptions: OPTIONS, children, edges };
}

export interface Arranged {
  places: Record<string, Point>;
  routes: Record<string, Route>;
}

/** Places and ways from ELK's answer, moved so that its corner is at `corner`. */
export function fromElk(graph: ElkGraph, corner: Point): Arranged {
  const left = Math.min(...graph.children.map((node) => node.x ?? 0));
  const top = Math.min(...graph.children.map((node) => node.y ?? 0));
  const move = (point: Point): Point => ({
    x: Math.round(point.x - left + corner.x),
    y: Math.round(point.y - top + corner.y),
  });
  const places: Record<string, Point> = {};
  for (const node of graph.children) places[node.id] = move({ x: node.x ?? 0, y: node.y ?? 0 });
  const routes: Record<string, Route> = {};
  for (const edge of graph.edges) {
    const section = edge.sections?.[0];
    const from = places[edge.sources[0]!.split('\u0000')[0]!];
    const to = places[edge.targets[0]!.split('\u0000')[0]!];
    if (!section || !from || !to) continue;
    const points = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint].map(move);
    routes[edge.id] = { points, from, to };
  }
  return { places, routes };
}

/** Whether a route is still good: its ends have not been moved since. */
export function routeHolds(route: Route | undefined, from: Point, to: Point): route is Route {
  return (
    route !== undefined &&
    route.from.x === from.x &&
    route.from.y === from.y &&
    route.to.x === to.x &&
    route.to.y === to.y
  );
}

/** The left upper corner of nodes. */
export function cornerOf(doc: FlowDoc, ids: Iterable<string>): Point {
  let x = Number.POSITIVE_INFINITY;
  let y = Number.POSITIVE_INFINITY;
  for (const id of ids) {
    const at = positionOf(doc, id);
    x = Math.min(x, at.x);
    y = Math.min(y, at.y);
  }
  return Number.isFinite(x) ? { x, y } : { x: 0, y: 0 };
}

/** Put an arrangement into the document. Notes go with the node that they stand nearest to. */
export function place(doc: FlowDoc, arranged: Arranged): FlowDoc {
  const before = doc.ui.positions ?? {};
  const comments = (doc.ui.comments ?? []).map((note) => {
    let nearest: string | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const [id, at] of Object.entries(before)) {
      const distance = Math.hypot(at.x - note.x, at.y - note.y);
      if (distance < least) [nearest, least] = [id, distance];
    }
    const old = nearest === null ? undefined : before[nearest];
    const now = nearest === null ? undefined : arranged.places[nearest];
    return old && now ? { ...note, x: note.x + now.x - old.x, y: note.y + now.y - old.y } : note;
  });
  return {
    ...doc,
    ui: {
      ...doc.ui,
      positions: { ...before, ...arranged.places },
      routes: { ...doc.ui.routes, ...arranged.routes },
      ...(doc.ui.comments ? { comments } : {}),
    },
  };
}
