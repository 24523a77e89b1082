/** The call bar: it never moves. Everything that can be done with the call, and the number field when there is none. */
import { Alert, Button, Input, Modal, Popover, Segmented, Select } from 'antd';
import {
  ArrowLeftRight,
  Circle,
  Grid3x3,
  Mic,
  MicOff,
  Pause,
  Phone,
  PhoneForwarded,
  PhoneOff,
  Play,
  UserRoundPlus,
  UserRoundX,
  Users,
} from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useClient, useQuery } from 'urql';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { Duration, groupedPhone, Phone as PhoneWords, StateTag } from '@/ui';
import { type Agent, desk, type Focus, isMuted, type OwnCall, standOf, useDesk } from './desk';
import { DIALLED_END, TARGETS } from './operations';
import { endWords, isState, problemWords, TONES } from './StateBar';
import { useCallActions } from './useCallActions';
import { useColleague } from './useColleague';
import { consoleWords } from './words';

type Dialog = 'transfer' | 'consult' | null;
const STATES = [
  'ringing',
  'connecting',
  'talking',
  'held',
  'consulting',
  'conference',
  'transferring',
  'over',
] as const;
type CallState = (typeof STATES)[number];
const isCallState = (state: string): state is CallState => (STATES as readonly string[]).includes(state);

export function CallBar({
  focus,
  armed,
  dialog,
  setDialog,
}: {
  focus: Focus | null;
  armed: boolean;
  dialog: Dialog;
  setDialog: (dialog: Dialog) => void;
}) {
  const t = useWords(consoleWords);
  const agent = useDesk((now) => now.agent);
  const call = focus?.own ?? null;
  return (
    <section
      className="cw-callbar"
      data-phase={focus?.phase ?? 'none'}
      data-full={
        call?.parties.some((party) => party.role === 'third' || party.watching || party.away) ?? false
      }
      aria-label={t('callBar')}
    >
      {call && focus?.phase === 'talking' ? (
        <InCall
          call={call}
          offer={agent?.call?.callId === call.callId ? agent.call : null}
          armed={armed}
          setDialog={setDialog}
        />
      ) : focus?.phase === 'ringing' ? (
        <Ringing focus={focus} />
      ) : (
        <Idle />
      )}
      {dialog && call && <TargetDialog kind={dialog} call={call} close={() => setDialog(null)} />}
    </section>
  );
}

function Idle() {
  const t = useWords(consoleWords);
  const actions = useCallActions();
  const line = useDesk((now) => now.line);
  const agent = useDesk((now) => now.agent);
  const [number, setNumber] = useState('');
  const [busy, setBusy] = useState(false);
  const failed = line.calls.find((call) => call.state === 'ended' && call.error)?.error;
  const dial = async () => {
    const wanted = number.replace(/[\s-]/g, '');
    if (!wanted || busy) return;
    setBusy(true);
    await actions.dial(wanted);
    setBusy(false);
  };
  const ended = useDialledEnd();
  if (line.current) return <AtThePhone />;
  return (
    <>
      <Phone size={18} aria-hidden />
      <span className="cw-quiet">{t('noCall')}</span>
      {failed ? (
        <StateTag tone="bad">{problemWords(t, failed.code)}</StateTag>
      ) : (
        ended && <StateTag tone="bad">{ended}</StateTag>
      )}
      <span className="cw-callbar-space" />
      <Input
        className="cw-dial"
        value={number}
        inputMode="tel"
        allowClear
        disabled={agent?.state === 'signed_out'}
        placeholder={t('dialHint')}
        aria-label={t('dialHint')}
        onChange={(event) => setNumber(event.target.value)}
        onPressEnter={() => void dial()}
      />
      <Button
        type="primary"
        loading={busy}
        disabled={!number.trim()}
        icon={<Phone size={16} aria-hidden />}
        onClick={() => void dial()}
      >
        {t('dial')}
      </Button>
    </>
  );
}

