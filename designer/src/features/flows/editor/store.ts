/**
 * The state of one open flow: the document, what is selected, and the history.
 *
 * Every change of the document is `apply(label, change)` with a pure change, so undo and redo cover each operation.
 * Changes that follow one another with the same `merge` key (typing, dragging) are one step of the history.
 * The view (React Flow) reads from here and never holds the truth.
 */
import { createContext, useContext } from 'react';
import { createStore, type StoreApi, useStore } from 'zustand';
import type { Text } from '@/i18n';
import type { Menu } from './menu';
import { edgeKey, type FlowDoc, type Point } from './model';
import { eventsOf, wiresOf } from './wires';

const DEPTH = 500;
const PANEL = 'callweave.editor.panelShown';
const MERGE_MS = 1200;
/** So long the canvas may take to draw a selection that it was told. */
const SETTLING_MS = 600;

export interface Step {
  label: Text;
  doc: FlowDoc;
  merge?: string;
  at: number;
}

/** The id of a drawer of `slots.ts`. */
export type Drawer = string | null;

/** How far the draft is on its way to the server. */
export type Save =
  | { state: 'saved'; at: string | null; by: string | null }
  | { state: 'waiting' }
  | { state: 'saving' }
  /** The server cannot be reached; the work is kept in this browser. */
  | { state: 'kept' }
  /** The server refused the draft; the work is kept in this browser. */
  | { state: 'refused'; why: Text }
  /** Somebody saved a newer draft: see `theirs` in sync.ts. */
  | { state: 'conflict' };

export interface Problem {
  code: string;
  severity: string;
  node: string | null;
  field: string | null;
  message: Text;
}

/** Where the picker of nodes stands, and what the picked node is connected to. */
export interface Picking {
  /** On the screen, in pixels. */
  at: { x: number; y: number };
  /** On the canvas: where a new node goes. */
  place: Point;
  /** The port that leads to what is picked. */
  from?: { node: string; port: string };
  /** The edge into which what is picked goes. */
  into?: string;
  /** First ask which port of this node. */
  choosePort?: string;
}

export type Dialog = 'keys' | 'subflow' | 'conflict' | null;

export interface Selection {
  nodes: ReadonlySet<string>;
  /** `from|port` of edges. */
  edges: ReadonlySet<string>;
  comments: ReadonlySet<string>;
}

export const NOTHING: Selection = { nodes: new Set(), edges: new Set(), comments: new Set() };

export interface EditorState {
  key: string;
  /** The person may not change this flow (rights, or an old version is shown). */
  readOnly: boolean;
  doc: FlowDoc;
  past: Step[];
  future: Step[];
  selection: Selection;
  drawer: Drawer;
  /** A field of the selected node that should be shown and focused (from the list of problems). */
  focusField: string | null;
  /** When that was asked. */
  focusedAt: number;
  /** Another state of the flow that is shown in its place (a version, a comparison); nothing can be changed then. */
  shown: FlowDoc | null;
  /** The revision of the draft on the server that `doc` is based on. */
  revision: number;
  save: Save;
  /** What the server found wrong when the draft was saved last. */
  problems: Problem[];
  picking: Picking | null;
  /** The context menu. */
  menu: Menu | null;
  dialog: Dialog;
  /** The find bar is open. */
  finding: boolean;
  /** The right side is open, and what it shows when a drawer is open there too. */
  panel: boolean;
  front: 'panel' | 'drawer';
  /** What was undone or done again just now. */
  notice: { kind: 'undone' | 'redone' | 'told'; label: Text; at: number } | null;
  apply(label: Text, change: (doc: FlowDoc) => FlowDoc, options?: { merge?: string }): void;
  /** Take a document from the server as it is, without a step of history. */
  load(doc: FlowDoc): void;
  undo(): void;
  redo(): void;
  select(selection: Partial<Selection>): void;
  open(drawer: Drawer): void;
  focus(node: string, field?: string | null): void;
  show(doc: FlowDoc | null): void;
  pick(picking: Picking | null): void;
  showMenu(menu: Menu | null): void;
  ask(dialog: Dialog): void;
  find(open: boolean): void;
  /** Say something short at the foot of the canvas. */
  tell(label: Text): void;
  showPanel(shown: boolean): void;
}

export type EditorStore = StoreApi<EditorState>;

