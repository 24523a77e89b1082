/** Arranges a flow, or a part of it, in a worker. */
import type { Catalogue } from '../catalogue';
import type { FlowDoc } from '../model';
import { eventsOf } from '../wires';
import { type Arranged, cornerOf, type ElkGraph, fromElk, toElk } from './elk';

interface Elk {
  layout(graph: unknown): Promise<unknown>;
}

let engine: Promise<Elk> | null = null;

function start(): Promise<Elk> {
  engine ??= Promise.all([import('elkjs/lib/elk-api.js'), import('elkjs/lib/elk-worker.min.js?url')]).then(
    ([api, worker]) => new api.default({ workerUrl: worker.default }) as Elk,
  );
  engine.catch(() => {
    engine = null;
  });
  return engine;
}

/** `ids` are nodes and pills; none means all. */
export async function arrange(
  doc: FlowDoc,
  catalogue: Catalogue,
  ids?: ReadonlySet<string>,
): Promise<Arranged> {
  const wanted = ids ?? new Set([...Object.keys(doc.nodes), ...eventsOf(doc)]);
  const graph = toElk(doc, wanted, catalogue);
  if (graph.children.length === 0) return { places: {}, routes: {} };
  const elk = await start();
  const done = (await elk.layout(graph)) as ElkGraph;
  return fromElk(done, ids ? cornerOf(doc, wanted) : { x: 0, y: 0 });
}

/** Whether a document came without places for most of its nodes (written by hand, or imported). */
export function unplaced(doc: FlowDoc): boolean {
  const ids = Object.keys(doc.nodes);
  return ids.length > 1 && ids.filter((id) => doc.ui.positions?.[id]).length < ids.length / 2;
}
