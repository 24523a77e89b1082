/** The ways out of a node: where each leads, to go there, to connect it or to cut it. */
import { Button } from 'antd';
import { ArrowRight, Plus, Unlink } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { useText, useWords } from '@/i18n';
import { useActions } from '../actions';
import { useCatalogue } from '../catalogue';
import { fullShape } from '../derive';
import type { FlowProblem } from '../problems/check';
import { shapeNews } from '../shapes';
import { docOf, fixed, useEditor, useEditorStore } from '../store';
import { useNodeName } from '../useNodeName';
import { targetOf } from '../wires';
import { Section } from './NodePanel';
import { useGoTo } from './useGoTo';
import { panelWords } from './words';

export function Ports({ id, problems }: { id: string; problems: readonly FlowProblem[] }) {
  const w = useWords(panelWords);
  const t = useText();
  const store = useEditorStore();
  const catalogue = useCatalogue();
  const actions = useActions();
  const readOnly = useEditor(fixed);
  const doc = useEditor(docOf);
  const goTo = useGoTo();
  const nameOf = useNodeName();
  useSyncExternalStore(shapeNews.subscribe, shapeNews.version);
  if (!doc.nodes[id]) return null;
  const { ports } = fullShape(doc, id, catalogue);
  if (ports.length === 0) return null;
  return (
    <Section title={w('ways')} open>
      <ul className="cw-ports">
        {ports.map((port) => {
          const target = targetOf(doc, id, port.name);
          const trouble = problems.find((one) => one.code === 'port_unwired' && one.field === port.name);
          const title = t(port.title);
          return (
            <li key={port.name} data-quiet={!port.required || undefined}>
              <span className="cw-ports-name">{title}</span>
              {target !== null ? (
                <Button
                  size="small"
                  type="link"
                  icon={<ArrowRight size={13} />}
                  aria-label={w('goTo', { name: nameOf(target) })}
                  onClick={() => goTo(target)}
                >
                  {nameOf(target)}
                </Button>
              ) : (
                <span className="cw-ports-open" data-trouble={trouble?.severity}>
                  {trouble && <i aria-hidden="true" />}
                  {port.required ? w('leadsNowhere') : w('endsHere')}
                </span>
              )}
              {!readOnly &&
                (target === null ? (
                  <Button
                    size="small"
                    type="text"
                    icon={<Plus size={14} />}
                    aria-label={w('connectPort', { port: title })}
                    title={w('connectPort', { port: title })}
                    onClick={(event) => {
                      const box = event.currentTarget.getBoundingClientRect();
                      store.getState().pick({
                        at: {
                          x: Math.max(8, box.left - 320),
                          y: Math.min(box.top, window.innerHeight - 380),
                        },
                        place: actions.behind(doc, id, port.name),
                        from: { node: id, port: port.name },
                      });
                    }}
                  />
                ) : (
                  <Button
                    size="small"
                    type="text"
                    icon={<Unlink size={14} />}
                    aria-label={w('cutPort', { port: title })}
                    title={w('cutPort', { port: title })}
                    onClick={() => actions.cut(id, port.name)}
                  />
                ))}
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
