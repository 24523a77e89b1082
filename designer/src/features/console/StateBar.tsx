/** The agent's own state, the next task, what is done and left, whether all are busy, what is announced. */
import { App, Badge, Button, Dropdown, Input, Popover, Progress } from 'antd';
import {
  Bell,
  BellOff,
  ChevronDown,
  Keyboard,
  LifeBuoy,
  Megaphone,
  MessageSquare,
  Phone as PhoneIcon,
} from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useQuery, useSubscription } from 'urql';
import { useChange } from '@/graphql/useChange';
import { useLanguage, useText, useWords } from '@/i18n';
import { Duration, duration, groupedPhone, IconButton, Past, StateTag, type Tone, useTick } from '@/ui';
import { ChatDrawer } from './ChatDrawer';
import { type Agent, desk, isOwnReason, useDesk } from './desk';
import { useGuestName } from './guest';
import {
  ANNOUNCEMENTS,
  CALL_FOR_HELP,
  CHANNELS,
  CONFIRM,
  END_HELP,
  END_WRAP_UP,
  HOUSE_NEWS,
  MY_AGENT,
  MY_QUEUES,
  NOT_READY,
  READY,
  SIGN_IN,
  SIGN_OUT,
} from './operations';
import { ringOn, setRing } from './ring';
import { useTasks } from './tasks';
import { consoleWords } from './words';

export const TONES: Record<string, Tone> = {
  ready: 'good',
  offered: 'act',
  talking: 'act',
  busy: 'outbound',
  wrap_up: 'wait',
  not_ready: 'off',
  signed_out: 'off',
};

const STATES = ['ready', 'not_ready', 'offered', 'talking', 'wrap_up', 'busy', 'signed_out'] as const;
export type AgentState = (typeof STATES)[number];
export const isState = (state: string): state is AgentState => (STATES as readonly string[]).includes(state);

/** Counters sit on the button, not outside of the bar. */
const BADGE: [number, number] = [-6, 6];

