/**
 * Nodes on the system clipboard, as JSON that people can read, send and paste into any flow. Pure: reading judges
 * what was pasted and says what is wrong with it; pasting gives new ids and follows every mention of the old ones.
 */
import type { Text } from '@/i18n';
import { isRecord } from '@/ui/json';
import type { Catalogue } from './catalogue';
import {
  type Comment,
  type EdgeSpec,
  type FlowDoc,
  freeId,
  type Group,
  type NodeSpec,
  type Point,
  positionOf,
  readDoc,
  type Variable,
} from './model';
import type { Selection } from './store';

const MOST_NODES = 2000;
const MOST_CHARACTERS = 8_000_000;

export interface Clip {
  callweave: 'nodes';
  version: 1;
  nodes: Record<string, NodeSpec>;
  edges: EdgeSpec[];
  positions: Record<string, Point>;
  comments: Comment[];
  groups: Group[];
  /** Variables of the flow that the nodes mention. */
  variables: Variable[];
}

export function copyOf(doc: FlowDoc, selection: Selection): Clip | null {
  const ids = new Set([...selection.nodes].filter((id) => id in doc.nodes));
  const comments = (doc.ui.comments ?? []).filter((one) => selection.comments.has(one.id));
  if (ids.size === 0 && comments.length === 0) return null;
  const nodes: Record<string, NodeSpec> = {};
  const positions: Record<string, Point> = {};
  for (const [id, spec] of Object.entries(doc.nodes)) {
    if (!ids.has(id)) continue;
    nodes[id] = spec;
    positions[id] = positionOf(doc, id);
  }
  const said = JSON.stringify(nodes);
  return {
    callweave: 'nodes',
    version: 1,
    nodes,
    edges: doc.edges.filter((edge) => ids.has(edge.from) && ids.has(edge.to)),
    positions,
    comments,
    groups: (doc.ui.groups ?? []).filter((group) => group.nodes.every((id) => ids.has(id))),
    variables: doc.variables.filter((one) => mentions(said, 'vars', one.name)),
  };
}

function mentions(text: string, owner: string, name: string): boolean {
  return new RegExp(`\\b${owner}\\.${name}\\b|"name":"${name}"`).test(text);
}

export type Read = { clip: Clip } | { problem: Text };

const problem = (zh: string, en: string): Read => ({ problem: { zh, en } });
const isPoint = (value: unknown): value is Point =>
  isRecord(value) && Number.isFinite(value.x) && Number.isFinite(value.y);

/** What is on the clipboard: nodes that were copied, or a whole flow as it is exported. */
export function readClip(text: string, catalogue: Catalogue): Read {
  if (text.length > MOST_CHARACTERS)
    return problem(
      '剪贴板内容过大（超过 8 MB）。请改用导入。',
      'The clipboard holds more than 8 MB. Import it as a file instead.',
    );
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return problem(
      '剪贴板里没有节点。请先在画布上复制节点，或复制流程的 JSON。',
      'The clipboard holds no nodes. Copy nodes on a canvas first, or the JSON of a flow.',
    );
  }
  if (!isRecord(given) || !isRecord(given.nodes))
    return problem(
      '剪贴板里的 JSON 不是节点或流程（缺少 nodes）。',
      'The JSON on the clipboard is neither nodes nor a flow: it has no "nodes".',
    );
  const entries = Object.entries(given.nodes);
  if (entries.length > MOST_NODES)
    return problem(
      `一次最多粘贴 ${MOST_NODES} 个节点，剪贴板里有 ${entries.length} 个。`,
      `At most ${MOST_NODES} nodes can be pasted at once; the clipboard holds ${entries.length}.`,
    );
  const broken = entries.filter(([, spec]) => !isRecord(spec) || typeof spec.type !== 'string');
  if (broken.length > 0) {
    const names = broken
      .map(([id]) => id)
      .slice(0, 5)
      .join(', ');
    return problem(`这些节点不完整（缺少 type）：${names}`, `These nodes are broken (no "type"): ${names}`);
  }
  const unknown = [
    ...new Set(
      entries
        .map(([, spec]) => (spec as unknown as NodeSpec).type)
        .filter((type) => !catalogue.types.has(type)),
    ),
  ];
  if (unknown.length > 0) {
    const names = unknown.slice(0, 5).join(', ');
    return problem(`此服务器没有这些节点类型：${names}`, `This server has no such node types: ${names}`);
  }
  const doc = readDoc(given);
  const badConfig = Object.entries(doc.nodes).find(([, spec]) => !isRecord(spec.config));
  if (badConfig)
    return problem(
      `节点 ${badConfig[0]} 的 config 不是对象`,
      `The "config" of node ${badConfig[0]} is not an object`,
    );
  const given_edges = Array.isArray(given.edges) ? (given.edges as unknown[]) : [];
  const edges = given_edges.filter(
    (edge): edge is EdgeSpec & Record<string, unknown> =>
      isRecord(edge) &&
      typeof edge.from === 'string' &&
      typeof edge.port === 'string' &&
      typeof edge.to === 'string',
  );
  const places = isRecord(given.positions) ? given.positions : (doc.ui.positions ?? {});
  const positions: Record<string, Point> = {};
  Object.keys(doc.nodes).forEach((id, row) => {
    const at = (places as Record<string, unknown>)[id];
    positions[id] = isPoint(at) ? { x: at.x, y: at.y } : { x: (row % 5) * 300, y: Math.floor(row / 5) * 200 };
  });
  const list = <T>(value: unknown): T[] => (Array.isArray(value) ? (value as T[]) : []);
  const comments = list<Comment>(given.comments ?? doc.ui.comments).filter(
    (one) => isPoint(one) && typeof one.text === 'string',
  );
  const groups = list<Group>(given.groups ?? doc.ui.groups).filter(
    (one) => isRecord(one) && Array.isArray(one.nodes),
  );
  return {
    clip: {
      callweave: 'nodes',
      version: 1,
      nodes: doc.nodes,
      edges: edges
        .filter((edge) => edge.from in doc.nodes && edge.to in doc.nodes)
        .map(({ from, port, to }) => ({ from, port, to })),
      positions,
      comments,
      groups,
      variables: doc.variables.filter((one) => typeof one.name === 'string'),
    },
  };
}

