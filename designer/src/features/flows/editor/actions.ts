/** What the person can do to the flow, each one step of the history with a name. */
import { useReactFlow } from '@xyflow/react';
import { useMemo } from 'react';
import { type Language, useLanguage } from '@/i18n';
import { type Catalogue, useCatalogue } from './catalogue';
import { fullShape } from './derive';
import { GRID, sizeOf, WIDTH } from './geometry';
import {
  addNode,
  type EdgeSpec,
  type FlowDoc,
  freeId,
  moveNodes,
  type Point,
  positionOf,
  removeNodes,
} from './model';
import { FOOT, shapeOf } from './shapes';
import { docOf, type EditorStore, useEditorStore } from './store';
import { cutWire, isEvent, removeEvents, setWire, targetOf } from './wires';

export const snapped = (value: number): number => Math.round(value / GRID) * GRID;

/** A place near the wanted one where no card stands. */
export function freePlace(doc: FlowDoc, wanted: Point): Point {
  const at = { x: snapped(wanted.x), y: snapped(wanted.y) };
  const taken = (point: Point) =>
    Object.keys(doc.nodes).some((id) => {
      const other = positionOf(doc, id);
      return Math.abs(other.x - point.x) < WIDTH - 8 && Math.abs(other.y - point.y) < 72;
    });
  for (let tries = 0; tries < 200 && taken(at); tries += 1) at.y += 88;
  return at;
}

/** The first way out of a new node: what follows it is led from there. */
function firstPort(type: string, config: Record<string, unknown>, catalogue: Catalogue): string | null {
  const shape = shapeOf({ type, config }, catalogue.types.get(type));
  return shape.ports.find((port) => !FOOT.has(port.name))?.name ?? null;
}

export interface Insertion {
  type: string;
  at: Point;
  from?: { node: string; port: string };
  into?: EdgeSpec;
}

/** Add a node of a type, lead a port to it, or put it into an edge. */
export function insert(
  doc: FlowDoc,
  wanted: Insertion,
  catalogue: Catalogue,
  language: Language,
): { doc: FlowDoc; id: string } {
  const info = catalogue.types.get(wanted.type);
  const id = freeId(doc, wanted.type);
  const config = structuredClone(info?.example ?? {});
  let next = addNode(doc, id, {
    type: wanted.type,
    typeVersion: info?.version ?? 1,
    name: info?.title[language] ?? '',
    config,
    at: wanted.at,
  });
  const { from, into } = wanted;
  if (from) next = setWire(next, { from: from.node, port: from.port, to: id });
  if (into) {
    next = setWire(next, { from: into.from, port: into.port, to: id });
    const port = firstPort(wanted.type, config, catalogue);
    if (port) next = setWire(next, { from: id, port, to: into.to });
  }
  return { doc: next, id };
}

