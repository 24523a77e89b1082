/** The flow document as the designer edits it, and pure changes of it. Mirrors `flows/document.py`. */

export type ValueType = 'string' | 'number' | 'boolean' | 'object' | 'list' | 'any';
export type Kind = 'ivr' | 'campaign' | 'callback' | 'ticket' | 'subflow';

export interface Variable {
  name: string;
  type: ValueType;
  default?: unknown;
  required?: boolean;
  secret?: boolean;
  title?: string;
}

export interface Policy {
  timeout?: number | null;
  retries?: number;
  backoff?: number;
  on_error?: 'port' | 'handler' | 'ignore';
}

export interface NodeSpec {
  type: string;
  type_version?: number;
  name?: string;
  config: Record<string, unknown>;
  policy?: Policy;
}

export interface EdgeSpec {
  from: string;
  port: string;
  to: string;
}

export interface Shortcut {
  key: string;
  to: string;
}

export interface Point {
  x: number;
  y: number;
}

export interface Comment extends Point {
  id: string;
  text: string;
  width?: number;
  height?: number;
}

/** The way of an edge after an arrangement, good as long as both of its nodes stand where they stood. */
export interface Route {
  points: Point[];
  /** Where the node stood that it leaves, and the one that it enters. */
  from: Point;
  to: Point;
}

export interface Group {
  id: string;
  name: string;
  nodes: string[];
  colour?: string;
}

/** What the engine never reads: where things stand on the canvas. */
export interface Ui {
  positions?: Record<string, Point>;
  sizes?: Record<string, { width: number; height: number }>;
  comments?: Comment[];
  groups?: Group[];
  /** By edge. */
  routes?: Record<string, Route>;
  [more: string]: unknown;
}

export interface FlowDoc {
  spec_version: string;
  id: string;
  kind: Kind;
  name: string;
  description?: string;
  languages: string[];
  entry: string | null;
  inputs: Variable[];
  outputs: Variable[];
  variables: Variable[];
  nodes: Record<string, NodeSpec>;
  edges: EdgeSpec[];
  handlers: { hangup: string | null; error: string | null };
  shortcuts: Shortcut[];
  ui: Ui;
}

/** A document from the API, with whatever it left out filled in. */
export function readDoc(data: unknown): FlowDoc {
  const given = (data ?? {}) as Partial<FlowDoc>;
  return {
    spec_version: given.spec_version ?? '1.0.0',
    id: given.id ?? '',
    kind: given.kind ?? 'ivr',
    name: given.name ?? '',
    description: given.description ?? '',
    languages: given.languages ?? ['zh', 'en'],
    entry: given.entry ?? null,
    inputs: (given.inputs ?? []).map(readVariable),
    outputs: (given.outputs ?? []).map(readVariable),
    variables: (given.variables ?? []).map(readVariable),
    nodes: Object.fromEntries(Object.entries(given.nodes ?? {}).map(([id, spec]) => [id, readNode(spec)])),
    edges: given.edges ?? [],
    handlers: given.handlers ?? { hangup: null, error: null },
    shortcuts: given.shortcuts ?? [],
    ui: readUi(given.ui),
  };
}

const readVariable = (given: Variable): Variable => ({
  default: null,
  required: false,
  secret: false,
  title: '',
  ...given,
  type: given.type ?? 'any',
});

/** Places may be written as pairs, and may be missing or broken in a document written by hand. */
function readUi(given: Ui | undefined): Ui {
  if (!given?.positions) return given ?? {};
  const positions: Record<string, Point> = {};
  for (const [id, at] of Object.entries(given.positions as Record<string, unknown>)) {
    const [x, y] = Array.isArray(at) ? at : [(at as Point | null)?.x, (at as Point | null)?.y];
    if (Number.isFinite(x) && Number.isFinite(y)) positions[id] = { x, y };
  }
  return { ...given, positions };
}

