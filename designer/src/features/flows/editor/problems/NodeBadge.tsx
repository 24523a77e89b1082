/** On a card: a red square for errors, an amber diamond for warnings, with their number. */
import { Tooltip } from 'antd';
import { sentences } from '@/graphql/useChange';
import { labelled, listed, useText, useWords } from '@/i18n';
import { useEditor, useEditorStore } from '../store';
import './problems.css';
import { useNodeProblems } from './useProblems';
import { problemWords } from './words';

export function NodeBadge({ node }: { node: string }) {
  const t = useText();
  const w = useWords(problemWords);
  const store = useEditorStore();
  const shown = useEditor((state) => state.shown !== null);
  const problems = useNodeProblems(node);
  const first = problems[0];
  if (!first || shown) return null;
  const errors = problems.filter((one) => one.severity === 'error').length;
  const warnings = problems.length - errors;
  return (
    <Tooltip
      title={
        <ul className="cw-badge-list">
          {problems.slice(0, 5).map((one) => (
            <li key={`${one.code}${one.field}`}>{sentences([t(one.message)])}</li>
          ))}
          {problems.length > 5 && <li>…</li>}
        </ul>
      }
    >
      <button
        type="button"
        className="cw-badge nodrag"
        data-severity={errors > 0 ? 'error' : 'warning'}
        tabIndex={-1}
        onClick={(event) => {
          event.stopPropagation();
          store.getState().focus(node, first.field);
        }}
      >
        <i aria-hidden="true" />
        <span aria-hidden="true">{problems.length}</span>
        <span className="cw-hidden">
          {labelled(
            listed([
              ...(errors > 0 ? [w('errorsCount', { count: errors })] : []),
              ...(warnings > 0 ? [w('warningsCount', { count: warnings })] : []),
            ]),
            t(first.message),
          )}
        </span>
      </button>
    </Tooltip>
  );
}
