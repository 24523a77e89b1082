/** The list of problems: by node, worst first; each leads to its field, and some are mended by a click. */
import { useReactFlow } from '@xyflow/react';
import { Button, Segmented } from 'antd';
import { CircleCheck, LocateFixed } from 'lucide-react';
import { useMemo, useState } from 'react';
import { sentences } from '@/graphql/useChange';
import { labelled, useText, useWords } from '@/i18n';
import { EmptyState } from '@/ui';
import { useCatalogue } from '../catalogue';
import { NodeIcon } from '../icons';
import { positionOf } from '../model';
import { useEditor, useEditorStore } from '../store';
import { useNodeName } from '../useNodeName';
import { START } from '../wires';
import type { FlowProblem } from './check';
import { FixButtons } from './FixButtons';
import './problems.css';
import { useProblems } from './useProblems';
import { problemWords } from './words';

type Shown = 'all' | 'error' | 'warning';

export function ProblemsDrawer() {
  const w = useWords(problemWords);
  const t = useText();
  const doc = useEditor((state) => state.doc);
  const catalogue = useCatalogue();
  const nameOf = useNodeName();
  const { problems, errors, warnings, state } = useProblems();
  const [shown, setShown] = useState<Shown>('all');
  const groups = useMemo(() => {
    const found = new Map<string | null, FlowProblem[]>();
    for (const one of problems) {
      if (shown !== 'all' && one.severity !== shown) continue;
      found.set(one.node, [...(found.get(one.node) ?? []), one]);
    }
    return [...found];
  }, [problems, shown]);
  if (problems.length === 0 && state === 'checking')
    return <p className="cw-problems-wait">{w('checking')}</p>;
  if (problems.length === 0)
    return (
      <EmptyState
        icon={<CircleCheck size={28} color="var(--good)" aria-hidden />}
        title={w('none')}
        help={w('noneHelp')}
      />
    );
  return (
    <div className="cw-problems">
      <div className="cw-problems-head">
        <Segmented
          size="small"
          aria-label={w('filter')}
          value={shown}
          onChange={setShown}
          options={[
            { value: 'all' as const, label: `${w('all')} ${problems.length}` },
            { value: 'error' as const, label: `${w('onlyErrors')} ${errors}` },
            { value: 'warning' as const, label: `${w('onlyWarnings')} ${warnings}` },
          ]}
        />
        <span className="cw-quiet" role="status">
          {state === 'unknown' ? w('unknown') : state === 'behind' ? w('checking') : ''}
        </span>
      </div>
      {groups.length === 0 && <p className="cw-quiet">{w('nothingLike')}</p>}
      {groups.map(([node, found]) => {
        const spec = node === null ? undefined : doc.nodes[node];
        const type = spec ? catalogue.types.get(spec.type) : undefined;
        return (
          <section key={node ?? ''} className="cw-problems-node">
            <h3>
              {node !== null && <NodeIcon name={type?.icon ?? 'box'} size={15} />}
              {node === null ? w('flow') : nameOf(node)}
              {node !== null && <span className="cw-quiet">{type ? t(type.title) : spec?.type}</span>}
            </h3>
            <ul>
              {found.map((one) => (
                <Row key={`${one.code}${one.field}${one.message.en}`} problem={one} />
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}

function Row({ problem }: { problem: FlowProblem }) {
  const w = useWords(problemWords);
  const t = useText();
  const jump = useJump();
  return (
    <li className="cw-problems-row" data-severity={problem.severity}>
      <i aria-hidden="true" />
      <span className="cw-hidden">{labelled(w(problem.severity))}</span>
      <div>
        <button type="button" className="cw-problems-text" onClick={() => jump(problem)}>
          {sentences([t(problem.message)])}
        </button>
        {explains(problem) && <p className="cw-quiet">{sentences([t(problem.remedy)])}</p>}
      </div>
      <div className="cw-problems-acts">
        <FixButtons problem={problem} />
        <Button
          size="small"
          type="text"
          icon={<LocateFixed size={14} />}
          aria-label={w('showIn', { what: t(problem.message) })}
          title={w('show')}
          onClick={() => jump(problem)}
        />
      </div>
    </li>
  );
}

/** Most problems say themselves what to do; for these there is more to know. */
function explains(problem: FlowProblem): boolean {
  return problem.severity === 'warning' || /^(expression|unknown|subflow|missing)_/.test(problem.code);
}

/** Go where a problem is: the node on the canvas and its field in the panel, or the settings of the flow. */
export function useJump(): (problem: Pick<FlowProblem, 'node' | 'field'>) => void {
  const store = useEditorStore();
  const flow = useReactFlow();
  return ({ node, field }) => {
    const state = store.getState();
    if (node !== null && state.doc.nodes[node]) {
      const at = positionOf(state.doc, node);
      void flow.setCenter(at.x + 140, at.y + 60, { zoom: Math.max(0.6, flow.getZoom()), duration: 0 });
      // Once more for the same field: the panel shows it again.
      store.setState({ focusField: null });
      state.focus(node, field);
      return;
    }
    if (field === 'entry') state.select({ nodes: new Set([START]) });
    else if (state.drawer !== 'settings') state.open('settings');
  };
}