export function createEditor(key: string, doc: FlowDoc, readOnly: boolean): EditorStore {
  return createStore<EditorState>()((set) => ({
    key,
    readOnly,
    doc,
    past: [],
    future: [],
    selection: NOTHING,
    drawer: null,
    focusField: null,
    focusedAt: 0,
    shown: null,
    revision: 0,
    save: { state: 'saved', at: null, by: null },
    problems: [],
    picking: null,
    menu: null,
    dialog: null,
    finding: false,
    panel: localStorage.getItem(PANEL) !== 'no',
    front: 'drawer',
    notice: null,
    apply: (label, change, options) =>
      set((now) => {
        if (now.readOnly || now.shown) return now;
        const next = change(now.doc);
        if (next === now.doc) return now;
        const last = now.past.at(-1);
        const at = Date.now();
        const merges =
          options?.merge !== undefined &&
          last?.merge === options.merge &&
          at - last.at < MERGE_MS &&
          now.future.length === 0;
        const past = merges
          ? [...now.past.slice(0, -1), { ...last, at }]
          : [...now.past.slice(-DEPTH + 1), { label, doc: now.doc, merge: options?.merge, at }];
        return { doc: next, past, future: [] };
      }),
    load: (loaded) => set({ doc: loaded }),
    undo: () =>
      set((now) => {
        const step = now.past.at(-1);
        if (!step || now.readOnly || now.shown) return now;
        return {
          doc: step.doc,
          past: now.past.slice(0, -1),
          future: [{ ...step, doc: now.doc }, ...now.future],
          notice: { kind: 'undone', label: step.label, at: Date.now() },
          selection: still(now.selection, step.doc),
        };
      }),
    redo: () =>
      set((now) => {
        const step = now.future[0];
        if (!step || now.readOnly || now.shown) return now;
        return {
          doc: step.doc,
          past: [...now.past, { ...step, doc: now.doc, merge: undefined }],
          future: now.future.slice(1),
          notice: { kind: 'redone', label: step.label, at: Date.now() },
          selection: still(now.selection, step.doc),
        };
      }),
    select: (selection) =>
      set((now) => {
        const next = { ...NOTHING, ...selection };
        // The canvas tells in steps what it was told: that keeps the field that was asked for.
        const told = alike(now.selection, next) || Date.now() - now.focusedAt < SETTLING_MS;
        return { selection: next, focusField: told ? now.focusField : null };
      }),
    open: (drawer) => set((now) => ({ drawer: now.drawer === drawer ? null : drawer, front: 'drawer' })),
    focus: (node, field = null) =>
      set({
        selection: { ...NOTHING, nodes: new Set([node]) },
        focusField: field ?? null,
        focusedAt: Date.now(),
      }),
    show: (shown) =>
      set((now) => ({ shown, picking: null, selection: still(now.selection, shown ?? now.doc) })),
    pick: (picking) => set((now) => (now.readOnly || now.shown ? now : { picking })),
    showMenu: (menu) => set({ menu }),
    ask: (dialog) => set({ dialog }),
    find: (finding) => set({ finding }),
    tell: (label) => set({ notice: { kind: 'told', label, at: Date.now() } }),
    showPanel: (panel) => {
      localStorage.setItem(PANEL, panel ? 'yes' : 'no');
      set({ panel, front: 'panel' });
    },
  }));
}

function alike(one: Selection, other: Selection): boolean {
  return (['nodes', 'edges', 'comments'] as const).every(
    (kind) => one[kind].size === other[kind].size && [...one[kind]].every((id) => other[kind].has(id)),
  );
}

/** The part of a selection that still exists. */
function still(selection: Selection, doc: FlowDoc): Selection {
  const edges = new Set(wiresOf(doc).map((edge) => edgeId(edge.from, edge.port)));
  const events = new Set(eventsOf(doc));
  const comments = new Set((doc.ui.comments ?? []).map((one) => one.id));
  return {
    nodes: new Set([...selection.nodes].filter((id) => id in doc.nodes || events.has(id))),
    edges: new Set([...selection.edges].filter((id) => edges.has(id))),
    comments: new Set([...selection.comments].filter((id) => comments.has(id))),
  };
}

/** The document on the canvas: the draft, or what is shown in its place. */
export function docOf(state: EditorState): FlowDoc {
  return state.shown ?? state.doc;
}

/** Whether nothing can be changed now. */
export function fixed(state: EditorState): boolean {
  return state.readOnly || state.shown !== null;
}

export const edgeId = edgeKey;

export const EditorContext = createContext<EditorStore | null>(null);

export function useEditorStore(): EditorStore {
  const store = useContext(EditorContext);
  if (!store) throw new Error('no flow is open here');
  return store;
}

export function useEditor<T>(pick: (state: EditorState) => T): T {
  return useStore(useEditorStore(), pick);
}
