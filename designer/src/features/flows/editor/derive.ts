/**
 * The nodes and edges of React Flow, derived from the document. Whatever did not change keeps its identity, so that
 * a drag or a selection renders only the cards that it touches.
 */
import { type Edge, type Node, type NodeHandle, Position } from '@xyflow/react';
import type { Catalogue } from './catalogue';
import { frameId, frameOf, NOTE, noteId } from './frames';
import { EVENT, handleBox, type Place, placesOf, sizeOf, WIDTH } from './geometry';
import { crossingOf } from './layout/around';
import { routeHolds } from './layout/elk';
import type { Comment, EdgeSpec, FlowDoc, Group, NodeSpec, Point, Route } from './model';
import { type Shape, shapeOf } from './shapes';
import { edgeId, type Selection } from './store';
import { eventsOf, OUT, wiresOf } from './wires';

const SIDES = { left: Position.Left, right: Position.Right, bottom: Position.Bottom };

function handle(place: Place): NodeHandle {
  return {
    id: place.id,
    type: place.side === 'left' ? 'target' : 'source',
    position: SIDES[place.side],
    ...handleBox(place),
  };
}

/** The shape of a node, with the ports that edges still use although the settings no longer make them. */
export function fullShape(doc: FlowDoc, id: string, catalogue: Catalogue, used?: readonly string[]): Shape {
  const spec = doc.nodes[id]!;
  const shape = shapeOf(spec, catalogue.types.get(spec.type), id);
  const ports = used ?? doc.edges.filter((edge) => edge.from === id).map((edge) => edge.port);
  const lost = ports.filter((port) => !shape.ports.some((one) => one.name === port));
  if (lost.length === 0) return shape;
  return {
    ...shape,
    ports: [
      ...shape.ports,
      ...lost.map((name) => ({
        name,
        title: { zh: `${name}（已失效）`, en: `${name} (gone)` },
        required: true,
      })),
    ],
  };
}

export function portsInUse(doc: FlowDoc): Map<string, string[]> {
  const used = new Map<string, string[]>();
  for (const edge of doc.edges) {
    const found = used.get(edge.from);
    if (found) found.push(edge.port);
    else used.set(edge.from, [edge.port]);
  }
  return used;
}

const EVENT_HANDLE = handle({ id: OUT, side: 'right', x: EVENT.width, y: EVENT.height / 2 });

interface KeptNode {
  spec: NodeSpec | Comment | Group | string;
  x: number;
  y: number;
  selected: boolean;
  ports: string;
  shape: Shape | null;
  node: Node;
}

interface KeptEdge {
  wire: EdgeSpec;
  selected: boolean;
  route: Route | undefined;
  crossing: number | undefined;
  edge: Edge;
}

export interface View {
  nodes: Node[];
  edges: Edge[];
}

