import { Button, Input, Segmented, Select, Space, Switch, Tooltip } from 'antd';
import { FastForward, Phone, PhoneOff, Save, Volume2, VolumeX } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { errorsAmong } from '@/graphql/useChange';
import { labelled, useWords } from '@/i18n';
import { useTick } from '@/ui';
import { useReason } from '@/ui/reasons';
import { useMarks } from '../marks';
import { ProblemList } from '../problems/ProblemList';
import { useEditor, useEditorStore } from '../store';
import { useFollow } from '../useFollow';
import { useNodeName } from '../useNodeName';
import { usePortName } from '../usePortName';
import { Cases } from './Cases';
import { SaveCase } from './SaveCase';
import { SceneForm } from './SceneForm';
import './simulator.css';
import {
  BEEP,
  beginningAt,
  PERSON_DOES,
  type Phone as PhoneState,
  readTranscript,
  type Simulated,
  simulations,
  stepOf,
  usePhone,
  useSimulations,
  walked,
} from './simulation';
import { simulatorWords } from './words';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
type Side = 'variables' | 'scene' | 'cases';

/** A phone beside the canvas that runs the real interpreter on the draft. */
export function SimulatorDrawer() {
  const t = useWords(simulatorWords);
  const key = useEditor((state) => state.key);
  const store = useEditorStore();
  const phone = usePhone(key);
  const [side, setSide] = useState<Side>('variables');
  const [sound, setSound] = useState(true);
  const [saving, setSaving] = useState(false);
  const { call } = phone;
  const going = call !== null && !call.over;
  const from = useSimulations((now) => now.from);
  useEffect(() => {
    if (from?.key !== key) return;
    simulations.setState({ from: null });
    void phone.start(beginningAt(store.getState().doc, from.node));
  }, [from, key, phone, store]);
  useFollow(going ? call.standing : null);
  useMarks(
    'simulator',
    useMemo(() => call && walked(call.path, call.over ? '' : call.standing), [call]),
  );

  return (
    <section className="cw-sim" aria-label={t('title')}>
      <div className="cw-sim-phone">
        <Display phone={phone} />
        <div className="cw-sim-buttons">
          {going ? (
            <Button danger icon={<PhoneOff size={16} aria-hidden />} onClick={() => void phone.hangUp()}>
              {t('hangUp')}
            </Button>
          ) : (
            <Button
              type="primary"
              loading={phone.busy}
              icon={<Phone size={16} aria-hidden />}
              onClick={() => void phone.start(store.getState().doc)}
            >
              {call ? t('restart') : t('start')}
            </Button>
          )}
          <Tooltip title={sound ? t('sound') : t('noSound')}>
            <Button
              aria-label={sound ? t('sound') : t('noSound')}
              aria-pressed={sound}
              icon={sound ? <Volume2 size={16} /> : <VolumeX size={16} />}
              onClick={() => setSound(!sound)}
            />
          </Tooltip>
          <Tooltip title={t('saveCase')}>
            <Button
              aria-label={t('saveCase')}
              disabled={!call}
              icon={<Save size={16} />}
              onClick={() => setSaving(true)}
            />
          </Tooltip>
        </div>
        <Keypad disabled={!going} press={(digit) => void phone.press(digit)} />
        <Say disabled={!going} say={(words) => void phone.say(words)} />
        <Space.Compact block aria-label={t('time')}>
          <Button
            className="cw-sim-forward"
            disabled={!going}
            icon={<FastForward size={16} aria-hidden />}
            title={t('forwardHelp')}
            onClick={() => void phone.advance(null)}
          >
            {t('forward')}
          </Button>
          <Button disabled={!going} onClick={() => void phone.advance(60)}>
            {t('plusMinute')}
          </Button>
          <Button disabled={!going} onClick={() => void phone.advance(3600)}>
            {t('plusHour')}
          </Button>
        </Space.Compact>
      </div>
      <Transcript call={call} sound={sound} />
      <div className="cw-sim-side">
        <Segmented<Side>
          block
          value={side}
          onChange={setSide}
          options={(['variables', 'scene', 'cases'] as const).map((value) => ({ value, label: t(value) }))}
        />
        {side === 'variables' && <Variables call={call} />}
        {side === 'scene' && <SceneForm />}
        {side === 'cases' && <Cases />}
      </div>
      {saving && call && <SaveCase id={call.id} close={() => setSaving(false)} />}
    </section>
  );
}

