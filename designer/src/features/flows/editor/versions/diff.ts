/** The comparison that the canvas draws: what came, went and changed between two states of the flow. */
import { createStore, useStore } from 'zustand';
import { graphql } from '@/gql';
import type { FlowDifferenceQuery } from '@/gql/graphql';
import type { EdgeSpec, FlowDoc, NodeSpec, Point } from '../model';

export const DIFFERENCE = graphql(`
  query FlowDifference($key: String!, $old: String!, $new: String!) {
    flowDiff(key: $key, old: $old, new: $new) {
      nodes { node kind type name renamed fields { field title { zh en } kind old new } }
      wires { node port old new }
      flow { field title { zh en } kind old new }
    }
  }
`);

export type Difference = FlowDifferenceQuery['flowDiff'];
export type NodeMark = 'added' | 'removed' | 'changed';

/** A node that is not there any more, where it stood. */
export interface Ghost {
  id: string;
  node: NodeSpec;
  at: Point;
}

export interface Marks {
  nodes: ReadonlyMap<string, NodeMark>;
  /** `node|port` of wires that lead elsewhere than before. */
  wires: ReadonlySet<string>;
  ghosts: readonly Ghost[];
  /** Wires of the old state that are gone. */
  ghostEdges: readonly EdgeSpec[];
}

export const NO_MARKS: Marks = { nodes: new Map(), wires: new Set(), ghosts: [], ghostEdges: [] };

/** What to draw over the new state, given the old one. */
export function marksOf(difference: Difference, old: FlowDoc): Marks {
  const nodes = new Map<string, NodeMark>();
  for (const change of difference.nodes) {
    if (change.kind === 'added' || change.kind === 'removed' || change.kind === 'changed')
      nodes.set(change.node, change.kind);
  }
  const wires = new Set(difference.wires.map((wire) => `${wire.node}|${wire.port}`));
  return {
    nodes,
    wires,
    ghosts: [...nodes].flatMap(([id, mark]) => {
      const node = old.nodes[id];
      return mark === 'removed' && node ? [{ id, node, at: old.ui.positions?.[id] ?? { x: 0, y: 0 } }] : [];
    }),
    ghostEdges: difference.wires.flatMap((wire) =>
      wire.old ? [{ from: wire.node, port: wire.port, to: wire.old }] : [],
    ),
  };
}

interface Comparing {
  /** What is compared, as `draft`, `live` or a version's number; null when nothing is. */
  old: string | null;
  difference: Difference | null;
  marks: Marks;
  show(old: string, difference: Difference, marks: Marks): void;
  end(): void;
}

export const comparison = createStore<Comparing>()((set) => ({
  old: null,
  difference: null,
  marks: NO_MARKS,
  show: (old, difference, marks) => set({ old, difference, marks }),
  end: () => set({ old: null, difference: null, marks: NO_MARKS }),
}));

export function useComparison<T>(pick: (now: Comparing) => T): T {
  return useStore(comparison, pick);
}
