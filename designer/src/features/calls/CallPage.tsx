/** One call: its path as a timeline, its parties, what was recorded, who called. It moves while the call is live. */
import { App, Button, Input, Popconfirm, Spin } from 'antd';
import { ArrowLeft, Compass, ExternalLink, PhoneOff, RotateCcw, Workflow } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { useQuery, useSubscription } from 'urql';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import type { CallPageQuery } from '@/gql/graphql';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { Duration, PageHeader, PageState, Phone, Time } from '@/ui';
import { useLanguageNames } from '@/ui/languages';
import { Card, Facts, Failure, LevelTag } from '@/ui/lists';
import { RecordingPlayer } from '../recordings/Player';
import './calls.css';
import { CallState, Direction, Ending, useCause, useFlowNames, useTemporal } from './marks';
import { ReplayDrawer } from './Replay';
import { StepList } from './StepList';
import { inputsOf, mergeSteps, type Step, timed } from './timeline';
import { callWords } from './words';

const CALL = graphql(`
  query CallPage($id: String!) {
    call(id: $id) {
      id direction gateway caller callerName called region { zh en } anonymous trunk language customerId flowKey flowVersion runId
      state cause sipCode outcome note startedAt answeredAt endedAt
      legs { id kind number destination state cause sipCode startedAt answeredAt endedAt }
      trail {
        runId seq callId flowKey nodeId nodeType nodeName attempt entered left port outputs said error errorMessage
      }
    }
  }
`);
const INPUTS = graphql(`
  query CallRunInputs($id: String!) {
    pastRun(id: $id) { steps { inputs step { runId seq } } }
  }
`);
const SOUNDS = graphql(`
  query CallRecordings($id: String!) {
    recordings(callId: $id) { nodes { id seconds bytes complete createdAt url } }
  }
`);
const CUSTOMER = graphql(`
  query CallCustomer($id: String!) {
    call(id: $id) {
      id
      customer { id name level card language phones note }
      customerByNumber { id name level card language phones note }
    }
    customerLevels { key label { zh en } vip }
  }
`);
const EVENTS = graphql(`
  subscription CallPageMoves {
    callEvents { topic call { id state } }
  }
`);
const TRAIL = graphql(`
  subscription CallPageTrail($callId: String!) {
    trail(callId: $callId) {
      runId seq callId flowKey nodeId nodeType nodeName attempt entered left port outputs said error errorMessage
    }
  }
`);
const NOTE = graphql(`
  mutation NoteCall($id: String!, $note: String!) {
    noteCall(id: $id, note: $note) { value { id note } errors { ...Refusal } }
  }
`);
const HANG_UP = graphql(`
  mutation HangUpThisCall($id: String!) {
    hangUp(id: $id) { value { ok } errors { ...Refusal } }
  }
`);

type Call = CallPageQuery['call'];

export default function CallPage() {
  const { id = '' } = useParams();
  const w = useWords(callWords);
  const navigate = useNavigate();
  const [answer, reload] = useQuery({
    query: CALL,
    variables: { id },
    requestPolicy: 'cache-and-network',
  });
  const call = answer.data?.call;
  if (!call) {
    if (answer.error?.networkError)
      return <Failure error={answer.error} retry={() => reload({ requestPolicy: 'network-only' })} />;
    if (answer.error)
      return (
        <PageState icon={Compass} title={w('notFound')} help={w('gone')}>
          <Button type="primary" onClick={() => void navigate('/calls')}>
            {w('back')}
          </Button>
        </PageState>
      );
    return <Spin className="cw-page-spin" delay={200} />;
  }
  return <Whole call={call} reload={() => reload({ requestPolicy: 'network-only' })} />;
}