/** A value in which every `nodes.<old>` is `nodes.<new>`. */
export function renamed<T>(value: T, ids: ReadonlyMap<string, string>): T {
  if (typeof value === 'string')
    return value.replace(/\bnodes\.([a-z_][a-z0-9_]*)/g, (all, id: string) => {
      const now = ids.get(id);
      return now ? `nodes.${now}` : all;
    }) as T;
  if (Array.isArray(value)) return value.map((one) => renamed(one, ids)) as T;
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, renamed(one, ids)])) as T;
  return value;
}

export interface Pasted {
  doc: FlowDoc;
  nodes: string[];
  comments: string[];
}

/** Put what was copied into a flow, its left upper corner at `at`. */
export function paste(doc: FlowDoc, clip: Clip, at: Point): Pasted {
  const ids = new Map<string, string>();
  const taken = new Set<string>();
  for (const [id, spec] of Object.entries(clip.nodes)) {
    const wanted = /^[a-z][a-z0-9_]*$/.test(id) && !(id in doc.nodes) && !taken.has(id) ? id : null;
    const now = wanted ?? freeId(doc, spec.type, taken);
    ids.set(id, now);
    taken.add(now);
  }
  const all = [...Object.values(clip.positions), ...clip.comments];
  const left = Math.min(...all.map((point) => point.x));
  const top = Math.min(...all.map((point) => point.y));
  const move = (point: Point): Point => ({
    x: Math.round(point.x - left + at.x),
    y: Math.round(point.y - top + at.y),
  });
  const nodes = { ...doc.nodes };
  const positions = { ...doc.ui.positions };
  for (const [id, spec] of Object.entries(clip.nodes)) {
    const now = ids.get(id)!;
    nodes[now] = { ...spec, config: renamed(spec.config, ids) };
    positions[now] = move(clip.positions[id] ?? { x: left, y: top });
  }
  const noteIds = new Set((doc.ui.comments ?? []).map((one) => one.id));
  const next = (taken: Set<string>, base: string) => {
    let number = 1;
    while (taken.has(`${base}${number}`)) number += 1;
    taken.add(`${base}${number}`);
    return `${base}${number}`;
  };
  const comments = clip.comments.map((one) => ({ ...one, ...move(one), id: next(noteIds, 'c') }));
  const groupIds = new Set((doc.ui.groups ?? []).map((one) => one.id));
  const groups = clip.groups.map((one) => ({
    ...one,
    id: next(groupIds, 'g'),
    nodes: one.nodes.flatMap((id) => ids.get(id) ?? []),
  }));
  const known = new Set([...doc.variables, ...doc.inputs, ...doc.outputs].map((one) => one.name));
  return {
    nodes: [...ids.values()],
    comments: comments.map((one) => one.id),
    doc: {
      ...doc,
      nodes,
      edges: [
        ...doc.edges,
        ...clip.edges.map((edge) => ({ from: ids.get(edge.from)!, port: edge.port, to: ids.get(edge.to)! })),
      ],
      variables: [...doc.variables, ...clip.variables.filter((one) => !known.has(one.name))],
      ui: {
        ...doc.ui,
        positions,
        ...(comments.length > 0 ? { comments: [...(doc.ui.comments ?? []), ...comments] } : {}),
        ...(groups.length > 0 ? { groups: [...(doc.ui.groups ?? []), ...groups] } : {}),
      },
    },
  };
}