/** Every default written out, as the server writes them: equal documents are equal. */
const readNode = (given: NodeSpec): NodeSpec => ({
  ...given,
  type_version: given.type_version ?? 1,
  name: given.name ?? '',
  config: given.config ?? {},
  policy: { timeout: null, retries: 0, backoff: 1, on_error: 'port', ...given.policy },
});

export function positionOf(doc: FlowDoc, node: string): Point {
  return doc.ui.positions?.[node] ?? { x: 0, y: 0 };
}

/** An id that is free: `say`, `say_2`, `say_3` from `voice.say`. */
export function freeId(doc: FlowDoc, type: string, taken: ReadonlySet<string> = new Set()): string {
  const base = (type.split('.').at(-1) ?? 'node').replace(/[^a-z0-9_]/g, '_') || 'node';
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}_${number}`;
    if (!(id in doc.nodes) && !taken.has(id)) return id;
  }
}

export interface NewNode {
  type: string;
  typeVersion: number;
  name: string;
  config: Record<string, unknown>;
  at: Point;
}

/** Add a node; the first one becomes the entry. */
export function addNode(doc: FlowDoc, id: string, node: NewNode): FlowDoc {
  return {
    ...doc,
    entry: doc.entry ?? id,
    nodes: {
      ...doc.nodes,
      [id]: readNode({
        type: node.type,
        type_version: node.typeVersion,
        name: node.name,
        config: node.config,
      }),
    },
    ui: { ...doc.ui, positions: { ...doc.ui.positions, [id]: node.at } },
  };
}

/** Remove nodes with their edges and every mention of them. */
export function removeNodes(doc: FlowDoc, ids: Iterable<string>): FlowDoc {
  const gone = new Set(ids);
  if (gone.size === 0) return doc;
  const keep = <T>(record: Record<string, T> | undefined) =>
    Object.fromEntries(Object.entries(record ?? {}).filter(([id]) => !gone.has(id)));
  return {
    ...doc,
    entry: doc.entry !== null && gone.has(doc.entry) ? null : doc.entry,
    nodes: keep(doc.nodes),
    edges: doc.edges.filter((edge) => !gone.has(edge.from) && !gone.has(edge.to)),
    handlers: {
      hangup: doc.handlers.hangup !== null && gone.has(doc.handlers.hangup) ? null : doc.handlers.hangup,
      error: doc.handlers.error !== null && gone.has(doc.handlers.error) ? null : doc.handlers.error,
    },
    shortcuts: doc.shortcuts.filter((one) => !gone.has(one.to)),
    ui: {
      ...doc.ui,
      positions: keep(doc.ui.positions),
      sizes: keep(doc.ui.sizes),
      groups: (doc.ui.groups ?? [])
        .map((group) => ({ ...group, nodes: group.nodes.filter((id) => !gone.has(id)) }))
        .filter((group) => group.nodes.length > 0),
    },
  };
}

/** Connect a port; a port has one edge at most, so an old one goes. */
export function connect(doc: FlowDoc, edge: EdgeSpec): FlowDoc {
  return {
    ...doc,
    edges: [...doc.edges.filter((one) => one.from !== edge.from || one.port !== edge.port), edge],
  };
}

export function disconnect(doc: FlowDoc, from: string, port: string): FlowDoc {
  return { ...doc, edges: doc.edges.filter((one) => one.from !== from || one.port !== port) };
}

export function moveNodes(doc: FlowDoc, places: Record<string, Point>): FlowDoc {
  return { ...doc, ui: { ...doc.ui, positions: { ...doc.ui.positions, ...places } } };
}

export function changeNode(doc: FlowDoc, id: string, change: (node: NodeSpec) => NodeSpec): FlowDoc {
  const node = doc.nodes[id];
  return node ? { ...doc, nodes: { ...doc.nodes, [id]: change(node) } } : doc;
}

/** What an edge is known by: one edge at most leaves a port. */
export function edgeKey(from: string, port: string): string {
  return `${from}|${port}`;
}
