import { Alert, Button, Form, Input, Segmented } from 'antd';
import { Mic, MicOff, Phone, PhoneOff } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Link } from 'react-router';
import { useText, useWords } from '@/i18n';
import { Duration } from '@/ui';
import { useCatalogue } from '../catalogue';
import { type MarkLayer, useMarks } from '../marks';
import { calledBy } from '../nodeName';
import { ProblemList } from '../problems/ProblemList';
import { edgeId, useEditor, useEditorStore } from '../store';
import { useSync } from '../syncContext';
import { useFollow } from '../useFollow';
import { usePortName } from '../usePortName';
import './testcall.css';
import { type TrailStep, useTestCall, useTestTrail } from './testcall';
import { testCallWords } from './words';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
type How = 'browser' | 'phone';

/** A real call through the draft: from this browser, or to a phone that rings. */
export function TestCallDrawer() {
  const portName = usePortName();
  const t = useWords(testCallWords);
  const store = useEditorStore();
  const key = useEditor((state) => state.key);
  const names = useEditor((state) => state.doc.nodes);
  const call = useTestCall(key);
  const text = useText();
  const catalogue = useCatalogue();
  const nameOf = (step: TrailStep) =>
    text(calledBy(step.nodeName, catalogue.types.get(step.nodeType)?.title, step.nodeId));
  const steps = useTestTrail((now) => now.steps);
  const [how, setHow] = useState<How>('browser');
  const [number, setNumber] = useState('');
  const [caller, setCaller] = useState('');
  const current = call.phone.current;
  const going = call.outside || current !== null;
  const active = current?.state === 'active';
  const sync = useSync();
  useFollow(steps.findLast((step) => step.flowKey === key && !step.left)?.nodeId);
  useMarks(
    'testcall',
    useMemo(() => lit(key, steps), [key, steps]),
  );
  const start = async () => {
    // The call runs the draft on the server: the last changes go there first.
    await sync.flush();
    await (how === 'phone' ? call.startAt(number.trim()) : call.startHere(caller.trim()));
  };

  return (
    <section className="cw-test" aria-label={t('title')}>
      <div className="cw-test-phone">
        <p className="cw-quiet">{t('help')}</p>
        <Segmented<How>
          block
          disabled={going}
          value={how}
          onChange={setHow}
          options={(['browser', 'phone'] as const).map((value) => ({ value, label: t(value) }))}
        />
        <Form layout="vertical" requiredMark={false} size="small">
          {how === 'phone' ? (
            <Form.Item label={t('number')} htmlFor="test-number">
              <Input
                id="test-number"
                value={number}
                placeholder="8001"
                disabled={going}
                onChange={(event) => setNumber(event.target.value)}
              />
            </Form.Item>
          ) : (
            <Form.Item label={t('caller')} htmlFor="test-caller">
              <Input
                id="test-caller"
                value={caller}
                placeholder="13800000001"
                disabled={going}
                onChange={(event) => setCaller(event.target.value)}
              />
            </Form.Item>
          )}
        </Form>
        <div className="cw-sim-buttons">
          {going ? (
            <Button danger icon={<PhoneOff size={16} aria-hidden />} onClick={call.hangUp}>
              {t('hangUp')}
            </Button>
          ) : (
            <Button
              type="primary"
              loading={call.busy}
              disabled={how === 'phone' && !number.trim()}
              icon={<Phone size={16} aria-hidden />}
              onClick={() => void start()}
            >
              {t('start')}
            </Button>
          )}
          {active && (
            <Button
              aria-pressed={current.muted}
              icon={current.muted ? <MicOff size={16} aria-hidden /> : <Mic size={16} aria-hidden />}
              onClick={() => call.mute(!current.muted)}
            >
              {current.muted ? t('unmute') : t('mute')}
            </Button>
          )}
        </div>
        {call.problem && (
          <Alert
            type="warning"
            showIcon
            title={t(call.problem)}
            action={
              call.problem === 'sound_blocked' && (
                <Button size="small" onClick={call.resumeSound}>
                  {t('hear')}
                </Button>
              )
            }
          />
        )}
        {call.refused.length > 0 && <ProblemList title={t('refused')} problems={call.refused} />}
        <p role="status" className="cw-test-state">
          <State call={call} />
        </p>
        {how === 'browser' && (
          <div className="cw-keypad" role="group" aria-label={t('keys')}>
            {KEYS.map((digit) => (
              <Button
                key={digit}
                disabled={!active}
                aria-label={t('key', { key: digit })}
                onClick={() => call.press(digit)}
              >
                {digit}
              </Button>
            ))}
          </div>
        )}
      </div>
      <div className="cw-test-path">
        <h3>{t('path')}</h3>
        {steps.length === 0 && <p className="cw-quiet">{t('pathEmpty')}</p>}
        <ol>
          {steps.map((step) => (
            <li
              key={`${step.runId}${step.seq}`}
              data-now={step.left === null}
              data-error={step.error !== null}
            >
              <button
                type="button"
                className="cw-link"
                disabled={!(step.nodeId in names)}
                onClick={() => store.getState().focus(step.nodeId)}
              >
                {nameOf(step)}
              </button>
              {step.port && <span className="cw-quiet"> ▸ {portName(step.nodeId, step.port)}</span>}
              {step.said.length > 0 && <div className="cw-quiet">“{step.said.join(' ')}”</div>}
              {step.errorMessage && <div className="cw-wrong">{step.errorMessage}</div>}
            </li>
          ))}
        </ol>
        {call.callId && <Link to={`/calls/${call.callId}`}>{t('openCall')}</Link>}
      </div>
    </section>
  );
}

/** The way of the call through this flow, and where it stands. */
function lit(flow: string, steps: readonly TrailStep[]): MarkLayer | null {
  if (steps.length === 0) return null;
  const mine = steps.filter((step) => step.flowKey === flow);
  return {
    nodes: Object.fromEntries(
      mine.map((step) => [
        step.nodeId,
        { state: step.error ? 'failed' : step.left ? 'passed' : 'running' } as const,
      ]),
    ),
    edges: Object.fromEntries(
      mine.flatMap((step) =>
        step.port ? [[edgeId(step.nodeId, step.port), { state: 'passed' } as const]] : [],
      ),
    ),
  };
}

function State({ call }: { call: ReturnType<typeof useTestCall> }) {
  const t = useWords(testCallWords);
  const current = call.phone.current;
  if (call.outside) return call.callId ? t('waiting') : t('connecting');
  if (current?.state === 'active')
    return (
      <>
        {t('active')} {current.answeredAt && <Duration since={new Date(current.answeredAt).toISOString()} />}
      </>
    );
  if (current?.state === 'ringing') return t('ringing');
  if (current) return t('dialling');
  if (call.phone.state === 'connecting' || call.busy) return t('connecting');
  // The phone forgets a call some moments after its end; that there was one stays known.
  return call.callId || call.phone.calls.length > 0 ? t('ended') : null;
}
