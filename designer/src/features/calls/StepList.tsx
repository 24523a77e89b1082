/** The path, a step a row: where, when, how long, which way out; what it was given and what it made below. */
import { Button } from 'antd';
import { AudioLines, ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { useLanguage, useWords } from '@/i18n';
import { absolute, duration } from '@/ui';
import { useReason } from '@/ui/reasons';
import { clock } from '../recordings/Player';
import { usePortTitle, useStepWords } from './portTitle';
import { shortValue, type TimedStep } from './timeline';
import { callWords } from './words';

export function StepList({
  steps,
  live,
  empty,
  onHear,
  flowNames,
}: {
  steps: TimedStep[];
  live: boolean;
  empty: string;
  onHear?: (seconds: number) => void;
  flowNames: ReadonlyMap<string, string>;
}) {
  if (steps.length === 0) return <p className="cw-quiet">{empty}</p>;
  return (
    <ol className="cw-steps">
      {steps.map((step, index) => (
        <li key={`${step.runId}:${step.seq}`} data-error={step.error ? true : undefined}>
          {step.newFlow && (
            <div className="cw-step-flow">
              <ChevronRight size={14} aria-hidden />
              <Link to={`/flows/${step.flowKey}`}>{flowNames.get(step.flowKey) ?? step.flowKey}</Link>
            </div>
          )}
          <StepRow step={step} standing={live && index === steps.length - 1 && !step.left} onHear={onHear} />
        </li>
      ))}
    </ol>
  );
}

function StepRow({
  step,
  standing,
  onHear,
}: {
  step: TimedStep;
  standing: boolean;
  onHear?: (seconds: number) => void;
}) {
  const w = useWords(callWords);
  const language = useLanguage();
  const portName = usePortTitle();
  const reason = useReason();
  const { nameOf, titleOf } = useStepWords();
  const name = nameOf(step);
  const title = titleOf(step.nodeType);
  const [open, setOpen] = useState(Boolean(step.error));
  const outputs = step.outputs && typeof step.outputs === 'object' ? Object.entries(step.outputs) : [];
  const inputs = Object.entries(step.inputs ?? {});
  const hasMore = outputs.length > 0 || inputs.length > 0 || Boolean(step.error);
  return (
    <div className="cw-step" data-standing={standing || undefined}>
      <button
        type="button"
        className="cw-step-head"
        aria-expanded={hasMore ? open : undefined}
        disabled={!hasMore}
        onClick={() => setOpen(!open)}
      >
        <time className="cw-num cw-quiet" dateTime={step.entered} title={absolute(step.entered)}>
          {clock(step.offset)}
        </time>
        <i aria-hidden data-tone={step.error ? 'bad' : standing ? 'good' : 'off'} />
        <strong>{name}</strong>
        {title !== name && <span className="cw-quiet">{title}</span>}
        {step.attempt > 1 && <span className="cw-step-try">{w('attempt', { n: step.attempt })}</span>}
        <span className="cw-grow" />
        {standing ? (
          <span className="cw-step-now">{w('standing')}</span>
        ) : (
          step.port && (
            <span className="cw-step-port" data-port={step.port}>
              → {portName(step.nodeType, step.port)}
            </span>
          )
        )}
        {step.seconds !== null && (
          <span className="cw-num cw-quiet cw-step-time">
            {step.seconds < 1 ? `${Math.round(step.seconds * 1000)} ms` : duration(step.seconds, language)}
          </span>
        )}
        <ChevronRight size={14} aria-hidden className="cw-step-turn" data-open={open || undefined} />
      </button>
      {(step.said.length > 0 || step.errorMessage || step.error) && (
        <div className="cw-step-body">
          {step.said.map((said, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: what was said stays in its order
            <q key={index}>{said}</q>
          ))}
          {step.error && (
            <p className="cw-step-error">
              <strong>{reason(step.error)}</strong> {step.errorMessage !== step.error && step.errorMessage}
            </p>
          )}
        </div>
      )}
      {open && hasMore && (
        <div className="cw-step-body cw-step-more">
          <Values title={w('inputs')} entries={inputs} />
          <Values title={w('outputs')} entries={outputs} />
          {onHear && (
            <Button
              size="small"
              type="link"
              icon={<AudioLines size={14} />}
              onClick={() => onHear(step.offset)}
            >
              {w('listen')}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

function Values({ title, entries }: { title: string; entries: [string, unknown][] }) {
  if (entries.length === 0) return null;
  return (
    <dl className="cw-values">
      <dt className="cw-values-title">{title}</dt>
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt className="cw-code">{name}</dt>
          <dd className="cw-code" title={shortValue(value, 2000)}>
            {shortValue(value, 300)}
          </dd>
        </div>
      ))}
    </dl>
  );
}
