/** The wall: agents as tiles, queues as a strip, lines as a list; whoever is chosen is listened to and helped. */
import { App, Button, Dropdown, Form, Modal, Segmented, Select, Spin, Switch } from 'antd';
import {
  Disc,
  Ear,
  Hand,
  LayoutGrid,
  Maximize2,
  Megaphone,
  MessageCircle,
  Minimize2,
  PhoneOff,
  Users,
} from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { Link } from 'react-router';
import { useQuery } from 'urql';
import { useMay, useSession } from '@/app/session';
import { graphql } from '@/gql';
import { useChange } from '@/graphql/useChange';
import { say, useLanguage, useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { said, textNow } from '@/i18n/said';
import {
  Duration,
  duration,
  EmptyState,
  groupedPhone,
  IconButton,
  Past,
  Phone,
  StateTag,
  type Tone,
  useTick,
} from '@/ui';
import { useFilters } from '@/ui/filters';
import { desk, isOwnReason, useDesk } from '../console/desk';
import { guestOf, useGuestName } from '../console/guest';
import { LEAVE } from '../console/operations';
import {
  countsOf,
  type FloorAgent,
  type FloorQueue,
  inOrder,
  type Order,
  talkOf,
  useFloor,
  useNewAlerts,
  useNewHelp,
} from './floor';
import { Lines, TrunkStrip } from './Lines';
import { type Trunk, useGoneTrunks, useLines } from './liveLines';
import { Waiting } from './Waiting';
import './floor.css';
import { floorWords } from './words';

const WATCH = graphql(`
  mutation WatchCall($call: String!, $mode: String!, $op: String!) {
    watchCall(callId: $call, mode: $mode, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
const STOP = graphql(`
  mutation StopWatch($call: String!, $op: String!) {
    stopWatch(callId: $call, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
const TAKE_OVER = graphql(`
  mutation TakeOverCall($call: String!, $op: String!) {
    takeOverCall(callId: $call, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
const ANSWER_HELP = graphql(`
  mutation AnswerHelp($user: String!) {
    answerHelp(userId: $user) { value { userId helpBy } errors { ...Refusal } }
  }
`);
const RELEASE = graphql(`
  mutation ReleaseCall($call: String!, $op: String!) {
    releaseCall(callId: $call, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
const RECORD = graphql(`
  mutation RecordAgent($call: String!, $op: String!) {
    recordCall(callId: $call, on: true, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
const FORCE = graphql(`
  mutation ForceAgentState($user: String!, $state: String!) {
    forceAgentState(userId: $user, state: $state) {
      value { userId state } errors { ...Refusal }
    }
  }
`);
const MOVE = graphql(`
  mutation MoveAgents($users: [String!]!, $team: String!, $queues: [String!]) {
    moveAgents(userIds: $users, team: $team, queues: $queues) {
      value errors { ...Refusal }
    }
  }
`);
const TEAMS = graphql(`
  query FloorTeams {
    teams { key name }
    queueNames { name label { zh en } enabled }
    agentReasons { key labelZh labelEn }
  }
`);
const TONES: Record<string, Tone> = {
  ready: 'good',
  offered: 'act',
  talking: 'act',
  busy: 'outbound',
  wrap_up: 'wait',
  not_ready: 'off',
  signed_out: 'off',
};
const STATES = ['ready', 'not_ready', 'talking', 'wrap_up', 'busy', 'signed_out'] as const;
type Known = (typeof STATES)[number];

const KEYS = ['view', 'order', 'group'] as const;
const ORDERS = ['state', 'name', 'time'] as const;

const op = (): string => crypto.randomUUID();

export default function FloorPage() {
  const t = useWords(floorWords);
  const text = useText();
  const { notification } = App.useApp();
  const mayAct = useMay('floor.act');
  const { floor } = useFloor();
  const lines = useLines();
  const [filters, setFilters] = useFilters('floor', KEYS);
  const order: Order = ORDERS.find((one) => one === filters.order) ?? 'state';
  const grouped = filters.group === 'team';
  const view = filters.view === 'lines' ? 'lines' : 'agents';
  const [big, setBig] = useState(false);
  const [sound, setSound] = useState(() => localStorage.getItem('callweave.floor.sound') !== 'off');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [moving, setMoving] = useState(false);
  const [teams] = useQuery({ query: TEAMS });

  const told = useCallback(
    (queue: FloorQueue) => {
      notification.warning({
        key: queue.name,
        title: said(() => say(floorWords, 'alert', { queue: textNow(queue.label) || queue.name })),
      });
      if (sound) beep();
    },
    [notification, sound],
  );
  useNewAlerts(floor?.queues, told);

  const me = useSession().person.id;
  const calling = useCallback(
    (agent: FloorAgent) => {
      // Whoever calls for help knows.
      if (agent.userId === me) return;
      notification.warning({
        key: `help-${agent.userId}`,
        title: said(() => say(floorWords, 'helpCalled', { who: agent.displayName })),
        description: agent.helpNote,
      });
      if (sound) beep();
    },
    [notification, sound, me],
  );
  useNewHelp(floor?.agents, calling);

  const gone = useCallback(
    (trunk: Trunk) => {
      const key = trunk.state === 'rejected' ? 'trunkRejected' : 'trunkDown';
      notification.error({
        key: `trunk-${trunk.id}`,
        title: said(() => say(floorWords, key, { trunk: trunk.name })),
      });
      if (sound) beep();
    },
    [notification, sound],
  );
  useGoneTrunks(lines?.trunks, gone);

  const agents = useMemo(() => inOrder(floor?.agents.values() ?? [], order), [floor, order]);
  const counts = countsOf(agents);
  const teamName = (key: string) =>
    teams.data?.teams.find((one) => one.key === key)?.name || key || t('noTeam');
  const reasonOf = (agent: FloorAgent) => {
    if (agent.state !== 'not_ready' || !agent.reason) return '';
    const found = teams.data?.agentReasons.find((one) => one.key === agent.reason);
    if (found) return text({ zh: found.labelZh, en: found.labelEn });
    return isOwnReason(agent.reason) ? t(`reason_${agent.reason}`) : agent.reason;
  };
  const groups = useMemo(() => {
    if (!grouped) return [['', agents]] as [string, FloorAgent[]][];
    const found = new Map<string, FloorAgent[]>();
    for (const agent of agents) found.set(agent.team, [...(found.get(agent.team) ?? []), agent]);
    return [...found].sort(([a], [b]) => a.localeCompare(b));
  }, [agents, grouped]);

  if (!floor) return <Spin className="cw-page-spin" />;
  return (
    <div className={big ? 'cw-floor big' : 'cw-floor'}>
      <header className="cw-floor-head">
        <h1>{t('title')}</h1>
        <dl className="cw-floor-counts">
          <Count label={t('serving')} value={counts.serving} tone="act" />
          <Count label={t('idle')} value={counts.idle} tone="good" />
          <Count label={t('wrapUp')} value={counts.wrapUp} tone="wait" />
          <Count label={t('notReady')} value={counts.notReady} tone="off" />
          <Count label={t('closed')} value={counts.closed} tone="off" />
        </dl>
        <span className="cw-callbar-space" />
        {!big && (
          <>
            <Segmented<'agents' | 'lines'>
              size="small"
              value={view}
              onChange={(to) => setFilters({ view: to === 'agents' ? '' : to })}
              options={[
                { value: 'agents', label: t('agents') },
                { value: 'lines', label: lines ? `${t('lines')} ${lines.lines.size}` : t('lines') },
              ]}
            />
            <Select<Order>
              size="small"
              value={order}
              aria-label={t('sortState')}
              onChange={(to) => setFilters({ order: to === 'state' ? '' : to })}
              options={[
                { value: 'state', label: t('sortState') },
                { value: 'name', label: t('sortName') },
                { value: 'time', label: t('sortTime') },
              ]}
            />
            <span>
              <Switch
                size="small"
                checked={grouped}
                onChange={(on) => setFilters({ group: on ? 'team' : '' })}
                aria-label={t('group')}
              />{' '}
              {t('group')}
            </span>
            <span>
              <Switch
                size="small"
                checked={sound}
                aria-label={t('sound')}
                onChange={(on) => {
                  localStorage.setItem('callweave.floor.sound', on ? 'on' : 'off');
                  setSound(on);
                }}
              />{' '}
              {t('sound')}
            </span>
          </>
        )}
        <IconButton
          size="small"
          label={big ? t('leaveBigScreen') : t('bigScreen')}
          icon={big ? <Minimize2 size={16} /> : <Maximize2 size={16} />}
          onClick={() => setBig(!big)}
        />
      </header>
      <Watching />
      <QueueStrip queues={floor.queues} />
      <TrunkStrip trunks={lines?.trunks ?? NO_TRUNKS} />
      <div className="cw-floor-main">
        {view === 'lines' ? (
          <Lines lines={[...(lines?.lines.values() ?? [])]} loading={!lines} />
        ) : agents.length === 0 ? (
          <EmptyState
            icon={<LayoutGrid size={32} aria-hidden />}
            title={t('noAgents')}
            help={t('noAgentsHelp')}
            action={<Link to="/agents">{t('setUp')}</Link>}
          />
        ) : (
          groups.map(([team, members]) => (
            <section key={team} aria-label={grouped ? teamName(team) : t('agents')}>
              {grouped && <h2>{teamName(team)}</h2>}
              <ul className="cw-wall">
                {members.map((agent) => (
                  <Tile
                    key={agent.userId}
                    agent={agent}
                    reason={reasonOf(agent)}
                    mayAct={mayAct}
                    chosen={chosen.has(agent.userId)}
                    choose={(on) => {
                      const next = new Set(chosen);
                      if (on) next.add(agent.userId);
                      else next.delete(agent.userId);
                      setChosen(next);
                    }}
                  />
                ))}
              </ul>
            </section>
          ))
        )}
      </div>
      {chosen.size > 0 && (
        <footer className="cw-floor-chosen">
          <strong>{t('selected', { count: chosen.size })}</strong>
          <Button icon={<Users size={14} aria-hidden />} onClick={() => setMoving(true)}>
            {t('moveTo')}
          </Button>
          <Button type="text" onClick={() => setChosen(new Set())}>
            {t('clear')}
          </Button>
        </footer>
      )}
      {moving && (
        <MoveDialog
          users={[...chosen]}
          teams={teams.data?.teams ?? []}
          queues={(teams.data?.queueNames ?? []).map((one) => ({
            value: one.name,
            label: text(one.label) || one.name,
          }))}
          close={(done) => {
            setMoving(false);
            if (done) setChosen(new Set());
          }}
        />
      )}
    </div>
  );
}

const NO_TRUNKS: readonly Trunk[] = [];

function beep(): void {
  try {
    const context = new AudioContext();
    const tone = context.createOscillator();
    const gain = context.createGain();
    gain.gain.value = 0.06;
    tone.frequency.value = 880;
    tone.connect(gain).connect(context.destination);
    tone.start();
    tone.stop(context.currentTime + 0.25);
    tone.onended = () => void context.close();
  } catch {
    // A browser without sound still shows the alert.
  }
}

function Count({ label, value, tone }: { label: string; value: number; tone: Tone }) {
  return (
    <div>
      <dt>
        <StateTag tone={tone}>{label}</StateTag>
      </dt>
      <dd className="cw-num">{value}</dd>
    </div>
  );
}

function QueueStrip({ queues }: { queues: readonly FloorQueue[] }) {
  const t = useWords(floorWords);
  const text = useText();
  const language = useLanguage();
  const [open, setOpen] = useState<string | null>(null);
  useTick(1000);
  if (queues.length === 0) return <p className="cw-quiet cw-floor-none">{t('noQueues')}</p>;
  const shown = queues.find((one) => one.name === open);
  return (
    <>
      <ul className="cw-queues" aria-label={t('queues')}>
        {queues.map((queue) => {
          const longest = queue.longestSince ? (Date.now() - Date.parse(queue.longestSince)) / 1000 : 0;
          return (
            <li key={queue.name} data-alert={queue.alerts.length > 0}>
              <button
                type="button"
                aria-expanded={open === queue.name}
                onClick={() => setOpen(open === queue.name ? null : queue.name)}
              >
                <strong>{text(queue.label) || queue.name}</strong>
                <dl>
                  <Figure label={t('waiting')} alert={queue.alerts.includes('waiting')} large>
                    {queue.waiting}
                  </Figure>
                  <Figure label={t('longest')} alert={queue.alerts.includes('longest')}>
                    {queue.longestSince ? duration(Math.max(0, longest), language) : '–'}
                  </Figure>
                  <Figure label={t('expected')} alert={queue.alerts.includes('expected')}>
                    {queue.expected === null || queue.expected === undefined
                      ? t('nobodyWorks')
                      : duration(queue.expected, language)}
                  </Figure>
                  <Figure
                    label={t('serviceLevel')}
                    title={t('target', { target: queue.serviceLevelTarget })}
                    alert={queue.alerts.includes('service_level')}
                  >
                    {queue.serviceLevel === null || queue.serviceLevel === undefined
                      ? '–'
                      : Math.round(queue.serviceLevel)}{' '}
                    / {queue.serviceLevelTarget} %
                  </Figure>
                  <Figure label={t('abandoned')}>
                    {queue.abandoned} / {queue.offered}
                  </Figure>
                  <Figure label={t('readyAgents')}>
                    {queue.ready} / {queue.signedIn}
                  </Figure>
                </dl>
              </button>
            </li>
          );
        })}
      </ul>
      {shown && <Waiting queue={shown} />}
    </>
  );
}

function Figure({
  label,
  title,
  alert,
  large,
  children,
}: {
  label: string;
  title?: string;
  alert?: boolean;
  large?: boolean;
  children: React.ReactNode;
}) {
  return (
    <div data-alert={alert} data-large={large} title={title}>
      <dt>{label}</dt>
      <dd className="cw-num">{children}</dd>
    </div>
  );
}

function Tile({
  agent,
  reason,
  mayAct,
  chosen,
  choose,
}: {
  agent: FloorAgent;
  /** Why somebody is not ready. */
  reason: string;
  mayAct: boolean;
  chosen: boolean;
  choose: (on: boolean) => void;
}) {
  const t = useWords(floorWords);
  const c = useWords(common);
  const text = useText();
  const { message, modal } = App.useApp();
  const maySupervise = useMay('calls.supervise');
  const own = useSession().person.id === agent.userId;
  const [watch] = useChange(WATCH);
  const [release] = useChange(RELEASE);
  const [answerHelp] = useChange(ANSWER_HELP);
  const [record] = useChange(RECORD);
  const [force] = useChange(FORCE);
  const call = agent.call;
  const guest = useGuestName()(agent);
  // The call of a guest is another agent's: whatever is done in it is done there.
  const inCall = Boolean(call?.callId) && ['talking', 'busy'].includes(agent.state) && !guestOf(agent);
  const stands = talkOf(agent);
  const tone: Tone = stands === 'held' ? 'wait' : (TONES[agent.state] ?? 'off');
  const stateName = stands
    ? t(stands)
    : agent.state === 'offered'
      ? t('offeredState')
      : (STATES as readonly string[]).includes(agent.state)
        ? t(agent.state as Known)
        : agent.state;
  const enter = (mode: string) => {
    if (call) void watch({ call: call.callId, mode, op: op() });
  };
  const set = async (state: string) => {
    const answer = await force({ user: agent.userId, state });
    if (!answer.value) return;
    const key = answer.value.state === state ? 'forced' : 'forcedAfter';
    void message.success(t(key, { who: agent.displayName, state: t(state as Known) }));
  };
  /** Asks before something that this agent cannot take back. */
  const confirmed = (what: string, help: string, act: () => Promise<unknown>) =>
    modal.confirm({
      title: c('named', { what, name: agent.displayName }),
      content: help,
      okText: what,
      cancelText: c('cancel'),
      okButtonProps: { danger: true },
      onOk: act,
    });
  return (
    <li
      className="cw-tile"
      data-state={agent.state}
      data-chosen={chosen}
      style={{ '--tone': `var(--${tone})` } as React.CSSProperties}
    >
      <div className="cw-tile-head">
        {mayAct && (
          <input
            type="checkbox"
            aria-label={`${t('choose')} ${agent.displayName}`}
            checked={chosen}
            onChange={(event) => choose(event.target.checked)}
          />
        )}
        <strong>{agent.displayName}</strong>
        <span className="cw-num cw-quiet">{agent.extension}</span>
      </div>
      <div className="cw-tile-state">
        <StateTag tone={tone}>{reason ? t('notReadyFor', { reason }) : guest || stateName}</StateTag>
        <Duration since={agent.since} />
        <Past at={agent.limitAt}>{t('overLimit')}</Past>
      </div>
      <div className="cw-tile-call">
        {call && agent.state !== 'wrap_up' ? (
          <>
            {call.vip && <span className="cw-ring-vip">VIP</span>}{' '}
            {call.customerName || <Phone number={call.caller} region={call.region} />}
            {call.queue && (
              <>
                {' '}
                <span className="cw-quiet cw-tile-queue">· {text(call.queueLabel) || call.queue}</span>
              </>
            )}
          </>
        ) : (
          <span className="cw-quiet">{t('calls', { count: agent.calls })}</span>
        )}
      </div>
      {agent.away && inCall && (
        <div className="cw-tile-away">
          <StateTag tone="bad">{t(agent.away === 'own' ? 'awayOwn' : 'awayOther')}</StateTag>
        </div>
      )}
      {agent.helpSince && (
        <div className="cw-tile-help">
          <StateTag tone={agent.helpBy ? 'act' : 'bad'}>
            {agent.helpBy ? t('helpedBy', { who: agent.helpByName }) : t('needsHelp')}
          </StateTag>
          <Duration since={agent.helpSince} />
          {agent.helpNote && <span>{agent.helpNote}</span>}
          {mayAct && !own && !agent.helpBy && (
            <Button size="small" type="primary" onClick={() => void answerHelp({ user: agent.userId })}>
              {t('answerHelp')}
            </Button>
          )}
        </div>
      )}
      <div className="cw-tile-actions">
        {inCall && maySupervise && !own && (
          <>
            <Button size="small" icon={<Ear size={14} aria-hidden />} onClick={() => enter('listen')}>
              {t('listen')}
            </Button>
            <Dropdown
              trigger={['click']}
              menu={{
                items: [
                  { key: 'whisper', icon: <MessageCircle size={14} />, label: t('whisper') },
                  { key: 'barge', icon: <Megaphone size={14} />, label: t('barge') },
                  { type: 'divider' },
                  { key: 'record', icon: <Disc size={14} />, label: t('recordAgent') },
                  { key: 'release', danger: true, icon: <PhoneOff size={14} />, label: t('release') },
                ],
                onClick: ({ key }) => {
                  if (!call) return;
                  if (key === 'whisper' || key === 'barge') enter(key);
                  if (key === 'record') void record({ call: call.callId, op: op() });
                  if (key === 'release')
                    confirmed(t('release'), t('releaseHelp'), () => release({ call: call.callId, op: op() }));
                },
              }}
            >
              <Button size="small">{c('more')}</Button>
            </Dropdown>
          </>
        )}
        {mayAct && agent.state !== 'signed_out' && (
          <Dropdown
            trigger={['click']}
            menu={{
              items: [
                { key: 'ready', label: t('forceReady') },
                { key: 'not_ready', label: t('forceNotReady') },
                { key: 'signed_out', label: t('forceSignOut'), danger: true },
              ],
              onClick: ({ key }) => {
                if (key !== 'signed_out') return void set(key);
                confirmed(t('forceSignOut'), t('signOutHelp'), () => set(key));
              },
            }}
          >
            <Button
              size="small"
              type="text"
              aria-label={`${t('state')} ${agent.displayName}`}
              icon={<Hand size={14} />}
            />
          </Dropdown>
        )}
      </div>
    </li>
  );
}

/** The call that this supervisor is in, and how: change the mode, take over, leave. */
function Watching() {
  const t = useWords(floorWords);
  const calls = useDesk((now) => now.calls);
  const line = useDesk((now) => now.line);
  const [watch] = useChange(WATCH);
  const [stop] = useChange(STOP);
  const [takeOver] = useChange(TAKE_OVER);
  const [leave] = useChange(LEAVE);
  const call = calls.find((one) => one.role === 'supervisor');
  if (!call) return null;
  const mine = call.parties.find((party) => party.mine);
  const mode = mine?.watching ?? 'listen';
  const agent = call.parties.find((party) => party.role === 'agent');
  const who = agent?.name || groupedPhone(agent?.number ?? '');
  const incoming = line.calls.find((one) => one.state === 'incoming');
  // The controls take hold once the phone is answered.
  const rings = call.state === 'ringing' || incoming !== undefined;
  return (
    <section className="cw-watching" role="status">
      {rings ? (
        <>
          <span>{t('watching')}</span>
          {incoming && (
            <Button
              type="primary"
              size="small"
              onClick={() =>
                void desk
                  .getState()
                  .phone?.answer(incoming.id)
                  .catch(() => {})
              }
            >
              {t('listen')}
            </Button>
          )}
        </>
      ) : (
        <strong>
          {t(mode === 'whisper' ? 'youWhisper' : mode === 'barge' ? 'youBarge' : 'youListen', { who })}
        </strong>
      )}
      {!rings && (
        <>
          <Segmented
            size="small"
            value={mode}
            onChange={(next) => void watch({ call: call.callId, mode: String(next), op: op() })}
            options={(['listen', 'whisper', 'barge'] as const).map((value) => ({ value, label: t(value) }))}
          />
          <Button size="small" onClick={() => void takeOver({ call: call.callId, op: op() })}>
            {t('takeOver')}
          </Button>
        </>
      )}
      <Button
        size="small"
        danger
        onClick={async () => {
          const answer = await stop({ call: call.callId, op: op() }, { quiet: true });
          if (!answer.value) await leave({ call: call.callId, op: op() });
        }}
      >
        {t('stop')}
      </Button>
    </section>
  );
}

function MoveDialog({
  users,
  teams,
  queues,
  close,
}: {
  users: string[];
  teams: readonly { key: string; name: string }[];
  queues: { value: string; label: string }[];
  close: (done: boolean) => void;
}) {
  const t = useWords(floorWords);
  const c = useWords(common);
  const { message } = App.useApp();
  const [move, busy] = useChange(MOVE);
  const [form] = Form.useForm<{ team: string; keep: boolean; queues: string[] }>();
  const keep = Form.useWatch('keep', form) ?? true;
  return (
    <Modal
      open
      title={t('moveTitle', { count: users.length })}
      okText={c('save')}
      cancelText={c('cancel')}
      confirmLoading={busy}
      onCancel={() => close(false)}
      onOk={async () => {
        const given = await form.validateFields();
        const answer = await move({
          users,
          team: given.team ?? '',
          queues: given.keep ? null : (given.queues ?? []),
        });
        if (answer.value === null) return;
        void message.success(t('moved'));
        close(true);
      }}
    >
      <p className="cw-quiet cw-floor-move">{t('moveHelp')}</p>
      <Form form={form} layout="vertical" initialValues={{ team: '', keep: true, queues: [] }}>
        <Form.Item name="team" label={t('team')}>
          <Select
            options={[
              { value: '', label: t('noTeam') },
              ...teams.map((one) => ({ value: one.key, label: one.name })),
            ]}
          />
        </Form.Item>
        <Form.Item name="keep" label={t('keepQueues')} valuePropName="checked">
          <Switch />
        </Form.Item>
        {!keep && (
          <Form.Item name="queues" label={t('newQueues')}>
            <Select mode="multiple" options={queues} />
          </Form.Item>
        )}
      </Form>
    </Modal>
  );
}