export function createActions(
  store: EditorStore,
  catalogue: Catalogue,
  language: Language,
  view: { middle(): Point; reveal(ids: string[]): void },
) {
  const state = () => store.getState();
  const titleOf = (type: string) => catalogue.types.get(type)?.title ?? { zh: type, en: type };

  function place(wanted: Insertion): string {
    const title = titleOf(wanted.type);
    const made = insert(state().doc, wanted, catalogue, language);
    state().apply({ zh: `添加“${title.zh}”`, en: `Add ${title.en}` }, () => made.doc);
    state().select({ nodes: new Set([made.id]) });
    view.reveal([made.id]);
    return made.id;
  }

  /** The first open way out of a node. */
  function openPort(doc: FlowDoc, node: string): string | null {
    if (isEvent(node)) return targetOf(doc, node, 'out') === null ? 'out' : null;
    if (!doc.nodes[node]) return null;
    const shape = fullShape(doc, node, catalogue);
    const open = shape.ports.find((port) => !FOOT.has(port.name) && targetOf(doc, node, port.name) === null);
    return open?.name ?? null;
  }

  function behind(doc: FlowDoc, node: string, port: string): Point {
    const at = positionOf(doc, node);
    const shape = doc.nodes[node] ? fullShape(doc, node, catalogue) : null;
    const row = shape
      ? Math.max(
          0,
          shape.ports.findIndex((one) => one.name === port),
        )
      : 0;
    return freePlace(doc, { x: at.x + WIDTH + 96, y: at.y + row * 88 });
  }

  return {
    place,
    openPort,
    behind,
    middle: (): Point => freePlace(state().doc, view.middle()),
    /** Add after what is selected, or in the middle of what is seen. */
    addType(type: string): string | null {
      if (state().readOnly || state().shown) return null;
      const doc = state().doc;
      const [node] = state().selection.nodes;
      const port = state().selection.nodes.size === 1 && node ? openPort(doc, node) : null;
      if (node && port) return place({ type, at: behind(doc, node, port), from: { node, port } });
      return place({ type, at: freePlace(doc, view.middle()) });
    },
    wire(edge: EdgeSpec): void {
      state().apply({ zh: '连接', en: 'Connect' }, (doc) =>
        targetOf(doc, edge.from, edge.port) === edge.to ? doc : setWire(doc, edge),
      );
    },
    cut(from: string, port: string): void {
      state().apply({ zh: '断开连接', en: 'Disconnect' }, (doc) => cutWire(doc, from, port));
    },
    move(places: Record<string, Point>): void {
      const count = Object.keys(places).length;
      if (count === 0) return;
      state().apply(
        {
          zh: count > 1 ? `移动 ${count} 个节点` : '移动节点',
          en: count > 1 ? `Move ${count} nodes` : 'Move a node',
        },
        (doc) => moveNodes(doc, places),
      );
    },
    nudge(x: number, y: number): void {
      const { selection, doc } = state();
      const places: Record<string, Point> = {};
      for (const id of selection.nodes) {
        const at = positionOf(doc, id);
        places[id] = { x: at.x + x, y: at.y + y };
      }
      if (Object.keys(places).length === 0) return;
      state().apply({ zh: '移动节点', en: 'Move nodes' }, (now) => moveNodes(now, places), {
        merge: 'nudge',
      });
    },
    removeSelected(): void {
      const { selection } = state();
      const count = selection.nodes.size + selection.comments.size;
      const label =
        count > 0
          ? {
              zh: count > 1 ? `删除 ${count} 项` : '删除节点',
              en: count > 1 ? `Delete ${count} items` : 'Delete a node',
            }
          : { zh: '断开连接', en: 'Disconnect' };
      state().apply(label, (doc) => {
        let next = removeNodes(
          doc,
          [...selection.nodes].filter((id) => id in doc.nodes),
        );
        next = removeEvents(next, selection.nodes);
        for (const id of selection.edges) {
          const at = id.lastIndexOf('|');
          next = cutWire(next, id.slice(0, at), id.slice(at + 1));
        }
        if (selection.comments.size > 0)
          next = {
            ...next,
            ui: {
              ...next.ui,
              comments: (next.ui.comments ?? []).filter((one) => !selection.comments.has(one.id)),
            },
          };
        return next;
      });
      state().select({});
    },
    selectAll(): void {
      const doc = docOf(state());
      state().select({
        nodes: new Set(Object.keys(doc.nodes)),
        comments: new Set((doc.ui.comments ?? []).map((one) => one.id)),
      });
    },
    centreOf(id: string): Point {
      const doc = docOf(state());
      const at = positionOf(doc, id);
      const size = doc.nodes[id] ? sizeOf(fullShape(doc, id, catalogue)) : { width: 176, height: 40 };
      return { x: at.x + size.width / 2, y: at.y + size.height / 2 };
    },
  };
}

export type Actions = ReturnType<typeof createActions>;

export function useActions(): Actions {
  const store = useEditorStore();
  const catalogue = useCatalogue();
  const language = useLanguage();
  const flow = useReactFlow();
  return useMemo(() => {
    const pane = () =>
      document.querySelector('.cw-ed-canvas')?.getBoundingClientRect() ?? new DOMRect(0, 0, 800, 600);
    const view = {
      middle(): Point {
        const { x, y, width, height } = pane();
        const at = flow.screenToFlowPosition({ x: x + width / 2, y: y + height / 2 });
        return { x: at.x - WIDTH / 2, y: at.y - 48 };
      },
      reveal(ids: string[]): void {
        const doc = docOf(store.getState());
        const { width, height } = pane();
        const { x, y, zoom } = flow.getViewport();
        const hidden = ids.some((id) => {
          const at = positionOf(doc, id);
          const left = at.x * zoom + x;
          const top = at.y * zoom + y;
          return left < 8 || top < 8 || left + WIDTH * zoom > width - 8 || top + 96 * zoom > height - 8;
        });
        const [first] = ids;
        if (!hidden || !first) return;
        const at = positionOf(doc, first);
        void flow.setCenter(at.x + WIDTH / 2, at.y + 56, { zoom: Math.max(zoom, 0.6), duration: 0 });
      },
    };
    return createActions(store, catalogue, language, view);
  }, [store, catalogue, language, flow]);
}
