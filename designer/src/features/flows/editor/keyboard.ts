/** The keys of the editor. Fields in the panel and in drawers keep theirs. */
import { useReactFlow } from '@xyflow/react';
import { useEffect } from 'react';
import { useText } from '@/i18n';
import { useActions } from './actions';
import { useCatalogue } from './catalogue';
import { fullShape } from './derive';
import { faceOf } from './geometry';
import { useSteps } from './steps';
import { docOf, useEditorStore } from './store';
import type { Way } from './walk';
import { isEvent } from './wires';

const WAYS: Record<string, Way> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};
const STEPS: Record<Way, [number, number]> = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };

/** Whether keys belong to a field. */
export function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.closest('input, textarea, select, [role="combobox"], [role="textbox"], .cm-editor') !== null
  );
}

/** Listens at the document: after a dialog has closed, nothing has the focus. */
export function useKeys(): void {
  const store = useEditorStore();
  const actions = useActions();
  const catalogue = useCatalogue();
  const flow = useReactFlow();
  const steps = useSteps();
  const text = useText();
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      const within = event.target instanceof Element && event.target.closest('.cw-ed') !== null;
      const nowhere =
        event.target === document.body && !document.querySelector('.ant-modal-wrap:not([style*="none"])');
      if (!within && !nowhere) return;
      const state = store.getState();
      const command = event.ctrlKey || event.metaKey;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const run = (act: () => void) => {
        event.preventDefault();
        act();
      };
      if (command && key === 'f') return run(() => state.find(true));
      if (typing(event.target)) return;
      if (command && key === 'z') return run(() => (event.shiftKey ? state.redo() : state.undo()));
      if (command && key === 'y') return run(state.redo);
      const target = event.target as Element;
      const inCanvas = target.closest('.cw-ed-canvas') !== null;
      const onButton = target.closest('button, a, [role="tab"], [role="separator"]') !== null;
      if (key === '?' && !command) return run(() => state.ask('keys'));
      if (!inCanvas && target !== document.body) return;
      if (key === 'ContextMenu' || (event.shiftKey && key === 'F10')) return run(steps.menu);
      if (command && key === 'a') return run(actions.selectAll);
      if (command && key === 'd') return run(() => actions.duplicate());
      if (command && event.shiftKey && key === 'g')
        return run(() => state.selection.nodes.size > 0 && state.ask('subflow'));
      if (command && key === 'g') return run(() => actions.group(text({ zh: '分组', en: 'Group' })));
      if (key === 'Delete' || key === 'Backspace') return run(actions.removeSelected);
      if (key === 'Escape')
        return run(() => {
          if (state.picking) state.pick(null);
          else if (state.finding) state.find(false);
          else state.select({});
        });
      if (command) return;
      const way = WAYS[key];
      if (way && event.altKey) return run(() => actions.follow(way));
      if (event.altKey) return;
      if (way) {
        return run(() => {
          if (state.selection.nodes.size + state.selection.comments.size === 0) return actions.follow(way);
          const step = event.shiftKey ? 40 : 8;
          const [x, y] = STEPS[way];
          actions.nudge(x * step, y * step);
        });
      }
      if (event.shiftKey && (event.code === 'Digit1' || key === '!')) return run(() => actions.fit());
      if (event.shiftKey && event.code === 'Digit0') return run(() => void flow.zoomTo(1));
      if (key === '+' || key === '=') return run(() => void flow.zoomIn());
      if (key === '-') return run(() => void flow.zoomOut());
      if (onButton && (key === 'Enter' || key === ' ')) return;
      const [node] = state.selection.nodes;
      const one = state.selection.nodes.size === 1 ? node : undefined;
      if (key === 'n') {
        const [edge] = state.selection.edges;
        if (!node && edge) return run(() => steps.insertInto(edge));
        return run(() => steps.pick(one));
      }
      if (/^[0-9*#]$/.test(key) && one && !isEvent(one)) {
        const ports = faceOf(fullShape(docOf(state), one, catalogue).ports).rows;
        const port = ports.find((each) => each.name === key) ?? ports[Number(key) - 1];
        if (port) return run(() => steps.pick(one, port.name));
        return;
      }
      if (key === 'm') return run(() => actions.addNote());
      if (key === 'l') return run(() => void actions.arrange());
      if (key === 'Enter' && (one || state.selection.comments.size === 1)) return run(steps.toProperties);
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [store, actions, catalogue, flow, steps, text]);
}
