/** The keys of the editor. Fields in the panel and in drawers keep theirs. */
import { useReactFlow } from '@xyflow/react';
import { type KeyboardEvent, useCallback } from 'react';
import { useActions } from './actions';
import { useEditorStore } from './store';

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.closest('input, textarea, select, [role="combobox"], [role="textbox"], .cm-editor') !== null
  );
}

export function useKeys(): (event: KeyboardEvent) => void {
  const store = useEditorStore();
  const actions = useActions();
  const flow = useReactFlow();
  return useCallback(
    (event) => {
      if (event.defaultPrevented || typing(event.target)) return;
      const state = store.getState();
      const command = event.ctrlKey || event.metaKey;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const run = (act: () => void) => {
        event.preventDefault();
        act();
      };
      if (command && key === 'z') return run(() => (event.shiftKey ? state.redo() : state.undo()));
      if (command && key === 'y') return run(state.redo);
      const inCanvas = event.target instanceof Element && event.target.closest('.cw-ed-canvas') !== null;
      if (!inCanvas && event.target !== document.body) return;
      if (command && key === 'a') return run(actions.selectAll);
      if (key === 'Delete' || key === 'Backspace') return run(actions.removeSelected);
      if (key === 'Escape') return run(() => (state.picking ? state.pick(null) : state.select({})));
      if (command || event.altKey) return;
      const step = event.shiftKey ? 40 : 8;
      if (key === 'ArrowLeft') return run(() => actions.nudge(-step, 0));
      if (key === 'ArrowRight') return run(() => actions.nudge(step, 0));
      if (key === 'ArrowUp') return run(() => actions.nudge(0, -step));
      if (key === 'ArrowDown') return run(() => actions.nudge(0, step));
      if (key === 'n') {
        return run(() => {
          const [node] = state.selection.nodes;
          const place = node ? actions.centreOf(node) : { x: 0, y: 0 };
          const at = flow.flowToScreenPosition(place);
          if (node && state.selection.nodes.size === 1) state.pick({ at, place, choosePort: node });
          else state.pick({ at: { x: window.innerWidth / 2 - 150, y: 160 }, place: actions.middle() });
        });
      }
    },
    [store, actions, flow],
  );
}
