import { Segmented, Select, Space, Table } from 'antd';
import { useEffect, useMemo, useState } from 'react';
import { Link } from 'react-router';
import { useQuery, useSubscription } from 'urql';
import { graphql } from '@/gql';
import { type Language, useLanguage, useWords } from '@/i18n';
import { duration, EmptyState } from '@/ui';
import { useMarks } from '../marks';
import { useEditor, useEditorStore } from '../store';
import { useNodeName } from '../useNodeName';
import { dropOf, heat, type Mode, marksOf, type NodeNumbers, sinceOf, useHeat } from './heat';
import './live.css';
import { liveWords } from './words';

const HEAT = graphql(`
  query FlowHeat($key: String!, $since: DateTime!, $version: Int!) {
    flowStatistics(key: $key, since: $since, version: $version) {
      runs
      outcomes { name count }
      nodes {
        nodeId nodeType entered hangups standing median p95
        left { name count }
        errors { name count }
      }
    }
  }
`);

const NUMBERS = graphql(`
  query FlowVersionNumbers($key: String!) {
    flow(key: $key) { id versions { id number } }
  }
`);

const LIVE = graphql(`
  subscription FlowMoves($key: String!) {
    flowLive(key: $key) { at }
  }
`);

const MODES: Mode[] = ['live', 'today', 'week', 'month'];
const MOMENT_MS = 150;
const OUTCOMES = ['completed', 'hangup', 'failed', 'running', 'stopped'] as const;
type Outcome = (typeof OUTCOMES)[number];

