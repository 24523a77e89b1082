/** Where calls stand now and where they went: the numbers that the canvas shows on nodes and edges. */
import { createStore, useStore } from 'zustand';
import type { FlowHeatQuery } from '@/gql/graphql';
import type { EdgeMark, MarkLayer, NodeMark } from '../marks';

export type Mode = 'off' | 'live' | 'today' | 'week' | 'month';
export type Statistics = FlowHeatQuery['flowStatistics'];
export type NodeNumbers = Statistics['nodes'][number];

/** What the canvas draws of it: thick lines where many went, warm cards where many hung up. */
export function marksOf(heat: Heat): MarkLayer {
  const nodes: Record<string, NodeMark> = {};
  const edges: Record<string, EdgeMark> = {};
  for (const [id, node] of heat.nodes) {
    nodes[id] = { heat: dropOf(node), ...(node.standing > 0 ? { state: 'running' as const } : {}) };
  }
  for (const [id, count] of heat.ports)
    edges[id] = { width: widthOf(count, heat.most), label: String(count) };
  return { nodes, edges };
}

export interface Heat {
  nodes: ReadonlyMap<string, NodeNumbers>;
  /** Calls that took a port, by `node|port`. */
  ports: ReadonlyMap<string, number>;
  /** The largest count of a port, which has the thickest line. */
  most: number;
}

export const COLD: Heat = { nodes: new Map(), ports: new Map(), most: 0 };

export function heatOf(statistics: Statistics): Heat {
  const nodes = new Map(statistics.nodes.map((one) => [one.nodeId, one]));
  const ports = new Map<string, number>();
  for (const node of statistics.nodes)
    for (const port of node.left) ports.set(`${node.nodeId}|${port.name}`, port.count);
  return { nodes, ports, most: Math.max(0, ...ports.values()) };
}

/** Width of a line in pixels: 1.5 for what nobody walked, 8 for the most walked; between them by the square root. */
export function widthOf(count: number, most: number): number {
  return most === 0 || count === 0 ? 1.5 : 1.5 + 6.5 * Math.sqrt(count / most);
}

/** The share of those who came to a node and hung up in it, from 0 to 1. */
export function dropOf(node: NodeNumbers): number {
  return node.entered === 0 ? 0 : node.hangups / node.entered;
}

/** Since when a mode counts. Days begin at midnight of the browser. */
export function sinceOf(mode: Mode, now: Date): Date {
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const back = { off: 0, live: 0, today: 0, week: 6, month: 29 }[mode];
  day.setDate(day.getDate() - back);
  return day;
}

interface Held {
  mode: Mode;
  /** 0 for all versions. */
  version: number;
  heat: Heat;
  statistics: Statistics | null;
  setMode(mode: Mode): void;
  setVersion(version: number): void;
  take(statistics: Statistics): void;
  clear(): void;
}

export const heat = createStore<Held>()((set) => ({
  mode: 'off',
  version: 0,
  heat: COLD,
  statistics: null,
  setMode: (mode) => set(mode === 'off' ? { mode, heat: COLD, statistics: null } : { mode }),
  setVersion: (version) => set({ version }),
  take: (statistics) => set({ statistics, heat: heatOf(statistics) }),
  clear: () => set({ mode: 'off', version: 0, heat: COLD, statistics: null }),
}));

export function useHeat<T>(pick: (held: Held) => T): T {
  return useStore(heat, pick);
}
