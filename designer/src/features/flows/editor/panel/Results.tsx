/** What a node leaves behind for later ones, each with the name to use it by. */
import { App } from 'antd';
import { LockKeyhole } from 'lucide-react';
import { useText, useWords } from '@/i18n';
import type { OutputInfo } from '../widgets/scope';
import { widgetWords } from '../widgets/words';
import { Section } from './NodePanel';
import { panelWords } from './words';

const TYPES = ['string', 'number', 'boolean', 'object', 'list', 'any'] as const;

export function Results({ id, shape }: { id: string; shape: OutputInfo[] }) {
  const w = useWords(panelWords);
  const u = useWords(widgetWords);
  const t = useText();
  const { message } = App.useApp();
  if (shape.length === 0) return null;
  return (
    <Section title={w('results')} open aside={String(shape.length)}>
      <p className="cw-field-help">{w('resultsHelp')}</p>
      <ul className="cw-results">
        {shape.map((one) => {
          const path = `nodes.${id}.${one.name}`;
          const type = TYPES.find((known) => known === one.type);
          return (
            <li key={one.name}>
              <button
                type="button"
                title={w('copy', { what: path })}
                onClick={() => {
                  void navigator.clipboard.writeText(path);
                  void message.success(w('copied', { what: path }));
                }}
              >
                <code>{path}</code>
              </button>
              <span className="cw-quiet">
                {t(one.title)} · {type ? u(`type_${type}`) : one.type}
                {one.secret && (
                  <>
                    {' '}
                    <LockKeyhole size={12} aria-hidden /> {w('secret')}
                  </>
                )}
              </span>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
