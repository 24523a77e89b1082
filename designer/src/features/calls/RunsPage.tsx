/** Every run of a flow, with or without a call. */
import { Button, Select, Table } from 'antd';
import { ListTree } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { useClient, useQuery } from 'urql';
import { graphql } from '@/gql';
import type { RunListQuery } from '@/gql/graphql';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { Duration, EmptyState, PageHeader, Time } from '@/ui';
import { useFilters } from '@/ui/filters';
import { Failure, FilterBar } from '@/ui/lists';
import './calls.css';
import { OUTCOMES, RunState, useFlowNames, useKind } from './marks';
import { callWords } from './words';

const LIST = graphql(`
  query RunList($first: Int!, $after: String, $flowKey: String, $state: String) {
    runs(first: $first, after: $after, flowKey: $flowKey, state: $state) {
      nodes { id flowKey flowVersion alias kind callId campaign state reason steps startedAt endedAt }
      endCursor
      hasNext
    }
  }
`);
type Run = RunListQuery['runs']['nodes'][number];
const PAGE = 50;

export default function RunsPage() {
  const w = useWords(callWords);
  const c = useWords(common);
  const kindOf = useKind();
  const client = useClient();
  const navigate = useNavigate();
  const [filters, setFilters] = useFilters('runs', ['flow', 'state'] as const);
  const flows = useFlowNames();
  const names = useMemo(() => new Map(flows.map((flow) => [flow.key, flow.name])), [flows]);
  const variables = useMemo(
    () => ({ first: PAGE, after: null, flowKey: filters.flow || null, state: filters.state || null }),
    [filters],
  );
  const [answer, reload] = useQuery({ query: LIST, variables, requestPolicy: 'cache-and-network' });
  const [more, setMore] = useState<{ nodes: Run[]; end: string | null; hasNext: boolean } | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other filters begin a new list
  useEffect(() => setMore(null), [variables]);
  const first = answer.data?.runs;
  const rows = [...(first?.nodes ?? []), ...(more?.nodes ?? [])];
  const hasNext = more ? more.hasNext : (first?.hasNext ?? false);
  const filtered = Boolean(filters.flow || filters.state);

  const loadMore = async () => {
    const next = await client.query(LIST, { ...variables, after: more?.end ?? first?.endCursor }).toPromise();
    const page = next.data?.runs;
    if (page)
      setMore((now) => ({
        nodes: [...(now?.nodes ?? []), ...page.nodes],
        end: page.endCursor ?? null,
        hasNext: page.hasNext,
      }));
  };

  return (
    <>
      <PageHeader title={w('runs')} help={w('runsHelp')} />
      <Failure error={answer.error} retry={() => reload({ requestPolicy: 'network-only' })} />
      <FilterBar>
        <Select
          aria-label={w('flow')}
          value={filters.flow}
          style={{ minWidth: 200 }}
          showSearch={{ optionFilterProp: 'label' }}
          popupMatchSelectWidth={false}
          onChange={(flow) => setFilters({ flow })}
          options={[
            { value: '', label: w('anyFlow') },
            ...flows.map((flow) => ({ value: flow.key, label: flow.name })),
          ]}
        />
        <Select
          aria-label={w('state')}
          value={filters.state}
          style={{ minWidth: 140 }}
          onChange={(state) => setFilters({ state })}
          options={[
            { value: '', label: w('anyState') },
            ...OUTCOMES.map((value) => ({ value, label: w(`outcome_${value}`) })),
          ]}
        />
        {filtered && (
          <Button type="link" onClick={() => setFilters({ flow: '', state: '' })}>
            {w('clearFilters')}
          </Button>
        )}
      </FilterBar>
      {first && rows.length === 0 ? (
        <EmptyState
          icon={<ListTree size={32} aria-hidden />}
          title={filtered ? w('noMatch') : w('noRuns')}
          help={filtered ? undefined : w('noRunsHelp')}
        />
      ) : (
        <>
          <Table
            className="cw-list"
            rowKey="id"
            size="middle"
            loading={answer.fetching && !first}
            dataSource={rows}
            pagination={false}
            scroll={{ x: 900 }}
            onRow={(run) => ({
              className: 'cw-row-link',
              onClick: (event) => {
                if (!(event.target as HTMLElement).closest('a,button')) void navigate(`/runs/${run.id}`);
              },
            })}
            columns={[
              {
                title: w('time'),
                width: 150,
                render: (_, run) => (
                  <Link to={`/runs/${run.id}`}>
                    <Time at={run.startedAt} />
                  </Link>
                ),
              },
              {
                title: w('flow'),
                render: (_, run) => (
                  <>
                    {names.get(run.flowKey) ?? run.flowKey}{' '}
                    <span className="cw-quiet cw-num">
                      {run.flowVersion === 0 ? w('draft') : `v${run.flowVersion}`}
                    </span>
                  </>
                ),
              },
              { title: w('kind'), width: 120, render: (_, run) => kindOf(run.kind) },
              {
                title: w('state'),
                width: 170,
                render: (_, run) => (
                  <span className="cw-two-line">
                    <RunState state={run.state} />
                    {run.reason && run.reason !== run.state && <small>{run.reason}</small>}
                  </span>
                ),
              },
              { title: w('stepCount'), width: 80, align: 'right', dataIndex: 'steps' },
              {
                title: w('length'),
                width: 120,
                align: 'right',
                render: (_, run) =>
                  run.endedAt ? (
                    <Duration seconds={(Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000} />
                  ) : (
                    <Duration since={run.startedAt} />
                  ),
              },
              {
                title: w('call'),
                width: 110,
                render: (_, run) =>
                  run.callId ? <Link to={`/calls/${run.callId}`}>{w('openCall')}</Link> : null,
              },
            ]}
          />
          {hasNext && (
            <div className="cw-more">
              <Button onClick={() => void loadMore()}>{c('loadMore')}</Button>
            </div>
          )}
        </>
      )}
    </>
  );
}
