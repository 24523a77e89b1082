/** Every run of a flow, with or without a call. */
import { Button, Select } from 'antd';
import { ListTree } from 'lucide-react';
import { useMemo } from 'react';
import { Link, useNavigate } from 'react-router';
import { graphql } from '@/gql';
import { useWords } from '@/i18n';
import { Duration, EmptyState, PageHeader, Time } from '@/ui';
import { useFilters } from '@/ui/filters';
import { Failure, FilterBar, LoadMore } from '@/ui/lists';
import { usePages } from '@/ui/paging';
import './calls.css';
import { ListTable } from '@/ui/table';
import { OUTCOMES, RunState, useFlowNames, useKind, useRunReason } from './marks';
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
const PAGE = 50;

export default function RunsPage() {
  const w = useWords(callWords);
  const runReason = useRunReason();
  const kindOf = useKind();
  const navigate = useNavigate();
  const [filters, setFilters] = useFilters('runs', ['flow', 'state'] as const);
  const flows = useFlowNames();
  const names = useMemo(() => new Map(flows.map((flow) => [flow.key, flow.name])), [flows]);
  const variables = useMemo(
    () => ({ first: PAGE, flowKey: filters.flow || null, state: filters.state || null }),
    [filters],
  );
  const pages = usePages(LIST, variables, (data) => data.runs);
  const rows = pages.rows ?? [];
  const filtered = Boolean(filters.flow || filters.state);

  return (
    <>
      <PageHeader title={w('runs')} help={w('runsHelp')} />
      <Failure error={pages.error} retry={pages.reload} />
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
      {pages.rows?.length === 0 ? (
        <EmptyState
          icon={<ListTree size={32} aria-hidden />}
          title={filtered ? w('noMatch') : w('noRuns')}
          help={filtered ? undefined : w('noRunsHelp')}
        />
      ) : (
        <>
          <ListTable
            rowKey="id"
            size="middle"
            loading={!pages.rows && !pages.error}
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
                    {runReason(run) && <small>{runReason(run)}</small>}
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
          <LoadMore pages={pages} />
        </>
      )}
    </>
  );
}
