/** What is wrong with the flow, each by the name of its node; a click shows the node and its field. */
import { Alert, Button } from 'antd';
import { sentences, wordsOf } from '@/graphql/useChange';
import { labelled, type Text, useText, useWords } from '@/i18n';
import { useEditor } from '../store';
import { useNodeName } from '../useNodeName';
import { useJump } from './ProblemsDrawer';
import './problems.css';
import { problemWords } from './words';

interface Told {
  code: string;
  node?: string | null;
  field?: string | null;
  message: Text;
  remedy: Text;
}

export function ProblemList({
  title,
  type = 'error',
  problems,
  onJump,
}: {
  title: string;
  type?: 'error' | 'warning';
  problems: readonly Told[];
  /** Before the node is shown: what lies over the canvas closes. */
  onJump?: () => void;
}) {
  const w = useWords(problemWords);
  const t = useText();
  const jump = useJump();
  const nameOf = useNodeName();
  const doc = useEditor((state) => state.doc);
  return (
    <Alert
      type={type}
      showIcon
      title={title}
      description={
        <ul className="cw-problem-list">
          {problems.map((one) => (
            <li key={`${one.code}${one.node}${one.field}${one.message.en}`}>
              <span>
                {one.node ? (
                  <>
                    <strong>{labelled(nameOf(one.node))}</strong>
                    {sentences([t(one.message)])}
                  </>
                ) : (
                  wordsOf(one)
                )}
              </span>
              {one.node && one.node in doc.nodes && (
                <Button
                  type="link"
                  size="small"
                  aria-label={w('showIn', { what: t(one.message) })}
                  onClick={() => {
                    onJump?.();
                    jump({ node: one.node ?? null, field: one.field || null });
                  }}
                >
                  {w('show')}
                </Button>
              )}
            </li>
          ))}
        </ul>
      }
    />
  );
}
