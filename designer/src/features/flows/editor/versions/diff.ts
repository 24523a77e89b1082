/** The comparison that the canvas draws: what came, went and changed between two states of the flow. */
import { createStore, useStore } from 'zustand';
import { graphql } from '@/gql';
import type { FlowDifferenceQuery } from '@/gql/graphql';
import type { EdgeMark, MarkLayer, NodeMark } from '../marks';
import type { EdgeSpec, FlowDoc, Point } from '../model';
import { edgeId } from '../store';

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

/** Both states on one canvas: the new one, with what is gone as ghosts where it stood; and how each part is marked. */
export function overlay(
  difference: Difference,
  old: FlowDoc,
  fresh: FlowDoc,
): { doc: FlowDoc; marks: MarkLayer } {
  const nodes: Record<string, NodeMark> = {};
  const edges: Record<string, EdgeMark> = {};
  const ghosts: FlowDoc['nodes'] = {};
  const places: Record<string, Point> = {};
  for (const change of difference.nodes) {
    if (change.kind === 'added' || change.kind === 'changed') nodes[change.node] = { state: change.kind };
    const gone = old.nodes[change.node];
    if (change.kind === 'removed' && gone) {
      nodes[change.node] = { state: 'removed' };
      ghosts[change.node] = gone;
      places[change.node] = old.ui.positions?.[change.node] ?? { x: 0, y: 0 };
    }
  }
  // A port has one edge at most: the old way of a port shows only where the new state has none.
  const taken = new Set(fresh.edges.map((edge) => edgeId(edge.from, edge.port)));
  const oldWays: EdgeSpec[] = [];
  for (const wire of difference.wires) {
    const id = edgeId(wire.node, wire.port);
    if (taken.has(id)) edges[id] = { state: wire.old ? 'changed' : 'added' };
    else if (wire.old) {
      oldWays.push({ from: wire.node, port: wire.port, to: wire.old });
      edges[id] = { state: 'removed' };
    }
  }
  return {
    doc: {
      ...fresh,
      nodes: { ...fresh.nodes, ...ghosts },
      edges: [...fresh.edges, ...oldWays],
      ui: { ...fresh.ui, positions: { ...places, ...fresh.ui.positions } },
    },
    marks: { nodes, edges },
  };
}

interface Comparing {
  /** What is compared, as `draft`, `live` or a version's number; null when nothing is. */
  old: string | null;
  difference: Difference | null;
  marks: MarkLayer | null;
  show(old: string, difference: Difference, marks: MarkLayer): void;
  end(): void;
}

export const comparison = createStore<Comparing>()((set) => ({
  old: null,
  difference: null,
  marks: null,
  show: (old, difference, marks) => set({ old, difference, marks }),
  end: () => set({ old: null, difference: null, marks: null }),
}));

export function useComparison<T>(pick: (now: Comparing) => T): T {
  return useStore(comparison, pick);
}
