/** What the person can do to the flow, each one step of the history with a name. */
import { useReactFlow } from '@xyflow/react';
import { useMemo } from 'react';
import { type Language, type Text, useLanguage } from '@/i18n';
import { type Catalogue, useCatalogue } from './catalogue';
import { type Clip, copyOf, paste } from './clipboard';
import { fullShape } from './derive';
import { addGroup, addNote, type Colour, changeGroup, changeNote, dropGroup, NOTE, noteId } from './frames';
import { EVENT, GRID, type Size, sizeOf, WIDTH } from './geometry';
import { type Alignment, align, type Box, distribute } from './layout/align';
import { arrange } from './layout/arrange';
import { place as placeAll } from './layout/elk';
import {
  addNode,
  type Comment,
  type EdgeSpec,
  edgeKey,
  type FlowDoc,
  freeId,
  moveNodes,
  type Point,
  positionOf,
  removeNodes,
} from './model';
import { nodeName } from './nodeName';
import { FOOT, shapeOf } from './shapes';
import { docOf, type EditorStore, useEditorStore } from './store';
import { follow, type Way } from './walk';
import { addKey, cutWire, isEvent, keyEvent, removeEvents, START, setWire, targetOf, wiresOf } from './wires';

export const snapped = (value: number): number => Math.round(value / GRID) * GRID;

const GAP = 24;

/** A place near the wanted one where nothing stands: below what is in the way. */
export function freePlace(
  doc: FlowDoc,
  wanted: Point,
  catalogue: Catalogue,
  size: Size = { width: WIDTH, height: 108 },
): Point {
  const boxes: Box[] = [
    ...Object.keys(doc.nodes).map((id) => ({
      ...positionOf(doc, id),
      ...sizeOf(shapeOf(doc.nodes[id]!, catalogue.types.get(doc.nodes[id]!.type), id)),
    })),
    ...(doc.ui.comments ?? []).map((note) => ({ width: NOTE.width, height: NOTE.height, ...note })),
  ];
  const at = { x: snapped(wanted.x), y: snapped(wanted.y) };
  for (let tries = 0; tries < 200; tries += 1) {
    const hit = boxes.find(
      (box) =>
        at.x < box.x + box.width + GAP &&
        at.x + size.width + GAP > box.x &&
        at.y < box.y + box.height + GAP &&
        at.y + size.height + GAP > box.y,
    );
    if (!hit) break;
    at.y = snapped(hit.y + hit.height + GAP + GRID / 2);
  }
  return at;
}

/** The first way out of a new node: what follows it is led from there. */
function firstPort(type: string, config: Record<string, unknown>, catalogue: Catalogue): string | null {
  const shape = shapeOf({ type, config }, catalogue.types.get(type));
  return shape.ports.find((port) => !FOOT.has(port.name))?.name ?? null;
}