function Display({ phone }: { phone: PhoneState }) {
  const t = useWords(simulatorWords);
  const store = useEditorStore();
  const reason = useReason();
  const seenAt = useSimulations((now) => now.seenAt);
  const { call, problems } = phone;
  const going = call !== null && !call.over;
  useTick(going ? 500 : null);
  const nameOf = useNodeName();
  if (problems.length > 0) {
    const ofDraft = problems.some((one) => one.node);
    return <ProblemList title={t(ofDraft ? 'draftErrors' : 'notStarted')} problems={errorsAmong(problems)} />;
  }
  if (!call) return <p className="cw-sim-idle">{t('idle')}</p>;
  const shown = going ? call.at + (Date.now() - seenAt) / 1000 : call.at;
  const heard = readTranscript(call.transcript).findLast((line) => line.kind === 'heard');
  return (
    <div className="cw-sim-display" data-over={call.over}>
      <div className="cw-sim-clock">
        <span className="cw-num">{clock(shown)}</span>
        <span>
          {call.over
            ? labelled(
                t('over'),
                OUTCOMES.includes(call.outcome) ? t(call.outcome as 'completed') : call.outcome,
              )
            : t('calling')}
        </span>
      </div>
      {call.outcome === 'failed' && call.reason && <p className="cw-sim-reason">{reason(call.reason)}</p>}
      {going && call.standing && (
        <button
          type="button"
          className="cw-sim-standing"
          onClick={() => store.getState().focus(call.standing)}
        >
          {labelled(t('standing'))}
          <strong>{nameOf(call.standing)}</strong>
        </button>
      )}
      {heard && <p className="cw-sim-heard">{heard.text === BEEP ? t('beep') : `“${heard.text}”`}</p>}
      {going && call.ringing && (
        <div className="cw-sim-ringing">
          {t('ringing')}
          <Select
            size="small"
            style={{ width: '100%' }}
            aria-label={t('ringing')}
            placeholder="…"
            options={PERSON_DOES.map((value) => ({ value, label: t(value) }))}
            onSelect={(does) => void phone.person(does as 'answers')}
          />
        </div>
      )}
    </div>
  );
}

const OUTCOMES = ['completed', 'hangup', 'failed', 'stopped'];

/** Minutes and seconds of a call: 00:42, 61:05. */
function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}

function Keypad({ disabled, press }: { disabled: boolean; press: (digit: string) => void }) {
  const t = useWords(simulatorWords);
  return (
    <div
      className="cw-keypad"
      role="group"
      aria-label={t('keys')}
      onKeyDown={(event) => {
        if (!disabled && KEYS.includes(event.key)) {
          event.preventDefault();
          event.stopPropagation();
          press(event.key);
        }
      }}
    >
      {KEYS.map((digit) => (
        <Button
          key={digit}
          disabled={disabled}
          aria-label={t('key', { key: digit })}
          onClick={() => press(digit)}
        >
          {digit}
        </Button>
      ))}
    </div>
  );
}

function Say({ disabled, say }: { disabled: boolean; say: (words: string) => void }) {
  const t = useWords(simulatorWords);
  const [words, setWords] = useState('');
  const send = () => {
    if (words.trim()) say(words.trim());
    setWords('');
  };
  return (
    <Space.Compact block>
      <Input
        disabled={disabled}
        value={words}
        placeholder={t('say')}
        aria-label={t('say')}
        onChange={(event) => setWords(event.target.value)}
        onPressEnter={send}
      />
      <Button disabled={disabled || !words.trim()} onClick={send}>
        {t('saySend')}
      </Button>
    </Space.Compact>
  );
}