export function createDeriver() {
  let nodes = new Map<string, KeptNode>();
  let edges = new Map<string, KeptEdge>();
  let catalogue: Catalogue | null = null;

  return function derive(
    doc: FlowDoc,
    selection: Selection,
    types: Catalogue,
    moving: Readonly<Record<string, Point>> | null,
  ): View {
    if (catalogue !== types) {
      nodes = new Map();
      catalogue = types;
    }
    const used = portsInUse(doc);
    const positions = doc.ui.positions ?? {};
    const keptNodes = new Map<string, KeptNode>();
    const shownNodes: Node[] = [];
    const put = (
      id: string,
      spec: KeptNode['spec'],
      at: Point,
      ports: string,
      shape: Shape | null,
      make: () => Partial<Node>,
    ) => {
      const selected = id.startsWith('note:')
        ? selection.comments.has(id.slice('note:'.length))
        : selection.nodes.has(id);
      const old = nodes.get(id);
      const same = old && old.spec === spec && old.ports === ports && old.shape === shape;
      const still = same && old.x === at.x && old.y === at.y && old.selected === selected;
      const kept: KeptNode = still
        ? old
        : {
            spec,
            x: at.x,
            y: at.y,
            selected,
            ports,
            shape,
            node: same
              ? { ...old.node, position: at, selected }
              : ({ id, position: at, selected, data: NO_DATA, ...make() } as Node),
          };
      keptNodes.set(id, kept);
      shownNodes.push(kept.node);
    };
    for (const [id, spec] of Object.entries(doc.nodes)) {
      const at = moving?.[id] ?? positions[id] ?? ORIGIN;
      const ports = used.get(id)?.join() ?? '';
      const known = shapeOf(spec, types.types.get(spec.type), id);
      put(id, spec, at, ports, known, () => {
        const shape = fullShape(doc, id, types, used.get(id) ?? []);
        const size = sizeOf(shape);
        return { type: 'card', ...size, measured: size, handles: placesOf(shape).map(handle) };
      });
    }
    const events = eventsOf(doc);
    events.forEach((id, row) => {
      const at = moving?.[id] ?? positions[id] ?? { x: -280, y: row * 64 };
      put(id, id, at, '', null, () => ({
        type: 'event',
        ...EVENT,
        measured: EVENT,
        handles: [EVENT_HANDLE],
      }));
    });
    const sizes = (id: string) => {
      const node = keptNodes.get(id)?.node;
      return { width: node?.width ?? WIDTH, height: node?.height ?? 100 };
    };
    for (const group of doc.ui.groups ?? []) {
      const frame = frameOf(doc, group, sizes, moving);
      if (!frame) continue;
      const size = { width: frame.width, height: frame.height };
      put(frameId(group.id), group, frame, `${size.width}x${size.height}`, null, () => ({
        type: 'frame',
        ...size,
        measured: size,
        handles: [],
        zIndex: -1,
        selectable: false,
        dragHandle: '.cw-frame-head',
      }));
    }
    for (const note of doc.ui.comments ?? []) {
      const id = noteId(note.id);
      const size = { width: note.width ?? NOTE.width, height: note.height ?? NOTE.height };
      put(id, note, moving?.[id] ?? note, '', null, () => ({
        type: 'note',
        ...size,
        measured: size,
        handles: [],
      }));
    }
    nodes = keptNodes;

    const keptEdges: typeof edges = new Map();
    const shownEdges: Edge[] = [];
    for (const wire of wiresOf(doc)) {
      if (!(wire.to in doc.nodes) || (!(wire.from in doc.nodes) && !wire.from.startsWith('@'))) continue;
      const id = edgeId(wire.from, wire.port);
      const selected = selection.edges.has(id);
      const known = doc.ui.routes?.[id];
      const from = keptNodes.get(wire.from)?.node.position ?? ORIGIN;
      const to = keptNodes.get(wire.to)?.node.position ?? ORIGIN;
      const route = routeHolds(known, from, to) ? known : undefined;
      const crossing = route ? undefined : crossingFor(keptNodes, wire);
      const old = edges.get(id);
      const still =
        old &&
        old.wire.to === wire.to &&
        old.selected === selected &&
        old.route === route &&
        old.crossing === crossing;
      const kept = still
        ? old
        : {
            wire,
            selected,
            route,
            crossing,
            edge: {
              id,
              type: 'wire',
              source: wire.from,
              sourceHandle: wire.port,
              target: wire.to,
              targetHandle: 'in',
              selected,
              data: route ? { points: route.points } : crossing === undefined ? undefined : { crossing },
            },
          };
      keptEdges.set(id, kept);
      shownEdges.push(kept.edge);
    }
    edges = keptEdges;
    return { nodes: shownNodes, edges: shownEdges };
  };
}

/** Where an edge without a route of the layout crosses, see `crossingOf`. */
function crossingFor(nodes: ReadonlyMap<string, KeptNode>, wire: EdgeSpec): number | undefined {
  const from = nodes.get(wire.from)?.node;
  const to = nodes.get(wire.to)?.node;
  const port = from?.handles?.find((one) => one.id === wire.port);
  const into = to?.handles?.find((one) => one.id === 'in');
  if (!from || !to || !port || !into || port.position !== Position.Right) return undefined;
  const card = (node: Node) => ({ ...node.position, width: node.width ?? WIDTH, height: node.height ?? 100 });
  const touches = (node: Node, one: NodeHandle) => node.position.y + one.y + (one.height ?? 0) / 2;
  return crossingOf(card(from), card(to), touches(from, port), touches(to, into));
}

const ORIGIN: Point = { x: 0, y: 0 };
const NO_DATA = {};