export function StateBar({ toggle }: { toggle: number }) {
  const t = useWords(consoleWords);
  const text = useText();
  const { message } = App.useApp();
  const agent = useDesk((now) => now.agent) as Agent;
  const [more] = useQuery({ query: MY_AGENT });
  const [signIn, signingIn] = useChange(SIGN_IN);
  const [signOut] = useChange(SIGN_OUT);
  const [ready, goingReady] = useChange(READY);
  const [notReady] = useChange(NOT_READY);
  const [endWrapUp] = useChange(END_WRAP_UP);
  const [chat, setChat] = useState(false);
  const [ringing, setRinging] = useState(ringOn);
  const [queues] = useSubscription({ query: MY_QUEUES });
  const { board, tasks } = useTasks();
  const take = (answer: { value: Agent | null }) => {
    if (answer.value) desk.getState().set({ agent: answer.value });
  };
  const reasons = (more.data?.agentReasons ?? []).filter((one) => one.enabled);
  const reasonOf = (key: string) => {
    const found = reasons.find((one) => one.key === key);
    if (found) return text({ zh: found.labelZh, en: found.labelEn });
    return isOwnReason(key) ? t(`reason_${key}`) : key;
  };
  const nameOf = (state: string, reason: string) =>
    state === 'not_ready' && reason
      ? t('notReadyFor', { reason: reasonOf(reason) })
      : isState(state)
        ? t(state)
        : state;

  const nameOfGuest = useGuestName();
  const visited = useDesk((now) =>
    now.calls.find((one) => one.role === 'supervisor' || one.role === 'third'),
  );
  const host = visited?.parties.find((one) => one.role === 'agent');
  const guest = nameOfGuest({
    state: agent.state,
    guest: visited?.role === 'third' ? 'third' : (visited?.parties.find((one) => one.mine)?.watching ?? ''),
    hostName: host?.name || groupedPhone(host?.number ?? ''),
  });

  const last = useRef(toggle);
  useEffect(() => {
    if (toggle === last.current) return;
    last.current = toggle;
    if (agent.state === 'ready') void notReady({ reason: '' }).then(take);
    else if (agent.state === 'wrap_up') void endWrapUp({}).then(take);
    else if (agent.state === 'not_ready') void ready({}).then(take);
  });

  const mine = queues.data?.myQueues ?? [];
  const waiting = mine.reduce((sum, one) => sum + one.waiting, 0);
  const allBusy = mine.some((one) => one.allBusy);
  const done = board?.done ?? 0;
  const left = board?.left ?? 0;
  const next = tasks.find((task) => task.state === 'open' || task.state === 'taken');

  return (
    <header
      className="cw-statebar"
      data-full={agent.state === 'wrap_up' || Boolean(agent.wish)}
      data-help={Boolean(agent.helpSince)}
    >
      {agent.state === 'signed_out' ? (
        <Button
          type="primary"
          loading={signingIn}
          title={t('signInHelp')}
          onClick={() => void signIn({ ready: true }).then(take)}
        >
          {t('signIn')}
        </Button>
      ) : (
        <Dropdown
          trigger={['click']}
          menu={{
            items: [
              {
                key: 'ready',
                label: <StateTag tone="good">{t('ready')}</StateTag>,
                disabled: agent.state === 'ready',
              },
              {
                key: 'reasons',
                type: 'group',
                label: t('not_ready'),
                children: [
                  { key: 'not:', label: <StateTag tone="off">{t('noReason')}</StateTag> },
                  ...reasons.map((one) => ({
                    key: `not:${one.key}`,
                    label: <StateTag tone="off">{text({ zh: one.labelZh, en: one.labelEn })}</StateTag>,
                  })),
                ],
              },
              { type: 'divider' },
              { key: 'out', label: t('signOut') },
            ],
            onClick: ({ key }) => {
              if (key === 'ready') void ready({}).then(take);
              else if (key === 'out') void signOut({}).then(take);
              else void notReady({ reason: key.slice(4) }).then(take);
            },
          }}
        >
          <Button className="cw-state-button" loading={goingReady}>
            <StateTag tone={TONES[agent.state] ?? 'off'}>
              {guest || nameOf(agent.state, agent.reason)}
            </StateTag>
            <Duration since={agent.since} />
            <Past at={agent.limitAt}>{t('overLimit')}</Past>
            <ChevronDown size={14} aria-hidden />
          </Button>
        </Dropdown>
      )}
      {agent.wish && (
        <span className="cw-quiet">{t('afterCall', { state: nameOf(agent.wish, agent.wishReason) })}</span>
      )}
      {agent.state === 'wrap_up' && (
        <Button onClick={() => void endWrapUp({}).then(take)}>
          {t('endWrapUp')} {agent.until && <Countdown until={agent.until} />}
        </Button>
      )}
      <span className="cw-who">
        <strong>{agent.displayName}</strong> <span className="cw-num cw-quiet">{agent.extension}</span>
      </span>
      <PhoneState />
      <Help />
      <span className="cw-statebar-middle">
        {next && (
          <span className="cw-next cw-quiet">
            {t('nextTask', {
              what: `${timeOf(next.dueAt)} ${next.customer?.name || next.title || groupedPhone(next.number)}`,
            })}
          </span>
        )}
        <span className="cw-progress">
          <span className="cw-num">
            {t('done')} <strong>{done}</strong> · {t('left')} <strong>{left}</strong>
          </span>
          <Progress
            percent={done + left === 0 ? 100 : Math.round((done / (done + left)) * 100)}
            showInfo={false}
            size="small"
            aria-label={`${t('done')} ${done}, ${t('left')} ${left}`}
          />
        </span>
        <StateTag tone={allBusy ? 'bad' : waiting > 0 ? 'wait' : 'off'}>
          {allBusy ? `${t('allBusy')} · ` : ''}
          {waiting > 0 ? t('waiting', { count: waiting }) : t('nobodyWaits')}
        </StateTag>
      </span>
      <span className="cw-statebar-tools">
        <Announcements />
        <IconButton
          label={t('ringSound')}
          icon={ringing ? <Bell size={16} /> : <BellOff size={16} />}
          onClick={() => {
            setRing(!ringing);
            setRinging(!ringing);
          }}
        />
        <Popover trigger="click" placement="bottomRight" title={t('shortcuts')} content={<Shortcuts />}>
          <Button type="text" aria-label={t('shortcuts')} icon={<Keyboard size={16} />} />
        </Popover>
        <ChatButton open={() => setChat(true)} />
      </span>
      <ChatDrawer open={chat} close={() => setChat(false)} onError={(words) => void message.error(words)} />
    </header>
  );
}

