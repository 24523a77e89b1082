/** One run: its path, what it was given and what it gave back. */
import { Button, Popconfirm, Spin } from 'antd';
import { ArrowLeft, Compass, ExternalLink, PhoneCall, RotateCcw, Square } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { useQuery, useSubscription } from 'urql';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import { useChange } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { Duration, PageHeader, PageState, Time } from '@/ui';
import { Card, Failure } from '@/ui/lists';
import './calls.css';
import { RunState, useFlowNames, useKind, useRunReason, useTemporal } from './marks';
import { ReplayDrawer } from './Replay';
import { StepList } from './StepList';
import { inputsOf, mergeSteps, record, type Step, shortValue, timed } from './timeline';
import { callWords } from './words';

const RUN = graphql(`
  query RunPage($id: String!) {
    run(id: $id) {
      id flowKey flowVersion alias kind callId campaign state reason inputs outputs steps startedAt endedAt
      trail {
        runId seq callId flowKey nodeId nodeType nodeName attempt entered left port outputs said error errorMessage
      }
    }
  }
`);
const INPUTS = graphql(`
  query RunInputs($id: String!) {
    pastRun(id: $id) { steps { inputs step { runId seq } } }
  }
`);
const TRAIL = graphql(`
  subscription RunPageTrail($runId: String!) {
    trail(runId: $runId) {
      runId seq callId flowKey nodeId nodeType nodeName attempt entered left port outputs said error errorMessage
    }
  }
`);
const STOP = graphql(`
  mutation StopRun($id: String!) {
    stopRun(id: $id) { value { ok } errors { ...Refusal } }
  }
`);

export default function RunPage() {
  const { id = '' } = useParams();
  const w = useWords(callWords);
  const runReason = useRunReason();
  const kindOf = useKind();
  const navigate = useNavigate();
  const temporal = useTemporal();
  const mayFlows = useMay('flows.read');
  const maySystem = useMay('system.manage');
  const flows = useFlowNames();
  const names = useMemo(() => new Map(flows.map((flow) => [flow.key, flow.name])), [flows]);
  const [answer, reload] = useQuery({ query: RUN, variables: { id }, requestPolicy: 'cache-and-network' });
  const [news, setNews] = useState<Step[]>([]);
  const [replaying, setReplaying] = useState(false);
  const [stop] = useChange(STOP);
  const run = answer.data?.run;
  const live = run?.state === 'running';
  useSubscription({ query: TRAIL, variables: { runId: id }, pause: !live }, (_, event) => {
    setNews((now) => mergeSteps(now, [event.trail]));
    return event;
  });
  const [inputs] = useQuery({ query: INPUTS, variables: { id }, pause: !run || live });
  const steps = useMemo(
    () =>
      run
        ? timed(mergeSteps(run.trail, news), run.startedAt, inputsOf(inputs.data?.pastRun.steps ?? []))
        : [],
    [run, news, inputs.data],
  );
  if (!run) {
    if (answer.error?.networkError)
      return <Failure error={answer.error} retry={() => reload({ requestPolicy: 'network-only' })} />;
    if (answer.error)
      return (
        <PageState icon={Compass} title={w('runNotFound')} help={w('gone')}>
          <Button type="primary" onClick={() => void navigate('/runs')}>
            {w('allRuns')}
          </Button>
        </PageState>
      );
    return <Spin className="cw-page-spin" delay={200} />;
  }
  const name = names.get(run.flowKey) ?? run.flowKey;
  return (
    <>
      <nav className="cw-crumb">
        <Link to="/runs">
          <ArrowLeft size={14} aria-hidden /> {w('allRuns')}
        </Link>
      </nav>
      <PageHeader
        title={
          <span className="cw-call-title">
            {name}
            <span className="cw-quiet cw-num">
              {run.flowVersion === 0 ? w('draft') : `v${run.flowVersion}`}
            </span>
            <RunState state={run.state} />
          </span>
        }
        help={
          <>
            {kindOf(run.kind)} · <Time at={run.startedAt} exact /> ·{' '}
            {run.endedAt ? (
              <Duration seconds={(Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000} />
            ) : (
              <Duration since={run.startedAt} />
            )}
            {[runReason(run)].filter(Boolean).map((why) => ` · ${why}`)}
          </>
        }
      >
        {run.callId && (
          <Link to={`/calls/${run.callId}`}>
            <Button icon={<PhoneCall size={14} />}>{w('openCall')}</Button>
          </Link>
        )}
        {mayFlows && !live && (
          <Button icon={<RotateCcw size={14} />} onClick={() => setReplaying(true)}>
            {w('replay')}
          </Button>
        )}
        {temporal && (
          <Button
            icon={<ExternalLink size={14} />}
            href={temporal(run.id)}
            target="_blank"
            rel="noreferrer"
            title={w('temporalHelp')}
          >
            {w('temporal')}
          </Button>
        )}
        {live && maySystem && (
          <Popconfirm
            title={w('stopAsk')}
            description={w('stopHelp')}
            okText={w('stopRun')}
            okButtonProps={{ danger: true }}
            onConfirm={async () => {
              await stop({ id: run.id });
              reload({ requestPolicy: 'network-only' });
            }}
          >
            <Button danger icon={<Square size={14} />}>
              {w('stopRun')}
            </Button>
          </Popconfirm>
        )}
      </PageHeader>
      <div className="cw-call">
        <Card title={w('path')}>
          <StepList steps={steps} live={live} empty={w('pathEmpty')} flowNames={names} />
        </Card>
        <aside className="cw-rows">
          <Values title={w('inputs')} value={run.inputs} />
          <Values title={w('outputs')} value={run.outputs} />
        </aside>
      </div>
      <ReplayDrawer
        runId={run.id}
        flowKey={run.flowKey}
        open={replaying}
        onClose={() => setReplaying(false)}
      />
    </>
  );
}

function Values({ title, value }: { title: string; value: unknown }) {
  const entries = Object.entries(record(value) ?? {});
  return (
    <Card title={title}>
      {entries.length === 0 ? (
        <span className="cw-quiet">–</span>
      ) : (
        <dl className="cw-values">
          {entries.map(([name, one]) => (
            <div key={name}>
              <dt className="cw-code">{name}</dt>
              <dd className="cw-code">{shortValue(one, 400)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  );
}