/** Live counters and the past on the drawing: choose a time, see where callers go, wait and leave. */
export function RunsDrawer() {
  const t = useWords(liveWords);
  const language = useLanguage();
  const store = useEditorStore();
  const key = useEditor((state) => state.key);
  const { mode, version, statistics, heat: shown } = useHeat((now) => now);
  useMarks(
    'heat',
    useMemo(() => (mode === 'off' ? null : marksOf(shown)), [mode, shown]),
  );
  const [versions] = useQuery({ query: NUMBERS, variables: { key } });
  const [since, setSince] = useState(() => sinceOf('live', new Date()).toISOString());

  useEffect(() => {
    if (heat.getState().mode === 'off') heat.getState().setMode('live');
    return () => heat.getState().clear();
  }, []);
  useEffect(() => setSince(sinceOf(mode, new Date()).toISOString()), [mode]);

  const [answer, ask] = useQuery({
    query: HEAT,
    variables: { key, since, version },
    pause: mode === 'off',
    requestPolicy: 'cache-and-network',
  });
  useEffect(() => {
    if (answer.data) heat.getState().take(answer.data.flowStatistics);
  }, [answer.data]);
  // Something moved in the flow: the figures are asked for again, once for all that moves within a moment.
  const [moved] = useSubscription({ query: LIVE, variables: { key }, pause: mode !== 'live' });
  const movedAt = moved.data?.flowLive.at;
  useEffect(() => {
    if (mode !== 'live' || movedAt === undefined) return;
    const timer = setTimeout(() => ask({ requestPolicy: 'network-only' }), MOMENT_MS);
    return () => clearTimeout(timer);
  }, [mode, movedAt, ask]);

  const rows = useMemo(
    () => [...(statistics?.nodes ?? [])].sort((a, b) => b.hangups - a.hangups || b.entered - a.entered),
    [statistics],
  );
  const standing = rows.reduce((sum, node) => sum + node.standing, 0);
  const period = { off: '', live: 'today', today: 'today', week: '7d', month: '30d' }[mode];
  /** The calls behind a figure. */
  const callsOf = (node: string, port = '') =>
    `/calls?${new URLSearchParams({ flow: key, node, ...(port ? { port } : {}), ...(period ? { period } : {}) })}`;
  const nameOf = useNodeName();

  return (
    <section className="cw-runs" aria-label={t('title')}>
      <Space wrap className="cw-runs-bar">
        <Segmented<Mode>
          value={mode}
          onChange={(next) => heat.getState().setMode(next)}
          options={MODES.map((value) => ({ value, label: t(value) }))}
        />
        <Select
          value={version}
          aria-label={t('allVersions')}
          style={{ minWidth: 140 }}
          onChange={(next) => heat.getState().setVersion(next)}
          options={[
            { value: 0, label: t('allVersions') },
            ...(versions.data?.flow.versions ?? []).map((one) => ({
              value: one.number,
              label: t('version', { number: one.number }),
            })),
          ]}
        />
        <strong className="cw-num">{t('runs', { count: statistics?.runs ?? 0 })}</strong>
        <span className="cw-num">{t('inCall', { count: standing })}</span>
        {(statistics?.outcomes ?? []).map((one) => (
          <span key={one.name} className="cw-quiet cw-num">
            {OUTCOMES.includes(one.name as Outcome) ? t(one.name as Outcome) : one.name} {one.count}
          </span>
        ))}
        <Link to={`/calls?flow=${encodeURIComponent(key)}`}>{t('showCalls')}</Link>
        <span className="cw-quiet">{t('legend')}</span>
      </Space>
      {statistics && statistics.runs === 0 && rows.length === 0 ? (
        <EmptyState title={t('runs', { count: 0 })} help={t('noRuns')} />
      ) : (
        <Table<NodeNumbers>
          size="small"
          rowKey="nodeId"
          loading={!statistics}
          dataSource={rows}
          pagination={false}
          columns={[
            {
              title: t('node'),
              dataIndex: 'nodeId',
              render: (id: string) => (
                <button type="button" className="cw-link" onClick={() => store.getState().focus(id)}>
                  {nameOf(id)}
                </button>
              ),
            },
            {
              title: t('hereNow'),
              dataIndex: 'standing',
              align: 'right',
              sorter: (a, b) => a.standing - b.standing,
            },
            {
              title: t('came'),
              align: 'right',
              sorter: (a, b) => a.entered - b.entered,
              render: (_, node) => <Link to={callsOf(node.nodeId)}>{node.entered}</Link>,
            },
            {
              title: t('hungUp'),
              align: 'right',
              sorter: (a, b) => a.hangups - b.hangups,
              render: (_, node) =>
                node.hangups > 0 ? <Link to={callsOf(node.nodeId, 'hangup')}>{node.hangups}</Link> : 0,
            },
            {
              title: t('share'),
              align: 'right',
              render: (_, node) => `${Math.round(dropOf(node) * 100)} %`,
              sorter: (a, b) => dropOf(a) - dropOf(b),
            },
            {
              title: t('errors'),
              align: 'right',
              render: (_, node) => node.errors.reduce((sum, one) => sum + one.count, 0) || '–',
            },
            {
              title: t('time'),
              align: 'right',
              render: (_, node) =>
                node.median === null
                  ? '–'
                  : `${short(node.median ?? 0, language)} / ${short(node.p95 ?? 0, language)}`,
              sorter: (a, b) => (a.median ?? 0) - (b.median ?? 0),
            },
          ]}
        />
      )}
    </section>
  );
}

/** Most nodes take no second. */
function short(seconds: number, language: Language): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : duration(seconds, language);
}

/** What a card shows while numbers are on: how many stand here, how many came, and whether callers leave here. */
export function NodeNumbersOverlay({ node }: { node: string }) {
  const t = useWords(liveWords);
  const mode = useHeat((now) => now.mode);
  const numbers = useHeat((now) => now.heat.nodes.get(node));
  if (mode === 'off' || !numbers) return null;
  const drop = dropOf(numbers);
  return (
    <div className="cw-heat" data-drop={drop > 0.15 && numbers.hangups > 1}>
      {numbers.standing > 0 && (
        <span className="cw-heat-here">● {t('here', { count: numbers.standing })}</span>
      )}
      {numbers.entered > 0 && <span>{t('entered', { count: numbers.entered })}</span>}
      {numbers.hangups > 0 && (
        <span>
          {t('leftHere')} {numbers.hangups} ({Math.round(drop * 100)} %)
        </span>
      )}
    </div>
  );
}