/** Why the call that was dialled last was not answered; told once, the next call has nothing to do with it. */
function useDialledEnd(): string {
  const t = useWords(consoleWords);
  const client = useClient();
  const dialled = useDesk((now) => now.dialled);
  const up = useDesk(
    (now) => now.line.current !== null || now.calls.some((call) => call.callId === now.dialled),
  );
  const [told, setTold] = useState<{ call: string; cause: string } | null>(null);
  useEffect(() => {
    if (!dialled || up) return;
    let wanted = true;
    const ask = async () => {
      const answer = await client
        .query(DIALLED_END, { call: dialled }, { requestPolicy: 'network-only' })
        .toPromise();
      const cause = answer.data?.dialledEnd;
      if (wanted && cause) setTold((now) => (now?.call === dialled ? now : { call: dialled, cause }));
    };
    void ask();
    // The record of the end may come a moment after the sound has ended.
    const timer = setTimeout(() => void ask(), 700);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [client, dialled, up]);
  useEffect(() => {
    if (!told) return;
    return () => {
      if (desk.getState().dialled === told.call) desk.getState().set({ dialled: null });
    };
  }, [told]);
  return told && told.call === dialled && !up ? endWords(t, told.cause) : '';
}

/** A call that the browser phone has and the server has not told of yet: it can be ended and muted all the same. */
function AtThePhone() {
  const t = useWords(consoleWords);
  const line = useDesk((now) => now.line);
  const phone = useDesk((now) => now.phone);
  const call = line.current;
  if (!call || !phone) return null;
  return (
    <>
      <span className="cw-call-who">
        <strong>{groupedPhone(call.number) || t('masked')}</strong>
        {call.answeredAt && <Duration since={new Date(call.answeredAt).toISOString()} />}
        <span className="cw-quiet">
          {call.state === 'active' ? t('state_talking') : t('state_connecting')}
        </span>
      </span>
      <span className="cw-callbar-space" />
      {call.state === 'active' && (
        <Button
          aria-pressed={call.muted}
          icon={call.muted ? <MicOff size={16} aria-hidden /> : <Mic size={16} aria-hidden />}
          onClick={() => phone.mute(!call.muted, call.id)}
        >
          {call.muted ? t('unmute') : t('mute')}
        </Button>
      )}
      <Button
        danger
        type="primary"
        icon={<PhoneOff size={16} aria-hidden />}
        onClick={() => phone.hangUp(call.id)}
      >
        {t('hangUp')}
      </Button>
    </>
  );
}

function Ringing({ focus }: { focus: Focus }) {
  const t = useWords(consoleWords);
  return (
    <>
      <Phone size={18} aria-hidden className="cw-ringing-icon" />
      <strong>{t('callFrom', { who: groupedPhone(focus.number) || t('masked') })}</strong>
    </>
  );
}

function InCall({
  call,
  offer,
  armed,
  setDialog,
}: {
  call: OwnCall;
  offer: Agent['call'] | null;
  armed: boolean;
  setDialog: (dialog: Dialog) => void;
}) {
  const t = useWords(consoleWords);
  const actions = useCallActions();
  const line = useDesk((now) => now.line);
  const third = call.parties.find((party) => party.role === 'third');
  const watched = call.parties.some((party) => party.role === 'supervisor' && party.watching !== 'listen');
  const away = call.parties.find((party) => party.away && party.up);
  const muted = isMuted(call, line);
  // Whoever is asked has the other one before them, and no more than a phone's own keys.
  const asked = call.role === 'third';
  const other = asked ? call.parties.find((party) => party.role === 'agent') : third;
  const name = other?.name || groupedPhone(other?.number ?? '');
  const stand = standOf(call);
  const held = stand === 'held';
  const over = call.state === 'over';
  const recording =
    call.recording === 'on'
      ? t('pauseRecording')
      : call.recording === 'paused'
        ? t('resumeRecording')
        : t('record');
  const words =
    asked && (stand === 'asking' || stand === 'waits')
      ? t(stand === 'asking' ? 'state_asked' : 'state_askedWaits', { name })
      : stand === 'waits'
        ? t('state_waits', { name })
        : stand === 'talking' || held
          ? t(`state_${stand}`)
          : isCallState(call.state)
            ? t(`state_${call.state}`, { name })
            : call.state;
  const colleague = useColleague(call.number);
  const who = offer?.customerName || (call.name === call.number ? '' : call.name) || colleague;

  return (
    <>
      <span className="cw-call-who">
        {who && <strong>{who}</strong>}
        {call.number ? <PhoneWords number={call.number} region={offer?.region} /> : t('masked')}
        <Duration since={call.answeredAt ?? call.since} />
        {!(watched || away) && (
          <span className="cw-quiet" title={words}>
            {words}
          </span>
        )}
        {watched && <StateTag tone="outbound">{t('state_supervised')}</StateTag>}
        {away && <StateTag tone="bad">{t(away.mine ? 'yourSoundGone' : 'theirSoundGone')}</StateTag>}
      </span>
      <span className="cw-callbar-space" />
      {!over && (
        <Button
          aria-pressed={muted}
          type={muted ? 'primary' : 'default'}
          icon={muted ? <MicOff size={16} aria-hidden /> : <Mic size={16} aria-hidden />}
          onClick={() => void actions.mute(call, !muted)}
        >
          {muted ? t('unmute') : t('mute')} <kbd>M</kbd>
        </Button>
      )}
      {(stand === 'talking' || held) && (
        <>
          <Button
            aria-pressed={held}
            type={held ? 'primary' : 'default'}
            icon={held ? <Play size={16} aria-hidden /> : <Pause size={16} aria-hidden />}
            onClick={() => void actions.hold(call)}
          >
            {held ? t('resume') : t('hold')} <kbd>H</kbd>
          </Button>
          <Button icon={<UserRoundPlus size={16} aria-hidden />} onClick={() => setDialog('consult')}>
            {t('consult')} <kbd>C</kbd>
          </Button>
          <Button icon={<PhoneForwarded size={16} aria-hidden />} onClick={() => setDialog('transfer')}>
            {t('transfer')} <kbd>T</kbd>
          </Button>
        </>
      )}
      {!asked && (stand === 'asking' || stand === 'waits' || stand === 'together') && (
        <>
          {stand !== 'together' && (
            <>
              {stand === 'asking' ? (
                <Button
                  icon={<ArrowLeftRight size={16} aria-hidden />}
                  onClick={() => void (third?.up ? actions.swap(call, 'customer') : actions.dropThird(call))}
                >
                  {t('backToCustomer')}
                </Button>
              ) : (
                <Button
                  className="cw-call-third"
                  icon={<ArrowLeftRight size={16} aria-hidden />}
                  onClick={() => void actions.swap(call, 'third')}
                >
                  {t('toThird', { name })}
                </Button>
              )}
              <Button
                icon={<Users size={16} aria-hidden />}
                disabled={!third?.up}
                onClick={() => void actions.join(call)}
              >
                {t('threeWay')}
              </Button>
            </>
          )}
          <Button
            className="cw-call-third"
            title={t('dropThird', { name })}
            icon={<UserRoundX size={16} aria-hidden />}
            onClick={() => void actions.dropThird(call)}
          >
            {t('dropThird', { name })}
          </Button>
          <Button
            type="primary"
            disabled={!third?.up}
            icon={<PhoneForwarded size={16} aria-hidden />}
            onClick={() => void actions.complete(call)}
          >
            {t('completeTransfer')}
          </Button>
        </>
      )}
      {!over && (
        <>
          <KeysButton call={call} short={Boolean(third)} />
          <Button
            aria-pressed={call.recording === 'on'}
            aria-label={recording}
            title={recording}
            icon={<Circle size={14} aria-hidden fill={call.recording === 'on' ? 'currentColor' : 'none'} />}
            onClick={() => void actions.record(call, call.recording !== 'on')}
          >
            {!third && recording}
          </Button>
        </>
      )}
      <Button
        danger
        type="primary"
        icon={<PhoneOff size={16} aria-hidden />}
        onClick={() => void actions.leave(call)}
      >
        {armed ? t('hangUpTwice') : t('hangUp')} {!armed && <kbd>Esc Esc</kbd>}
      </Button>
    </>
  );
}

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

/** `short`: only its picture, where others need the room. */
function KeysButton({ call, short }: { call: OwnCall; short: boolean }) {
  const t = useWords(consoleWords);
  const actions = useCallActions();
  return (
    <Popover
      trigger="click"
      title={t('keys')}
      content={
        <div className="cw-keypad" role="group" aria-label={t('keys')}>
          {KEYS.map((key) => (
            <Button key={key} onClick={() => void actions.press(call, key)}>
              {key}
            </Button>
          ))}
        </div>
      }
    >
      <Button aria-label={t('keys')} title={t('keys')} icon={<Grid3x3 size={16} aria-hidden />}>
        {!short && t('keys')}
      </Button>
    </Popover>
  );
}

/** Who is free comes first, who is not there last. */
const rankOf = (state: string): number => (state === 'ready' ? 0 : state === 'signed_out' ? 2 : 1);

type Target = 'colleague' | 'queue' | 'flow' | 'number';

/** Whom to transfer to or to ask: a colleague with their state, a queue, a flow, a number. */
function TargetDialog({
  kind,
  call,
  close,
}: {
  kind: 'transfer' | 'consult';
  call: OwnCall;
  close: () => void;
}) {
  const t = useWords(consoleWords);
  const c = useWords(common);
  const text = useText();
  const actions = useCallActions();
  const [target, setTarget] = useState<Target>('colleague');
  const [value, setValue] = useState('');
  const own = useDesk((now) => now.agent?.userId);
  const [answer] = useQuery({ query: TARGETS, requestPolicy: 'cache-and-network' });
  const colleagues = (answer.data?.agentDirectory ?? [])
    .filter((one) => one.extension && one.userId !== own)
    .sort((a, b) => rankOf(a.state) - rankOf(b.state) || a.displayName.localeCompare(b.displayName));
  const named = (key: string, label: string): Choice => ({ value: key, search: label, label });
  const choices: Record<Target, Choice[] | null> = {
    colleague: colleagues.map((one) => ({
      value: one.extension,
      search: `${one.displayName} ${one.extension} ${one.team}`,
      label: <Colleague one={one} />,
    })),
    queue: (answer.data?.queueNames ?? [])
      .filter((one) => one.enabled)
      .map((one) => named(one.name, text(one.label) || one.name)),
    flow: (answer.data?.transferFlows ?? []).map((one) => named(one.key, one.name)),
    number: null,
  };
  const number = value.replace(/[\s-]/g, '');

  const ask = async () => {
    await actions.consult(call, number);
    close();
  };
  const give = async () => {
    const to = target === 'queue' ? { queue: value } : target === 'flow' ? { flow: value } : { number };
    if (await actions.transfer(call, to)) close();
  };
  const targets: Target[] =
    kind === 'consult' ? ['colleague', 'number'] : ['colleague', 'queue', 'flow', 'number'];
  const words = {
    colleague: t('toColleague'),
    queue: t('toQueue'),
    flow: t('toFlow'),
    number: t('toNumber'),
  };

  return (
    <Modal
      open
      title={kind === 'transfer' ? t('transferTo') : t('consultWith')}
      onCancel={close}
      footer={[
        <Button key="cancel" onClick={close}>
          {c('cancel')}
        </Button>,
        ...(target === 'colleague' || target === 'number'
          ? [
              <Button
                key="ask"
                type={kind === 'consult' ? 'primary' : 'default'}
                disabled={!number}
                onClick={() => void ask()}
              >
                {kind === 'consult' ? t('consult') : t('askFirst')}
              </Button>,
            ]
          : []),
        ...(kind === 'transfer'
          ? [
              <Button key="now" type="primary" disabled={!value} onClick={() => void give()}>
                {t('blind')}
              </Button>,
            ]
          : []),
      ]}
    >
      <div className="cw-target">
        <Segmented<Target>
          block
          value={target}
          onChange={(next) => {
            setTarget(next);
            setValue('');
          }}
          options={targets.map((one) => ({ value: one, label: words[one] }))}
        />
        {answer.error && <Alert type="error" title={c('unknownError')} />}
        <TargetField
          key={target}
          label={words[target]}
          choices={choices[target]}
          value={value}
          onChange={setValue}
        />
      </div>
    </Modal>
  );
}

function Colleague({ one }: { one: { displayName: string; extension: string; state: string } }) {
  const t = useWords(consoleWords);
  return (
    <span className="cw-colleague">
      <span>
        {one.displayName} <span className="cw-num cw-quiet">{one.extension}</span>
      </span>
      <StateTag tone={TONES[one.state] ?? 'off'}>{isState(one.state) ? t(one.state) : one.state}</StateTag>
    </span>
  );
}

interface Choice {
  value: string;
  /** What is found by typing. */
  search: string;
  label: ReactNode;
}

/** One of the choices, found by typing; without any the number is written. */
function TargetField({
  label,
  choices,
  value,
  onChange,
}: {
  label: string;
  choices: Choice[] | null;
  value: string;
  onChange: (value: string) => void;
}) {
  const t = useWords(consoleWords);
  if (!choices)
    return (
      <Input
        autoFocus
        inputMode="tel"
        value={value}
        aria-label={label}
        placeholder={t('dialHint')}
        onChange={(event) => onChange(event.target.value)}
      />
    );
  return (
    <Select
      autoFocus
      showSearch={{ optionFilterProp: 'search' }}
      className="cw-wide"
      aria-label={label}
      placeholder={label}
      value={value || undefined}
      onChange={onChange}
      options={choices}
    />
  );
}
