/** In the top bar: how many problems there are; opens the list. */
import { Button } from 'antd';
import { CircleCheck } from 'lucide-react';
import { useWords } from '@/i18n';
import { useEditor, useEditorStore } from '../store';
import './problems.css';
import { useProblems } from './useProblems';
import { problemWords } from './words';

export function ProblemsAction() {
  const w = useWords(problemWords);
  const store = useEditorStore();
  const open = useEditor((state) => state.drawer === 'problems');
  const { errors, warnings, problems, state } = useProblems();
  const waiting = state === 'checking' && problems.length === 0;
  const spoken = waiting
    ? w('checking')
    : problems.length === 0
      ? w('none')
      : [
          errors > 0 && w('errorsCount', { count: errors }),
          warnings > 0 && w('warningsCount', { count: warnings }),
        ]
          .filter(Boolean)
          .join(', ');
  return (
    <Button
      size="small"
      type={open ? 'primary' : 'default'}
      className="cw-problems-action"
      aria-pressed={open}
      title={spoken}
      onClick={() => store.getState().open('problems')}
    >
      {problems.length === 0 && !waiting && <CircleCheck size={15} className="good" aria-hidden />}
      <span>{w('problems')}</span>
      <span className="cw-hidden">: {spoken}</span>
      {errors > 0 && (
        <span aria-hidden="true" className="cw-problems-count cw-num" data-severity="error">
          <i />
          {errors}
        </span>
      )}
      {warnings > 0 && (
        <span aria-hidden="true" className="cw-problems-count cw-num" data-severity="warning">
          <i />
          {warnings}
        </span>
      )}
    </Button>
  );
}