function Whole({ call, reload }: { call: Call; reload: () => void }) {
  const w = useWords(callWords);
  const c = useWords(common);
  const mayListen = useMay('recordings.listen');
  const mayCustomers = useMay('customers.read');
  const text = useText();
  const mayFlows = useMay('flows.read');
  const maySystem = useMay('system.manage');
  const temporal = useTemporal();
  const flows = useFlowNames();
  const names = useMemo(() => new Map(flows.map((flow) => [flow.key, flow.name])), [flows]);
  const live = call.state !== 'ended';
  const [news, setNews] = useState<Step[]>([]);
  const [replaying, setReplaying] = useState(false);
  const [jump, setJump] = useState<{ seconds: number } | null>(null);
  const [hangUp] = useChange(HANG_UP);

  useSubscription({ query: TRAIL, variables: { callId: call.id }, pause: !live }, (_, event) => {
    setNews((now) => mergeSteps(now, [event.trail]));
    return event;
  });
  useSubscription({ query: EVENTS, pause: !live }, (_, event) => {
    if (event.callEvents.call.id === call.id) reload();
    return event;
  });
  const [inputs] = useQuery({
    query: INPUTS,
    variables: { id: call.runId ?? '' },
    pause: !call.runId || live,
  });
  const [sounds] = useQuery({ query: SOUNDS, variables: { id: call.id }, pause: !mayListen });
  const [who] = useQuery({ query: CUSTOMER, variables: { id: call.id }, pause: !mayCustomers });

  const steps = useMemo(
    () => timed(mergeSteps(call.trail, news), call.startedAt, inputsOf(inputs.data?.pastRun.steps ?? [])),
    [call.trail, call.startedAt, news, inputs.data],
  );
  const recordings = sounds.data?.recordings.nodes ?? [];
  const first = recordings[0];
  const byNumber = who.data?.call.customerByNumber;
  const customer = who.data?.call.customer ?? byNumber;
  const level = who.data?.customerLevels.find((one) => one.key === customer?.level);
  const name = call.flowKey ? (names.get(call.flowKey) ?? call.flowKey) : '';
  // A recording begins when it was made ready: steps are heard from there.
  const hear = first
    ? (offset: number) => {
        const began = (Date.parse(first.createdAt) - Date.parse(call.startedAt)) / 1000;
        setJump({ seconds: Math.max(0, offset - Math.max(0, Math.min(began, offset))) });
      }
    : undefined;

  return (
    <>
      <nav className="cw-crumb">
        <Link to="/calls">
          <ArrowLeft size={14} aria-hidden /> {w('back')}
        </Link>
      </nav>
      <PageHeader
        title={
          <span className="cw-call-title">
            {call.caller ? <Phone number={call.caller} /> : w('anonymous')}
            <span className="cw-quiet">→</span>
            <Phone number={call.called} />
            {live ? <CallState state={call.state} /> : <Ending cause={call.cause} outcome={call.outcome} />}
          </span>
        }
        help={
          <>
            <Direction direction={call.direction} /> · {call.region && `${text(call.region)} · `}
            <Time at={call.startedAt} exact /> ·{' '}
            {call.endedAt ? (
              <Duration seconds={(Date.parse(call.endedAt) - Date.parse(call.startedAt)) / 1000} />
            ) : (
              <Duration since={call.startedAt} />
            )}
            {name && (
              <>
                {' · '}
                {mayFlows ? <Link to={`/flows/${call.flowKey}`}>{name}</Link> : name}{' '}
                <span className="cw-num">
                  {call.flowVersion === 0 ? w('draft') : call.flowVersion ? `v${call.flowVersion}` : ''}
                </span>
              </>
            )}
          </>
        }
      >
        {call.runId && mayFlows && !live && (
          <Button icon={<RotateCcw size={14} />} onClick={() => setReplaying(true)}>
            {w('replay')}
          </Button>
        )}
        {mayFlows && call.flowKey && (
          <Link to={`/flows/${call.flowKey}`}>
            <Button icon={<Workflow size={14} />}>{w('openFlow')}</Button>
          </Link>
        )}
        {temporal && call.runId && (
          <Button
            icon={<ExternalLink size={14} />}
            href={temporal(call.runId)}
            target="_blank"
            rel="noreferrer"
            title={w('temporalHelp')}
          >
            {w('temporal')}
          </Button>
        )}
        {live && maySystem && (
          <Popconfirm
            title={w('hangUpAsk')}
            description={w('hangUpHelp')}
            okText={w('hangUp')}
            okButtonProps={{ danger: true }}
            onConfirm={() => hangUp({ id: call.id })}
          >
            <Button danger icon={<PhoneOff size={14} />}>
              {w('hangUp')}
            </Button>
          </Popconfirm>
        )}
      </PageHeader>
      <div className="cw-call">
        <div className="cw-rows">
          <Card title={w('recordings')}>
            {!mayListen ? (
              <p className="cw-quiet">{w('recordingForbidden')}</p>
            ) : sounds.fetching && !sounds.data ? (
              <p className="cw-quiet">{c('loading')}</p>
            ) : recordings.length === 0 ? (
              <p className="cw-quiet">{w('noRecording')}</p>
            ) : (
              recordings.map((one, index) => (
                <RecordingPlayer
                  key={one.id}
                  url={one.url}
                  seconds={one.seconds}
                  complete={one.complete || live}
                  label={`${w('recording')} ${index + 1}`}
                  startAt={index === 0 ? jump : null}
                />
              ))
            )}
          </Card>
          <Card title={w('path')}>
            <StepList
              steps={steps}
              live={live}
              empty={call.flowKey ? w('pathEmpty') : w('pathNone')}
              onHear={hear}
              flowNames={names}
            />
          </Card>
        </div>
        <aside className="cw-rows">
          <Card title={w('customer')}>
            {customer ? (
              <div className="cw-call-customer">
                <strong>{customer.name || '–'}</strong>
                {byNumber && <p className="cw-quiet">{w('customerByNumber')}</p>}
                {customer.level && (
                  <LevelTag vip={level?.vip ?? false}>{text(level?.label) || customer.level}</LevelTag>
                )}
                {customer.phones.map((phone) => (
                  <div key={phone}>
                    <Phone number={phone} />
                  </div>
                ))}
                {customer.note && <p className="cw-quiet">{customer.note}</p>}
              </div>
            ) : (
              <p className="cw-quiet">{w('noCustomer')}</p>
            )}
          </Card>
          <NoteCard call={call} />
          <Card title={w('parties')}>
            <Legs call={call} />
          </Card>
          <Card title={w('details')}>
            <Details call={call} />
          </Card>
        </aside>
      </div>
      {call.runId && (
        <ReplayDrawer
          runId={call.runId}
          flowKey={call.flowKey}
          open={replaying}
          onClose={() => setReplaying(false)}
        />
      )}
    </>
  );
}

