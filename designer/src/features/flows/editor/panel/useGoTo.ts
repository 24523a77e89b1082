import { useReactFlow } from '@xyflow/react';
import { positionOf } from '../model';
import { docOf, useEditorStore } from '../store';

/** Select a node and bring it into view. */
export function useGoTo(): (node: string) => void {
  const store = useEditorStore();
  const flow = useReactFlow();
  return (node) => {
    const state = store.getState();
    const at = positionOf(docOf(state), node);
    void flow.setCenter(at.x + 140, at.y + 60, { zoom: Math.max(0.6, flow.getZoom()), duration: 0 });
    state.select({ nodes: new Set([node]) });
  };
}
