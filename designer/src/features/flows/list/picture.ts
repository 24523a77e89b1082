/** A small picture of a flow's graph: where its boxes and lines are. */

export interface Box {
  id: string;
  x: number;
  y: number;
  family: string;
  entry: boolean;
}
export interface Line {
  from: Box;
  to: Box;
}
export interface Picture {
  boxes: Box[];
  lines: Line[];
  width: number;
  height: number;
}

const BOX = { width: 34, height: 12 };
const GAP = { x: 14, y: 14 };
export const PICTURE_BOX = BOX;

interface Graph {
  nodes: Record<string, { type: string }>;
  edges: { from: string; to: string }[];
  entry: string | null;
}

export function graphOf(document: unknown): Graph {
  const found = (document ?? {}) as Record<string, unknown>;
  const nodes: Graph['nodes'] = {};
  if (found.nodes && typeof found.nodes === 'object')
    for (const [id, node] of Object.entries(found.nodes))
      nodes[id] = { type: String((node as { type?: unknown } | null)?.type ?? '') };
  const edges = Array.isArray(found.edges)
    ? found.edges.flatMap((edge: { from?: unknown; to?: unknown } | null) =>
        typeof edge?.from === 'string' && typeof edge.to === 'string' && nodes[edge.from] && nodes[edge.to]
          ? [{ from: edge.from, to: edge.to }]
          : [],
      )
    : [];
  return { nodes, edges, entry: typeof found.entry === 'string' ? found.entry : null };
}

/** Rows by the distance from the entry; in a row the order in which they are reached. At most `most` boxes. */
export function picture(document: unknown, most = 60): Picture {
  const { nodes, edges, entry } = graphOf(document);
  const out = new Map<string, string[]>();
  for (const edge of edges) out.set(edge.from, [...(out.get(edge.from) ?? []), edge.to]);
  const row = new Map<string, number>();
  const order: string[] = [];
  const begin = [entry, ...Object.keys(nodes)].filter((id): id is string => id !== null && id in nodes);
  for (const start of begin) {
    if (row.has(start)) continue;
    if (start !== entry && edges.some((edge) => edge.to === start && row.has(edge.from))) continue;
    const lowest = start === entry ? 0 : Math.max(-1, ...row.values()) + 1;
    row.set(start, lowest);
    const queue = [start];
    while (queue.length > 0) {
      const id = queue.shift() as string;
      order.push(id);
      for (const next of out.get(id) ?? [])
        if (!row.has(next)) {
          row.set(next, (row.get(id) ?? 0) + 1);
          queue.push(next);
        }
    }
  }
  const kept = order.slice(0, most);
  const rows = new Map<number, string[]>();
  for (const id of kept) rows.set(row.get(id) ?? 0, [...(rows.get(row.get(id) ?? 0) ?? []), id]);
  const widest = Math.max(1, ...[...rows.values()].map((ids) => ids.length));
  const width = widest * (BOX.width + GAP.x) - GAP.x;
  const boxes = new Map<string, Box>();
  const numbers = [...rows.keys()].sort((one, two) => one - two);
  numbers.forEach((number, place) => {
    const ids = rows.get(number) ?? [];
    const wide = ids.length * (BOX.width + GAP.x) - GAP.x;
    ids.forEach((id, index) => {
      boxes.set(id, {
        id,
        x: (width - wide) / 2 + index * (BOX.width + GAP.x),
        y: place * (BOX.height + GAP.y),
        family: (nodes[id]?.type ?? '').split('.')[0] ?? '',
        entry: id === entry,
      });
    });
  });
  const lines = edges.flatMap((edge) => {
    const from = boxes.get(edge.from);
    const to = boxes.get(edge.to);
    return from && to && from !== to ? [{ from, to }] : [];
  });
  return {
    boxes: [...boxes.values()],
    lines,
    width,
    height: Math.max(1, numbers.length) * (BOX.height + GAP.y) - GAP.y,
  };
}