/** New places of nodes and notes. */
export function moved(doc: FlowDoc, places: Record<string, Point>): FlowDoc {
  const notes = new Map((doc.ui.comments ?? []).map((note) => [noteId(note.id), note]));
  const nodes = Object.fromEntries(Object.entries(places).filter(([id]) => !notes.has(id)));
  const next = Object.keys(nodes).length > 0 ? moveNodes(doc, nodes) : doc;
  if (Object.keys(places).length === Object.keys(nodes).length) return next;
  const comments = (next.ui.comments ?? []).map((note) => ({ ...note, ...places[noteId(note.id)] }));
  return { ...next, ui: { ...next.ui, comments } };
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

/**
 * Put a node that is there already into an edge. One that something leads to stays where it is, unless it is `pulled`
 * out of there: what led to it then leads on to what followed it. Null when it cannot go in there.
 */
export function splice(
  doc: FlowDoc,
  id: string,
  into: EdgeSpec,
  catalogue: Catalogue,
  pulled = false,
): FlowDoc | null {
  if (!doc.nodes[id] || into.from === id || into.to === id) return null;
  const ways = fullShape(doc, id, catalogue)
    .ports.map((port) => port.name)
    .filter((name) => !FOOT.has(name));
  const leading = wiresOf(doc).filter((wire) => wire.to === id);
  let next = doc;
  if (pulled) {
    const left = ways.find((port) => targetOf(doc, id, port) !== null);
    const on = left === undefined ? null : targetOf(doc, id, left);
    for (const wire of leading)
      next =
        on === null || on === id || on === wire.from
          ? cutWire(next, wire.from, wire.port)
          : setWire(next, { ...wire, to: on });
    if (left !== undefined) next = cutWire(next, id, left);
  } else if (leading.length > 0) return null;
  const open = ways.find((port) => targetOf(next, id, port) === null);
  if (open === undefined && ways.length > 0) return null;
  next = setWire(next, { ...into, to: id });
  return open === undefined ? next : setWire(next, { from: id, port: open, to: into.to });
}

export function createActions(
  store: EditorStore,
  catalogue: Catalogue,
  language: Language,
  view: { middle(): Point; reveal(ids: string[]): void; all(): void },
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
    return freePlace(doc, { x: at.x + WIDTH + 96, y: at.y + row * 40 }, catalogue);
  }

  function sizeOfNode(id: string): Size {
    const doc = docOf(state());
    return doc.nodes[id] ? sizeOf(fullShape(doc, id, catalogue)) : EVENT;
  }

  function boxes(): Record<string, Box> {
    const { selection, doc } = state();
    return Object.fromEntries(
      [...selection.nodes].map((id) => [id, { ...positionOf(doc, id), ...sizeOfNode(id) }]),
    );
  }

  /** Where the left upper corner goes so that what was copied stands in the middle of what is seen. */
  function beside(clip: Clip): Point {
    const all = [...Object.values(clip.positions), ...clip.comments];
    const middle = view.middle();
    const x = all.map((point) => point.x);
    const y = all.map((point) => point.y);
    return freePlace(
      state().doc,
      {
        x: middle.x - (Math.max(...x) - Math.min(...x)) / 2,
        y: middle.y - (Math.max(...y) - Math.min(...y)) / 2,
      },
      catalogue,
      { width: Math.max(...x) - Math.min(...x) + WIDTH, height: Math.max(...y) - Math.min(...y) + 108 },
    );
  }

  /** The node from which one came along an edge. */
  let came: string | null = null;

  return {
    place,
    openPort,
    behind,
    freePlace: (at: Point): Point => freePlace(state().doc, at, catalogue),
    middle: (): Point => freePlace(state().doc, view.middle(), catalogue),
    /** Add after what is selected, or in the middle of what is seen. */
    addType(type: string): string | null {
      if (state().readOnly || state().shown) return null;
      const doc = state().doc;
      const [node] = state().selection.nodes;
      const port = state().selection.nodes.size === 1 && node ? openPort(doc, node) : null;
      if (node && port) return place({ type, at: behind(doc, node, port), from: { node, port } });
      return place({ type, at: freePlace(doc, view.middle(), catalogue) });
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
        (doc) => moved(doc, places),
      );
    },
    /** Put a node that was dragged onto an edge into it. */
    splice(id: string, into: EdgeSpec, places: Record<string, Point>, pulled: boolean): void {
      const name = nodeName(state().doc, id, catalogue);
      state().apply({ zh: `把“${name.zh}”放入连线`, en: `Put “${name.en}” into the edge` }, (doc) => {
        const placed = moved(doc, places);
        return splice(placed, id, into, catalogue, pulled) ?? placed;
      });
    },
    nudge(x: number, y: number): void {
      const { selection, doc } = state();
      const places: Record<string, Point> = {};
      for (const id of selection.nodes) {
        const at = positionOf(doc, id);
        places[id] = { x: at.x + x, y: at.y + y };
      }
      for (const note of doc.ui.comments ?? [])
        if (selection.comments.has(note.id)) places[noteId(note.id)] = { x: note.x + x, y: note.y + y };
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
    sizeOfNode,
    /** What is selected as it would be copied; null when that is nothing. */
    clip(): Clip | null {
      return copyOf(docOf(state()), state().selection);
    },
    /** Paste at a point, or beside the originals, or in the middle of what is seen. */
    paste(clip: Clip, at: Point | null, label: Text = { zh: '粘贴', en: 'Paste' }): void {
      if (state().readOnly || state().shown) return;
      const pasted = paste(state().doc, clip, at ?? beside(clip));
      state().apply(label, () => pasted.doc);
      state().select({ nodes: new Set(pasted.nodes), comments: new Set(pasted.comments) });
      view.reveal(pasted.nodes);
    },
    duplicate(): void {
      const clip = copyOf(state().doc, state().selection);
      if (!clip) return;
      const all = [...Object.values(clip.positions), ...clip.comments];
      const x = Math.min(...all.map((point) => point.x)) + 32;
      const y = Math.min(...all.map((point) => point.y)) + 32;
      this.paste(clip, { x, y }, { zh: '复制一份', en: 'Duplicate' });
    },
    align(how: Alignment): void {
      state().apply({ zh: '对齐', en: 'Align' }, (doc) => moveNodes(doc, align(boxes(), how)));
    },
    distribute(along: 'x' | 'y'): void {
      state().apply({ zh: '均匀分布', en: 'Distribute' }, (doc) =>
        moveNodes(doc, distribute(boxes(), along)),
      );
    },
    group(name: string): void {
      const { selection, doc } = state();
      const nodes = [...selection.nodes].filter((id) => id in doc.nodes);
      if (nodes.length === 0) return;
      state().apply({ zh: '编组', en: 'Group' }, (now) => addGroup(now, nodes, name).doc);
    },
    ungroup(id: string): void {
      state().apply({ zh: '取消编组', en: 'Ungroup' }, (doc) => dropGroup(doc, id));
    },
    renameGroup(id: string, name: string): void {
      state().apply({ zh: '修改组名', en: 'Rename a group' }, (doc) => changeGroup(doc, id, { name }));
    },
    colourGroup(id: string, colour: Colour): void {
      state().apply({ zh: '修改分组颜色', en: 'Colour a group' }, (doc) => changeGroup(doc, id, { colour }));
    },
    addNote(at?: Point): string {
      const made = addNote(state().doc, at ?? freePlace(state().doc, view.middle(), catalogue));
      state().apply({ zh: '添加便签', en: 'Add a note' }, () => made.doc);
      state().select({ comments: new Set([made.id]) });
      return made.id;
    },
    changeNote(id: string, change: Partial<Comment>, merge?: string): void {
      state().apply(
        { zh: '修改便签', en: 'Change a note' },
        (doc) => changeNote(doc, id, change),
        merge ? { merge } : undefined,
      );
    },
    addKey(key: string, at?: Point): void {
      state().apply({ zh: `添加按键 ${key}`, en: `Add key ${key}` }, (doc) =>
        addKey(doc, key, at ?? freePlace(doc, view.middle(), catalogue)),
      );
      state().select({ nodes: new Set([keyEvent(key)]) });
    },
    /** Arrange all, or what is selected when that is more than one node. */
    async arrange(): Promise<void> {
      const { doc, selection, readOnly, shown } = state();
      if (readOnly || shown) return;
      const part = selection.nodes.size > 1 ? selection.nodes : undefined;
      const arranged = await arrange(doc, catalogue, part).catch(() => null);
      if (!arranged) {
        state().tell({
          zh: '暂时无法自动整理，请检查连接后重试。',
          en: 'This could not be arranged now. Look at the connection and try again.',
        });
        return;
      }
      if (state().doc !== doc) return;
      state().apply({ zh: '自动整理', en: 'Arrange' }, (now) => placeAll(now, arranged));
      if (!part) view.all();
    },
    /** Go along an edge. */
    follow(way: Way): void {
      const { selection } = state();
      const doc = docOf(state());
      const [here] = selection.nodes;
      if (!here) {
        state().select({ nodes: new Set([START]) });
        view.reveal([START]);
        return;
      }
      const ports = (id: string) =>
        doc.nodes[id] ? fullShape(doc, id, catalogue).ports.map((port) => port.name) : [];
      const next = follow(doc, here, way, came, ports);
      if (!next) return;
      came = way === 'right' ? here : way === 'left' ? null : came;
      state().select({ nodes: new Set([next]) });
      view.reveal([next]);
    },
    /** Where a node goes that is put into an edge. */
    onEdge(edge: string): Point {
      const doc = docOf(state());
      const wire = wiresOf(doc).find((one) => edgeKey(one.from, one.port) === edge);
      if (!wire) return view.middle();
      const from = positionOf(doc, wire.from);
      const to = positionOf(doc, wire.to);
      return freePlace(doc, { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 + 48 }, catalogue);
    },
    reveal: (ids: string[]) => view.reveal(ids),
    fit: () => view.all(),
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
      all(): void {
        requestAnimationFrame(() => void flow.fitView({ padding: 0.1, maxZoom: 1 }));
      },
      reveal(ids: string[]): void {
        const doc = docOf(store.getState());
        const boxes = ids.map((id): Box => {
          const spec = doc.nodes[id];
          const size = spec ? sizeOf(shapeOf(spec, catalogue.types.get(spec.type), id)) : EVENT;
          return { ...positionOf(doc, id), ...size };
        });
        if (boxes.length === 0) return;
        const left = Math.min(...boxes.map((box) => box.x));
        const top = Math.min(...boxes.map((box) => box.y));
        const right = Math.max(...boxes.map((box) => box.x + box.width));
        const bottom = Math.max(...boxes.map((box) => box.y + box.height));
        const { width, height } = pane();
        const { x, y, zoom } = flow.getViewport();
        const seen =
          left * zoom + x >= 8 &&
          top * zoom + y >= 8 &&
          right * zoom + x <= width - 8 &&
          bottom * zoom + y <= height - 8;
        if (seen) return;
        const fits = (right - left) * zoom < width - 80 && (bottom - top) * zoom < height - 80;
        if (fits && zoom >= 0.55)
          void flow.setCenter((left + right) / 2, (top + bottom) / 2, { zoom, duration: 0 });
        else
          void flow.fitBounds(
            { x: left, y: top, width: right - left, height: bottom - top },
            { padding: 0.15, duration: 0 },
          );
        const now = flow.getViewport().zoom;
        if (now > 1 && zoom <= 1) void flow.zoomTo(1, { duration: 0 });
      },
    };
    return createActions(store, catalogue, language, view);
  }, [store, catalogue, language, flow]);
}
