/** Follows the size of the drawing's pane: see keepInView.ts. */
import { useReactFlow } from '@xyflow/react';
import { type RefObject, useEffect } from 'react';
import { noteId } from './frames';
import type { Size } from './geometry';
import { Keeper } from './keepInView';
import { smoothly } from './motion';
import { useEditorStore } from './store';

/** A panel that opens changes the size in a few steps. */
const SETTLES_MS = 40;

export function useKeepInView(pane: RefObject<HTMLElement | null>): void {
  const flow = useReactFlow();
  const store = useEditorStore();
  useEffect(() => {
    if (!pane.current) return;
    const keeper = new Keeper();
    let known: Size | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (now: Size) => {
      const before = known;
      known = now;
      if (!before || now.width === 0 || now.height === 0) return;
      const { nodes, comments } = store.getState().selection;
      const drawn = flow.getNodes();
      const chosen = new Set([...nodes, ...[...comments].map(noteId)]);
      const selected = drawn.filter((one) => chosen.has(one.id));
      const next = keeper.resized(
        before,
        now,
        flow.getViewport(),
        drawn.length > 0 ? flow.getNodesBounds(drawn) : null,
        selected.length > 0 ? flow.getNodesBounds(selected) : null,
      );
      if (next) void flow.setViewport(next, { duration: smoothly(160) });
    };
    const observer = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const { width, height } = entry.contentRect;
      known ??= { width, height };
      clearTimeout(timer);
      timer = setTimeout(() => look({ width, height }), SETTLES_MS);
    });
    observer.observe(pane.current);
    return () => {
      observer.disconnect();
      clearTimeout(timer);
    };
  }, [pane, flow, store]);
}
