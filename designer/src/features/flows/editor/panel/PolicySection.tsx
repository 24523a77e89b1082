/** When it goes wrong: how long a node may take, how often it is tried again, and what happens then. */
import { InputNumber, Select } from 'antd';
import { useId } from 'react';
import { useLanguage, useWords } from '@/i18n';
import { duration } from '@/ui';
import { changeNode, type Policy } from '../model';
import { docOf, fixed, useEditor, useEditorStore } from '../store';
import { widgetWords } from '../widgets/words';
import { DEFAULT_POLICY, policyOf, setPolicy } from './changes';
import { Section } from './NodePanel';
import { panelWords } from './words';

const ANSWERS = { port: 'portAnswer', handler: 'handlerAnswer', ignore: 'ignoreAnswer' } as const;

export function PolicySection({ ids }: { ids: string[] }) {
  const w = useWords(panelWords);
  const u = useWords(widgetWords);
  const language = useLanguage();
  const store = useEditorStore();
  const readOnly = useEditor(fixed);
  const first = useEditor((state) => (ids[0] === undefined ? undefined : docOf(state).nodes[ids[0]]));
  const own = useId();
  if (!first) return null;
  const policy = policyOf(first);
  const set = (change: Partial<Policy>) =>
    store
      .getState()
      .apply(
        { zh: '修改出错时的处理', en: 'Change what happens when it goes wrong' },
        (doc) => ids.reduce((now, id) => changeNode(now, id, (node) => setPolicy(node, change)), doc),
        { merge: `${ids.join()}.policy.${Object.keys(change).join()}` },
      );
  const told = [
    policy.timeout !== null && w('upTo', { time: duration(policy.timeout, language) }),
    policy.retries > 0 && w('triesMore', { count: policy.retries }),
    policy.on_error !== 'port' && w(ANSWERS[policy.on_error]),
  ].filter(Boolean);
  return (
    <Section title={w('wrong')} aside={told.length > 0 ? told.join(' · ') : w('wrongSummary')}>
      {ids.length > 1 && <p className="cw-quiet">{w('commonPolicy')}</p>}
      <Line id={`${own}-timeout`} title={w('timeout')} help={w('timeoutHelp')}>
        <InputNumber
          id={`${own}-timeout`}
          aria-describedby={`${own}-timeout-help`}
          className="cw-number"
          value={policy.timeout}
          min={1}
          max={86400}
          suffix={u('s')}
          disabled={readOnly}
          onChange={(timeout) => set({ timeout: timeout ?? null })}
        />
      </Line>
      <Line id={`${own}-retries`} title={w('retries')} help={w('retriesHelp')}>
        <InputNumber
          id={`${own}-retries`}
          aria-describedby={`${own}-retries-help`}
          className="cw-number"
          value={policy.retries}
          min={0}
          max={10}
          precision={0}
          disabled={readOnly}
          onChange={(retries) => set({ retries: retries ?? 0 })}
        />
      </Line>
      {policy.retries > 0 && (
        <Line id={`${own}-backoff`} title={w('backoff')} help={w('backoffHelp')}>
          <InputNumber
            id={`${own}-backoff`}
            aria-describedby={`${own}-backoff-help`}
            className="cw-number"
            value={policy.backoff}
            min={0}
            max={3600}
            suffix={u('s')}
            disabled={readOnly}
            onChange={(backoff) => set({ backoff: backoff ?? DEFAULT_POLICY.backoff })}
          />
        </Line>
      )}
      <div className="cw-field">
        <div className="cw-field-head">
          <label htmlFor={`${own}-error`}>{w('onError')}</label>
        </div>
        <Select
          id={`${own}-error`}
          aria-describedby={`${own}-error-help`}
          className="cw-wide"
          value={policy.on_error}
          disabled={readOnly}
          options={(['port', 'handler', 'ignore'] as const).map((value) => ({
            value,
            label: w(ANSWERS[value]),
          }))}
          onChange={(on_error) => set({ on_error })}
        />
        <p className="cw-field-help" id={`${own}-error-help`}>
          {w('onErrorHelp')}
        </p>
      </div>
    </Section>
  );
}

function Line({
  id,
  title,
  help,
  children,
}: {
  id: string;
  title: string;
  help: string;
  children: React.ReactNode;
}) {
  return (
    <div className="cw-field" data-beside>
      <div className="cw-field-head">
        <label htmlFor={id}>{title}</label>
      </div>
      <div className="cw-field-widget">{children}</div>
      <p className="cw-field-help" id={`${id}-help`}>
        {help}
      </p>
    </div>
  );
}