function NoteCard({ call }: { call: Call }) {
  const w = useWords(callWords);
  const c = useWords(common);
  const { message } = App.useApp();
  const may = useMay('calls.note');
  const [note, setNote] = useState(call.note);
  const [save, busy] = useChange(NOTE);
  useEffect(() => setNote(call.note), [call.note]);
  return (
    <Card title={w('note')}>
      {may ? (
        <>
          <Input.TextArea
            aria-label={w('note')}
            placeholder={w('noteHelp')}
            autoSize={{ minRows: 2, maxRows: 8 }}
            maxLength={2000}
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
          {note !== call.note && (
            <Button
              type="primary"
              size="small"
              className="cw-note-save"
              loading={busy}
              onClick={async () => {
                const done = await save({ id: call.id, note });
                if (done.value) message.success(c('saved'));
              }}
            >
              {c('save')}
            </Button>
          )}
        </>
      ) : (
        <p className={call.note ? '' : 'cw-quiet'}>{call.note || w('noteEmpty')}</p>
      )}
    </Card>
  );
}

function Legs({ call }: { call: Call }) {
  const w = useWords(callWords);
  const causeName = useCause();
  return (
    <ul className="cw-legs">
      {call.legs.map((leg) => (
        <li key={leg.id}>
          <span className="cw-quiet">{leg.kind === 'caller' ? w('callerLeg') : w('dialledLeg')}</span>
          <strong>{leg.number ? <Phone number={leg.number} /> : leg.destination || w('anonymous')}</strong>
          <span>{leg.cause ? causeName(leg.cause) : <CallState state={leg.state} />}</span>
          <span className="cw-quiet">
            {leg.answeredAt ? (
              leg.endedAt ? (
                <Duration seconds={(Date.parse(leg.endedAt) - Date.parse(leg.answeredAt)) / 1000} />
              ) : (
                <Duration since={leg.answeredAt} />
              )
            ) : (
              '–'
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Details({ call }: { call: Call }) {
  const w = useWords(callWords);
  const languageName = useLanguageNames();
  const items: { key: string; label: string; value: React.ReactNode }[] = [
    { key: 'start', label: w('startedAt'), value: <Time at={call.startedAt} exact /> },
    { key: 'answer', label: w('answeredAt'), value: <Time at={call.answeredAt} exact /> },
    { key: 'end', label: w('endedAt'), value: <Time at={call.endedAt} exact /> },
    {
      key: 'ring',
      label: w('ringTime'),
      value: call.answeredAt && (
        <Duration seconds={(Date.parse(call.answeredAt) - Date.parse(call.startedAt)) / 1000} />
      ),
    },
    { key: 'language', label: w('language'), value: languageName(call.language) },
    { key: 'trunk', label: w('trunk'), value: call.trunk },
    { key: 'sip', label: w('sipCode'), value: call.sipCode || '' },
    { key: 'gateway', label: w('gateway'), value: call.gateway },
    { key: 'id', label: 'ID', value: <span className="cw-code cw-id">{call.id}</span> },
  ];
  return <Facts items={items.filter((item) => item.value)} />;
}