/** Calls a supervisor, and tells who comes. */
function Help() {
  const t = useWords(consoleWords);
  const agent = useDesk((now) => now.agent);
  const [call, calling] = useChange(CALL_FOR_HELP);
  const [end] = useChange(END_HELP);
  const [open, setOpen] = useState(false);
  const [note, setNote] = useState('');
  if (!agent || agent.state === 'signed_out') return null;
  const take = (answer: { value: Agent | null }) => {
    if (!answer.value) return;
    desk.getState().set({ agent: answer.value });
    setOpen(false);
    setNote('');
  };
  if (agent.helpSince)
    return (
      <span className="cw-help">
        <StateTag tone={agent.helpByName ? 'act' : 'bad'}>
          {agent.helpByName ? t('helpComes', { who: agent.helpByName }) : t('helpWaits')}
        </StateTag>
        <Duration since={agent.helpSince} />
        <Button size="small" onClick={() => void end({}).then(take)}>
          {t('helpEnd')}
        </Button>
      </span>
    );
  return (
    <Popover
      trigger="click"
      placement="bottomLeft"
      open={open}
      onOpenChange={setOpen}
      title={t('help')}
      content={
        <form
          className="cw-help-form"
          onSubmit={(event) => {
            event.preventDefault();
            void call({ note }).then(take);
          }}
        >
          <p className="cw-quiet">{t('helpHelp')}</p>
          <Input
            value={note}
            maxLength={500}
            aria-label={t('helpNote')}
            placeholder={t('helpNote')}
            onChange={(event) => setNote(event.target.value)}
          />
          <Button type="primary" htmlType="submit" loading={calling}>
            {t('helpSend')}
          </Button>
        </form>
      }
    >
      <Button icon={<LifeBuoy size={16} aria-hidden />}>{t('help')}</Button>
    </Popover>
  );
}

function timeOf(at: string): string {
  return new Date(at).toTimeString().slice(0, 5);
}

function Countdown({ until }: { until: string }) {
  const language = useLanguage();
  useTick(1000);
  return (
    <span className="cw-num">{duration(Math.max(0, (Date.parse(until) - Date.now()) / 1000), language)}</span>
  );
}

function PhoneState() {
  const t = useWords(consoleWords);
  const agent = useDesk((now) => now.agent);
  const line = useDesk((now) => now.line);
  const phone = useDesk((now) => now.phone);
  if (!agent || agent.state === 'signed_out') return null;
  if (agent.phoneKind !== 'browser')
    return (
      <span className="cw-quiet">
        {agent.phoneKind === 'sip' ? t('phoneSip', { extension: agent.extension }) : t('phoneOutside')}
      </span>
    );
  const problem = line.error?.code;
  if (line.state === 'failed' || (problem && problem !== 'connection_lost'))
    return (
      <span className="cw-phone-problem" role="alert">
        {problemWords(t, problem ?? line.state)}
        <Button size="small" onClick={() => void mend().catch(() => {})}>
          {problem === 'sound_blocked' ? t('hear') : t('phoneRetry')}
        </Button>
      </span>
    );
  if (line.state === 'ready')
    return (
      <span className="cw-phone-ready" title={t('phoneReady')}>
        <StateTag tone="good">
          <PhoneIcon size={14} aria-hidden /> <span>{t('phoneReady')}</span>
        </StateTag>
      </span>
    );
  return (
    <StateTag tone="wait">{line.state === 'reconnecting' ? t('phoneLost') : t('phoneConnecting')}</StateTag>
  );

  async function mend(): Promise<void> {
    if (problem === 'sound_blocked') return phone?.resumeSound();
    phone?.stop();
    return phone?.start();
  }
}

const PROBLEMS = [
  'microphone_denied',
  'microphone_missing',
  'microphone_busy',
  'insecure_page',
  'webrtc_unsupported',
  'media_failed',
  'sound_blocked',
  'credentials_refused',
] as const;
type Problem = (typeof PROBLEMS)[number];
/** How a call that one made ended. */
const ENDS = {
  busy: 'endBusy',
  rejected: 'endRejected',
  no_answer: 'endNoAnswer',
  not_found: 'endNotFound',
  unavailable: 'endUnavailable',
  connection_lost: 'endLost',
  unknown_number: 'endNotFound',
  congestion: 'endUnavailable',
  failed: 'endUnavailable',
} as const;
type End = keyof typeof ENDS;

