/** What can be done about a problem with one click. */
import { useReactFlow } from '@xyflow/react';
import { App, Button } from 'antd';
import { Wrench } from 'lucide-react';
import { useText, useWords } from '@/i18n';
import { useActions } from '../actions';
import { useCatalogue } from '../catalogue';
import { positionOf } from '../model';
import { fixed, useEditor, useEditorStore } from '../store';
import type { FlowProblem } from './check';
import { type Fix, fixesOf } from './fixes';
import './problems.css';
import { problemWords } from './words';

export function FixButtons({ problem }: { problem: FlowProblem }) {
  const w = useWords(problemWords);
  const t = useText();
  const { message } = App.useApp();
  const store = useEditorStore();
  const catalogue = useCatalogue();
  const actions = useActions();
  const flow = useReactFlow();
  const locked = useEditor(fixed);
  const doc = useEditor((state) => state.doc);
  const fixes = locked ? [] : fixesOf(problem, doc, catalogue);
  if (fixes.length === 0) return null;
  const mend = (fix: Fix) => {
    const state = store.getState();
    if (fix.change) {
      state.apply(fix.label, fix.change);
      void message.success(w('fixed', { what: t(fix.label) }));
    }
    if (fix.pick) {
      const { node, port } = fix.pick;
      const at = positionOf(doc, node);
      state.select({ nodes: new Set([node]) });
      void flow.setCenter(at.x + 240, at.y + 80, { zoom: Math.max(0.6, flow.getZoom()), duration: 0 });
      // The canvas moves first, so that the picker opens beside the node.
      requestAnimationFrame(() => {
        const place = actions.behind(doc, node, port);
        state.pick({
          at: flow.flowToScreenPosition({ x: at.x + 300, y: at.y }),
          place,
          from: { node, port },
        });
      });
    }
  };
  return (
    <div className="cw-fixes">
      {fixes.map((fix) => (
        <Button
          key={fix.label.en}
          size="small"
          icon={<Wrench size={13} aria-hidden />}
          onClick={() => mend(fix)}
        >
          {t(fix.label)}
        </Button>
      ))}
    </div>
  );
}
