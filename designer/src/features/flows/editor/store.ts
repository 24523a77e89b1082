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
import type { FlowDoc } from './model';

const DEPTH = 500;
const MERGE_MS = 1200;

export interface Step {
  label: Text;
  doc: FlowDoc;
  merge?: string;
  at: number;
}

export type Drawer = 'problems' | 'simulator' | 'versions' | 'runs' | 'find' | 'settings' | null;

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
  apply(label: Text, change: (doc: FlowDoc) => FlowDoc, options?: { merge?: string }): void;
  /** Take a document from the server as it is, without a step of history. */
  load(doc: FlowDoc): void;
  undo(): void;
  redo(): void;
  select(selection: Partial<Selection>): void;
  open(drawer: Drawer): void;
  focus(node: string, field?: string | null): void;
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
    apply: (label, change, options) =>
      set((now) => {
        if (now.readOnly) return now;
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
        if (!step || now.readOnly) return now;
        return {
          doc: step.doc,
          past: now.past.slice(0, -1),
          future: [{ ...step, doc: now.doc }, ...now.future],
          selection: still(now.selection, step.doc),
        };
      }),
    redo: () =>
      set((now) => {
        const step = now.future[0];
        if (!step || now.readOnly) return now;
        return {
          doc: step.doc,
          past: [...now.past, { ...step, doc: now.doc, merge: undefined }],
          future: now.future.slice(1),
          selection: still(now.selection, step.doc),
        };
      }),
    select: (selection) => set({ selection: { ...NOTHING, ...selection }, focusField: null }),
    open: (drawer) => set((now) => ({ drawer: now.drawer === drawer ? null : drawer })),
    focus: (node, field = null) =>
      set({ selection: { ...NOTHING, nodes: new Set([node]) }, focusField: field ?? null }),
  }));
}

/** The part of a selection that still exists. */
function still(selection: Selection, doc: FlowDoc): Selection {
  const edges = new Set(doc.edges.map((edge) => edgeId(edge.from, edge.port)));
  const comments = new Set((doc.ui.comments ?? []).map((one) => one.id));
  return {
    nodes: new Set([...selection.nodes].filter((id) => id in doc.nodes)),
    edges: new Set([...selection.edges].filter((id) => edges.has(id))),
    comments: new Set([...selection.comments].filter((id) => comments.has(id))),
  };
}

export function edgeId(from: string, port: string): string {
  return `${from}|${port}`;
}

export const EditorContext = createContext<EditorStore | null>(null);

export function useEditorStore(): EditorStore {
  const store = useContext(EditorContext);
  if (!store) throw new Error('no flow is open here');
  return store;
}

export function useEditor<T>(pick: (state: EditorState) => T): T {
  return useStore(useEditorStore(), pick);
}