/** Why the phone did not work, and what helps. */
export function problemWords(
  t: (key: Problem | (typeof ENDS)[End] | 'otherProblem', values?: Record<string, string>) => string,
  code: string,
): string {
  if (code in ENDS) return t(ENDS[code as End]);
  return (PROBLEMS as readonly string[]).includes(code) ? t(code as Problem) : t('otherProblem', { code });
}

/** Why nobody was reached; empty where the caller gave up. */
export function endWords(t: (key: (typeof ENDS)[End]) => string, cause: string): string {
  if (cause === '' || cause === 'cancelled') return '';
  if (cause === 'normal') return t('endNoAnswer');
  return t(cause in ENDS ? ENDS[cause as End] : 'endUnavailable');
}

function Shortcuts() {
  const t = useWords(consoleWords);
  const rows = [
    ['Enter', t('shortcutAnswer')],
    ['H', t('shortcutHold')],
    ['M', t('shortcutMute')],
    ['T', t('shortcutTransfer')],
    ['C', t('shortcutConsult')],
    ['Esc Esc', t('shortcutHangUp')],
    ['Ctrl Enter', t('shortcutNext')],
    ['Alt R', t('shortcutReady')],
    ['Alt A / H / M / T / C', t('shortcutTyping')],
  ] as const;
  return (
    <dl className="cw-shortcuts">
      {rows.map(([key, what]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  );
}

function ChatButton({ open }: { open: () => void }) {
  const t = useWords(consoleWords);
  const [channels, again] = useQuery({ query: CHANNELS, requestPolicy: 'cache-and-network' });
  useSubscription({ query: HOUSE_NEWS }, (_, news) => {
    again({ requestPolicy: 'network-only' });
    return news;
  });
  const unread = (channels.data?.chatChannels ?? []).reduce((sum, one) => sum + one.unread, 0);
  return (
    <Badge count={unread} size="small" offset={BADGE}>
      <IconButton label={t('messages')} icon={<MessageSquare size={16} />} onClick={open} />
    </Badge>
  );
}

/** The running line, and announcements that one confirms; those that are confirmed can be read again. */
function Announcements() {
  const t = useWords(consoleWords);
  const [answer, again] = useQuery({ query: ANNOUNCEMENTS, requestPolicy: 'cache-and-network' });
  const [confirm] = useChange(CONFIRM);
  useSubscription({ query: HOUSE_NEWS }, (_, news) => {
    if (news.houseNews.what === 'announced') again({ requestPolicy: 'network-only' });
    return news;
  });
  // They begin and end by the clock.
  useEffect(() => {
    const timer = setInterval(() => again({ requestPolicy: 'network-only' }), 60_000);
    return () => clearInterval(timer);
  }, [again]);
  const all = answer.data?.currentAnnouncements ?? [];
  const line = (answer.data?.runningLines ?? []).map((one) => one.text);
  const open = all.filter((one) => !one.confirmed);
  return (
    <>
      {line.length > 0 && (
        <div className="cw-line" role="marquee" title={line.join(' · ')}>
          <span>{line.join('　·　')}</span>
        </div>
      )}
      <Popover
        trigger="click"
        placement="bottomRight"
        title={t('announcements')}
        content={
          <div className="cw-announcements">
            {all.length === 0 && <span className="cw-quiet">{t('noAnnouncements')}</span>}
            {[...open, ...all.filter((one) => one.confirmed)].map(({ announcement, confirmed }) => (
              <article key={announcement.id} data-read={confirmed}>
                <h4>
                  {announcement.urgent && <StateTag tone="bad">{t('urgent')}</StateTag>} {announcement.title}
                </h4>
                <p>{announcement.text}</p>
                {confirmed ? (
                  <StateTag tone="good">{t('confirmed')}</StateTag>
                ) : (
                  <Button
                    size="small"
                    onClick={async () => {
                      await confirm({ id: announcement.id });
                      again({ requestPolicy: 'network-only' });
                    }}
                  >
                    {t('confirm')}
                  </Button>
                )}
              </article>
            ))}
          </div>
        }
      >
        <Badge count={open.length} size="small" offset={BADGE}>
          <Button type="text" aria-label={t('announcements')} icon={<Megaphone size={16} />} />
        </Badge>
      </Popover>
    </>
  );
}