function Transcript({ call, sound }: { call: Simulated | null; sound: boolean }) {
  const t = useWords(simulatorWords);
  const store = useEditorStore();
  const nameOf = useNodeName();
  const [steps, setSteps] = useState(true);
  const list = useRef<HTMLOListElement>(null);
  const lines = useMemo(
    () => readTranscript(call?.transcript ?? []).filter((line) => steps || line.kind !== 'node'),
    [call, steps],
  );
  const player = usePlayer(call, sound);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the newest line is shown whenever there is one more
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [lines.length]);
  return (
    <div className="cw-sim-transcript">
      <header>
        <h3>{t('transcript')}</h3>
        <span className="cw-quiet">
          {t('showSteps')}{' '}
          <Switch size="small" checked={steps} onChange={setSteps} aria-label={t('showSteps')} />
        </span>
      </header>
      {lines.length === 0 && <p className="cw-quiet">{t('noTranscript')}</p>}
      <ol ref={list} aria-live="polite">
        {lines.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a transcript only grows at its end
          <li key={index} data-kind={line.kind}>
            <span className="cw-num cw-quiet">{clock(line.at)}</span>
            <span className="cw-sim-kind">{isKind(line.kind) ? t(line.kind) : line.kind}</span>
            {line.kind === 'node' ? (
              <button type="button" className="cw-link" onClick={() => store.getState().focus(line.node)}>
                {nameOf(line.node)}
                <StepEnd {...stepOf(line.text)} node={line.node} />
              </button>
            ) : (
              <span className="cw-sim-text">
                {line.text === BEEP
                  ? t('beep')
                  : line.kind === 'ended' && OUTCOMES.includes(line.text)
                    ? t(line.text as 'completed')
                    : line.text}
              </span>
            )}
            {line.sounds.length > 0 && (
              <Button
                type="text"
                size="small"
                aria-label={t('play')}
                icon={<Volume2 size={14} />}
                onClick={() => player(line.sounds)}
              />
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

function StepEnd({ node, port, error }: { node: string; port: string; error: string }) {
  const portName = usePortName();
  const reason = useReason();
  const [code = '', ...details] = error.split(': ');
  return (
    <>
      {port && ` ▸ ${portName(node, port)}`}
      {error && (
        <span className="cw-sim-error">
          {reason(code)} <small>{details.join(': ')}</small>
        </span>
      )}
    </>
  );
}

const KINDS = ['heard', 'pressed', 'said', 'hung_up', 'node', 'message', 'dialled', 'ended'] as const;
type LineKind = (typeof KINDS)[number];
const isKind = (kind: string): kind is LineKind => (KINDS as readonly string[]).includes(kind);

/** Plays what the caller hears, one prompt after the other; a key or a hang-up cuts the prompt, as in a real call. */
function usePlayer(call: Simulated | null, on: boolean): (urls: string[]) => void {
  const audio = useRef<HTMLAudioElement | null>(null);
  const queue = useRef<string[]>([]);
  const done = useRef({ id: '', lines: 0 });
  const next = useRef(() => {});
  next.current = () => {
    const url = queue.current.shift();
    if (!url) return;
    audio.current ??= new Audio();
    audio.current.onended = () => next.current();
    audio.current.onerror = () => next.current();
    audio.current.src = url;
    void audio.current.play().catch(() => {});
  };
  useEffect(() => {
    if (!call) return;
    if (done.current.id !== call.id) done.current = { id: call.id, lines: 0 };
    const fresh = call.transcript.slice(done.current.lines);
    done.current.lines = call.transcript.length;
    if (fresh.some((line) => ['pressed', 'said', 'hung_up', 'ended'].includes(line.kind)) || !on) {
      queue.current = [];
      audio.current?.pause();
    }
    if (!on) return;
    const after = fresh.slice(fresh.findLastIndex((line) => line.kind === 'pressed') + 1);
    const sounds = after.flatMap((line) => (line.kind === 'heard' && line.sound ? [line.sound] : []));
    const silent = !audio.current || audio.current.paused || audio.current.ended;
    queue.current.push(...sounds);
    if (silent && sounds.length > 0) next.current();
  }, [call, on]);
  useEffect(() => () => audio.current?.pause(), []);
  return (urls) => {
    queue.current = [...urls];
    audio.current?.pause();
    next.current();
  };
}

function Variables({ call }: { call: Simulated | null }) {
  const t = useWords(simulatorWords);
  const doc = useEditor((state) => state.doc);
  const values = (call?.variables ?? {}) as Record<string, unknown>;
  const titles = new Map(doc.variables.map((one) => [one.name, one.title]));
  const names = [...new Set([...titles.keys(), ...Object.keys(values)])];
  if (names.length === 0) return <p className="cw-quiet cw-sim-none">{t('noVariables')}</p>;
  return (
    <dl className="cw-sim-variables">
      {names.map((name) => (
        <div key={name}>
          <dt>
            {titles.get(name)} <code>{name}</code>
          </dt>
          <dd className="cw-num">{name in values ? JSON.stringify(values[name]) : '–'}</dd>
        </div>
      ))}
    </dl>
  );
}
