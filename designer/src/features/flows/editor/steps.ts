/** Steps of the canvas that keys and menus share: what comes next, into an edge, to the properties, a menu by key. */
import { useReactFlow } from '@xyflow/react';
import { useMemo } from 'react';
import { useActions } from './actions';
import { onSelected } from './menu';
import type { Point } from './model';
import { docOf, useEditorStore } from './store';
import { isEvent, OUT } from './wires';

const FIELD =
  '.cw-ed-right .cw-ed-drawer-body :is(input, textarea, select, button, [contenteditable="true"])';

export function focusCanvas(): void {
  document.querySelector<HTMLElement>('.cw-ed-canvas .react-flow')?.focus({ preventScroll: true });
}

export function useSteps() {
  const store = useEditorStore();
  const actions = useActions();
  const flow = useReactFlow();
  return useMemo(() => {
    const state = () => store.getState();
    const pane = () => (document.querySelector('.cw-ed-canvas') ?? document.body).getBoundingClientRect();
    return {
      /** Ask for a node: behind a port of one, behind one whose port is asked first, or in the middle. */
      pick(node?: string, port = node !== undefined && isEvent(node) ? OUT : undefined): void {
        if (node === undefined) {
          const { left, top, width } = pane();
          state().pick({ at: { x: left + width / 2 - 150, y: top + 96 }, place: actions.middle() });
          return;
        }
        actions.reveal([node]);
        const at = flow.flowToScreenPosition(actions.centreOf(node));
        const doc = docOf(state());
        if (port) state().pick({ at, place: actions.behind(doc, node, port), from: { node, port } });
        else state().pick({ at, place: actions.centreOf(node), choosePort: node });
      },
      insertInto(edge: string): void {
        const place = actions.onEdge(edge);
        state().pick({ at: flow.flowToScreenPosition(place), place, into: edge });
      },
      toProperties(): void {
        state().showPanel(true);
        requestAnimationFrame(() => document.querySelector<HTMLElement>(FIELD)?.focus());
      },
      /** The context menu of what is selected, beside it. */
      menu(): void {
        const on = onSelected(state().selection);
        const { left, top, width, height } = pane();
        const middle: Point = { x: left + width / 2, y: top + height / 2 };
        const [first] = state().selection.nodes;
        if (first) actions.reveal([first]);
        const at = first
          ? flow.flowToScreenPosition(actions.centreOf(first))
          : on.kind === 'edge'
            ? flow.flowToScreenPosition(actions.onEdge(on.id))
            : middle;
        state().showMenu({ at, place: flow.screenToFlowPosition(at), on });
      },
    };
  }, [store, actions, flow]);
}
