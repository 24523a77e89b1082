/**
 * Marks on cards and edges that are not part of the flow: where a call stands, what failed, what differs from the
 * live version, how many went this way. Each drawer keeps one layer and removes it when it closes.
 */
import { createContext, useContext, useEffect } from 'react';
import { createStore, type StoreApi, useStore } from 'zustand';

export type NodeState = 'running' | 'passed' | 'failed' | 'added' | 'removed' | 'changed' | 'dim';

export interface NodeMark {
  state?: NodeState;
  /** 0 to 1: how hot in a heat map. */
  heat?: number;
}

export interface EdgeMark {
  state?: 'passed' | 'added' | 'removed' | 'changed' | 'dim';
  /** Pixels; the usual one is 1.5. */
  width?: number;
  label?: string;
}

export interface MarkLayer {
  nodes?: Readonly<Record<string, NodeMark>>;
  /** By `from|port` (edgeId). */
  edges?: Readonly<Record<string, EdgeMark>>;
}

interface Marks {
  layers: Readonly<Record<string, MarkLayer>>;
  set(layer: string, marks: MarkLayer | null): void;
}

export type MarkStore = StoreApi<Marks>;

export function createMarks(): MarkStore {
  return createStore<Marks>()((set) => ({
    layers: {},
    set: (layer, marks) =>
      set((now) => {
        const { [layer]: _, ...others } = now.layers;
        return { layers: marks ? { ...others, [layer]: marks } : others };
      }),
  }));
}

export const MarksContext = createContext<MarkStore | null>(null);

export function useMarkStore(): MarkStore {
  const store = useContext(MarksContext);
  if (!store) throw new Error('no flow is open here');
  return store;
}

/** Keep a layer of marks while the calling component is mounted; null for none. */
export function useMarks(layer: string, marks: MarkLayer | null): void {
  const store = useMarkStore();
  useEffect(() => store.getState().set(layer, marks), [store, layer, marks]);
  useEffect(() => () => store.getState().set(layer, null), [store, layer]);
}

const LEAST: NodeMark = {};
const LEAST_EDGE: EdgeMark = {};

function last<T>(layers: readonly MarkLayer[], pick: (layer: MarkLayer) => T | undefined): T | undefined {
  for (let at = layers.length - 1; at >= 0; at -= 1) {
    const found = pick(layers[at]!);
    if (found) return found;
  }
  return undefined;
}

export function useNodeMark(node: string): NodeMark {
  return useStore(
    useMarkStore(),
    (marks) => last(Object.values(marks.layers), (layer) => layer.nodes?.[node]) ?? LEAST,
  );
}

export function useEdgeMark(edge: string): EdgeMark {
  return useStore(
    useMarkStore(),
    (marks) => last(Object.values(marks.layers), (layer) => layer.edges?.[edge]) ?? LEAST_EDGE,
  );
}
