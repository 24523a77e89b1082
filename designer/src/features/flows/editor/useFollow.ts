/** Keeps the node in which a call stands in view, while somebody watches that call. */
import { useReactFlow } from '@xyflow/react';
import { useEffect } from 'react';
import { positionOf } from './model';
import { smoothly } from './motion';
import { useEditorStore } from './store';

const READABLE = 0.6;
const HALF_A_CARD = { x: 110, y: 60 };

export function useFollow(node: string | null | undefined): void {
  const flow = useReactFlow();
  const store = useEditorStore();
  useEffect(() => {
    const { doc, shown } = store.getState();
    const drawn = shown ?? doc;
    if (!node || !(node in drawn.nodes)) return;
    const at = positionOf(drawn, node);
    const zoom = Math.max(READABLE, flow.getZoom());
    void flow.setCenter(at.x + HALF_A_CARD.x, at.y + HALF_A_CARD.y, { zoom, duration: smoothly(200) });
  }, [node, flow, store]);
}
