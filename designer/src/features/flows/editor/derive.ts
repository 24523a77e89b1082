/**
 * The nodes and edges of React Flow, derived from the document. Whatever did not change keeps its identity, so that
 * a drag or a selection renders only the cards that it touches.
 */
import { type Edge, type Node, type NodeHandle, Position } from '@xyflow/react';
import type { Catalogue } from './catalogue';
import { EVENT, handleBox, type Place, placesOf, sizeOf } from './geometry';
import type { Comment, EdgeSpec, FlowDoc, NodeSpec, Point } from './model';
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
  const shape = shapeOf(spec, catalogue.types.get(spec.type));
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
  spec: NodeSpec | Comment | string;
  x: number;
  y: number;
  selected: boolean;
  ports: string;
  version: number;
  node: Node;
}

export interface View {
  nodes: Node[];
  edges: Edge[];
}

export function createDeriver() {
  let nodes = new Map<string, KeptNode>();
  let edges = new Map<string, { wire: EdgeSpec; selected: boolean; edge: Edge }>();
  let catalogue: Catalogue | null = null;

  return function derive(
    doc: FlowDoc,
    selection: Selection,
    types: Catalogue,
    version: number,
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
    const put = (id: string, spec: KeptNode['spec'], at: Point, ports: string, make: () => Partial<Node>) => {
      const selected = id.startsWith('note:') ? selection.comments.has(id.slice(5)) : selection.nodes.has(id);
      const old = nodes.get(id);
      const same = old && old.spec === spec && old.ports === ports && old.version === version;
      const still = same && old.x === at.x && old.y === at.y && old.selected === selected;
      const kept: KeptNode = still
        ? old
        : {
            spec,
            x: at.x,
            y: at.y,
            selected,
            ports,
            version,
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
      put(id, spec, at, ports, () => {
        const shape = fullShape(doc, id, types, used.get(id) ?? []);
        const size = sizeOf(shape);
        return { type: 'card', ...size, measured: size, handles: placesOf(shape).map(handle) };
      });
    }
    const events = eventsOf(doc);
    events.forEach((id, row) => {
      const at = moving?.[id] ?? positions[id] ?? { x: -280, y: row * 64 };
      put(id, id, at, '', () => ({ type: 'event', ...EVENT, measured: EVENT, handles: [EVENT_HANDLE] }));
    });
    nodes = keptNodes;

    const keptEdges: typeof edges = new Map();
    const shownEdges: Edge[] = [];
    for (const wire of wiresOf(doc)) {
      if (!(wire.to in doc.nodes) || (!(wire.from in doc.nodes) && !wire.from.startsWith('@'))) continue;
      const id = edgeId(wire.from, wire.port);
      const selected = selection.edges.has(id);
      const old = edges.get(id);
      const still = old && old.wire.to === wire.to && old.selected === selected;
      const kept = still
        ? old
        : {
            wire,
            selected,
            edge: {
              id,
              type: 'wire',
              source: wire.from,
              sourceHandle: wire.port,
              target: wire.to,
              targetHandle: 'in',
              selected,
            },
          };
      keptEdges.set(id, kept);
      shownEdges.push(kept.edge);
    }
    edges = keptEdges;
    return { nodes: shownNodes, edges: shownEdges };
  };
}

const ORIGIN: Point = { x: 0, y: 0 };
const NO_DATA = {};
