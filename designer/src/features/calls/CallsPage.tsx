/** Every call: live ones on top, moving as they move; the past below, by filters that stand in the address. */
import { Button, Popconfirm, Select, Tag } from 'antd';
import { PhoneCall, PhoneOff } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { useQuery, useSubscription } from 'urql';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import type { CallListQuery } from '@/gql/graphql';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { Duration, EmptyState, PageHeader, Phone, Time } from '@/ui';
import { useFilters } from '@/ui/filters';
import { Failure, FilterBar, LoadMore, SearchBox } from '@/ui/lists';
import { usePages } from '@/ui/paging';
import './calls.css';
import { ListTable } from '@/ui/table';
import { CallState, causes, Direction, Ending, useCause, useFlowNames } from './marks';
import { since } from './timeline';
import { callWords } from './words';

const LIST = graphql(`
  query CallList($first: Int!, $after: String, $filter: CallFilterInput) {
    calls(first: $first, after: $after, filter: $filter) {
      nodes {
        id direction caller callerName called region { zh en } anonymous flowKey flowVersion state cause outcome
        startedAt answeredAt endedAt
      }
      endCursor
      hasNext
    }
  }
`);
const LIVE = graphql(`
  query LiveCallList {
    liveCalls {
      id direction caller callerName called region { zh en } anonymous flowKey flowVersion state cause outcome
      startedAt answeredAt endedAt
    }
  }
`);
const EVENTS = graphql(`
  subscription CallMoves {
    callEvents {
      topic
      call {
        id direction caller callerName called region { zh en } anonymous flowKey flowVersion state cause outcome
        startedAt answeredAt endedAt
      }
    }
  }
`);
const HANG_UP = graphql(`
  mutation HangUpCall($id: String!) {
    hangUp(id: $id) { value { ok } errors { ...Refusal } }
  }
`);

type Call = CallListQuery['calls']['nodes'][number];
const KEYS = ['state', 'direction', 'number', 'flow', 'cause', 'period', 'node', 'port'] as const;
const PAGE = 50;

export default function CallsPage() {
  const w = useWords(callWords);
  const causeName = useCause();
  const navigate = useNavigate();
  const mayEditNumbers = useMay('numbers.read');
  const [filters, setFilters] = useFilters('calls', KEYS);
  const flows = useFlowNames();
  const names = useMemo(() => new Map(flows.map((flow) => [flow.key, flow.name])), [flows]);
  const [number, setNumber] = useState(filters.number);

  useEffect(() => setNumber(filters.number), [filters.number]);
  useEffect(() => {
    if (number === filters.number) return;
    const timer = setTimeout(() => setFilters({ number }), 300);
    return () => clearTimeout(timer);
  }, [number, filters.number, setFilters]);

  const filter = useMemo(
    () => ({
      state: filters.state || null,
      direction: filters.direction || null,
      number: filters.number || null,
      flowKey: filters.flow || null,
      cause: filters.cause || null,
      nodeId: filters.node || null,
      port: filters.port || null,
      since: since(filters.period) ?? null,
    }),
    [filters],
  );
  const filtered = KEYS.some((key) => filters[key] !== '');
  const pages = usePages(LIST, { first: PAGE, filter }, (data) => data.calls);
  const [live, reloadLive] = useQuery({ query: LIVE, requestPolicy: 'cache-and-network' });
  const [moved, setMoved] = useState<ReadonlyMap<string, Call>>(new Map());

  useSubscription({ query: EVENTS }, (_, event) => {
    const call = event.callEvents.call;
    setMoved((now) => new Map(now).set(call.id, call));
    if (call.state === 'ended') {
      pages.reload();
      reloadLive({ requestPolicy: 'network-only' });
    }
    return event;
  });
  const liveCalls = useMemo(() => {
    const found = new Map<string, Call>((live.data?.liveCalls ?? []).map((call) => [call.id, call]));
    for (const [id, call] of moved) found.set(id, call);
    return [...found.values()].filter((call) => call.state !== 'ended');
  }, [live.data, moved]);

  const rows = (pages.rows ?? []).map((call) => moved.get(call.id) ?? call);

  const flowOf = (call: Call) =>
    call.flowKey ? (
      <>
        {names.get(call.flowKey) ?? call.flowKey}{' '}
        <span className="cw-quiet cw-num">
          {call.flowVersion === 0 ? w('draft') : call.flowVersion ? `v${call.flowVersion}` : ''}
        </span>
      </>
    ) : (
      <span className="cw-quiet">–</span>
    );

  return (
    <>
      <PageHeader title={w('calls')} help={w('callsHelp')} />
      <Failure error={pages.error} retry={pages.reload} />
      <LiveCalls calls={liveCalls} flowOf={flowOf} />
      <FilterBar>
        <SearchBox value={number} onChange={setNumber} label={w('number')} />
        <Select
          aria-label={w('period')}
          value={filters.period}
          style={{ minWidth: 112 }}
          onChange={(period) => setFilters({ period })}
          options={[
            { value: '', label: w('anyTime') },
            { value: 'today', label: w('today') },
            { value: '7d', label: w('days7') },
            { value: '30d', label: w('days30') },
          ]}
        />
        <Select
          aria-label={w('direction')}
          value={filters.direction}
          style={{ minWidth: 128 }}
          onChange={(direction) => setFilters({ direction })}
          options={[
            { value: '', label: w('anyDirection') },
            { value: 'inbound', label: w('inbound') },
            { value: 'outbound', label: w('outbound') },
          ]}
        />
        <Select
          aria-label={w('state')}
          value={filters.state}
          style={{ minWidth: 112 }}
          onChange={(state) => setFilters({ state })}
          options={[
            { value: '', label: w('anyState') },
            ...(['ringing', 'up', 'ended'] as const).map((value) => ({ value, label: w(value) })),
          ]}
        />
        <Select
          aria-label={w('outcome')}
          value={filters.cause}
          style={{ minWidth: 144 }}
          popupMatchSelectWidth={false}
          onChange={(cause) => setFilters({ cause })}
          options={[
            { value: '', label: w('anyCause') },
            ...causes.map((value) => ({ value, label: causeName(value) })),
          ]}
        />
        <Select
          aria-label={w('flow')}
          value={filters.flow}
          style={{ minWidth: 160 }}
          showSearch={{ optionFilterProp: 'label' }}
          popupMatchSelectWidth={false}
          onChange={(flow) => setFilters({ flow })}
          options={[
            { value: '', label: w('anyFlow') },
            ...flows.map((flow) => ({ value: flow.key, label: flow.name })),
          ]}
        />
        {filters.node && (
          <Tag closable onClose={() => setFilters({ node: '', port: '' })}>
            {w('throughNode', { node: filters.port ? `${filters.node} ▸ ${filters.port}` : filters.node })}
          </Tag>
        )}
        {filtered && (
          <Button
            type="link"
            onClick={() =>
              setFilters({
                state: '',
                direction: '',
                number: '',
                flow: '',
                cause: '',
                period: '',
                node: '',
                port: '',
              })
            }
          >
            {w('clearFilters')}
          </Button>
        )}
      </FilterBar>
      {pages.rows?.length === 0 ? (
        filtered ? (
          <EmptyState title={w('noMatch')} />
        ) : (
          <EmptyState
            icon={<PhoneCall size={32} aria-hidden />}
            title={w('noCalls')}
            help={w('noCallsHelp')}
            action={
              mayEditNumbers && (
                <Button type="primary" onClick={() => void navigate('/numbers')}>
                  {w('toNumbers')}
                </Button>
              )
            }
          />
        )
      ) : (
        <>
          <ListTable
            rowKey="id"
            size="middle"
            loading={!pages.rows && !pages.error}
            dataSource={rows}
            pagination={false}
            scroll={{ x: 980 }}
            onRow={(call) => ({
              className: 'cw-row-link',
              onClick: (event) => {
                if (!(event.target as HTMLElement).closest('a,button')) void navigate(`/calls/${call.id}`);
              },
            })}
            columns={[
              {
                title: w('time'),
                width: 150,
                render: (_, call) => (
                  <Link to={`/calls/${call.id}`}>
                    <Time at={call.startedAt} />
                  </Link>
                ),
              },
              {
                title: w('direction'),
                width: 104,
                render: (_, call) => <Direction direction={call.direction} />,
              },
              { title: w('from'), width: 176, render: (_, call) => <Who call={call} /> },
              { title: w('to'), width: 150, render: (_, call) => <Called call={call} /> },
              { title: w('flow'), render: (_, call) => flowOf(call) },
              {
                title: w('length'),
                width: 116,
                align: 'right',
                render: (_, call) => <Length call={call} />,
              },
              {
                title: w('outcome'),
                width: 180,
                render: (_, call) =>
                  call.state === 'ended' ? (
                    <Ending cause={call.cause} outcome={call.outcome} />
                  ) : (
                    <CallState state={call.state} />
                  ),
              },
            ]}
          />
          <LoadMore pages={pages} />
        </>
      )}
    </>
  );
}

function Who({ call }: { call: Call }) {
  const w = useWords(callWords);
  const text = useText();
  if (call.anonymous && !call.caller) return <span className="cw-quiet">{w('anonymous')}</span>;
  return (
    <span className="cw-two-line">
      <Phone number={call.caller} />
      {call.callerName && call.callerName !== call.caller && <small>{call.callerName}</small>}
      {call.direction !== 'outbound' && call.region && <small>{text(call.region)}</small>}
    </span>
  );
}

function Called({ call }: { call: Call }) {
  const text = useText();
  return (
    <span className="cw-two-line">
      <Phone number={call.called} />
      {call.direction === 'outbound' && call.region && <small>{text(call.region)}</small>}
    </span>
  );
}

function Length({ call }: { call: Pick<Call, 'answeredAt' | 'endedAt' | 'state'> }) {
  if (!call.answeredAt) return <span className="cw-quiet">–</span>;
  if (!call.endedAt) return <Duration since={call.answeredAt} />;
  return <Duration seconds={(Date.parse(call.endedAt) - Date.parse(call.answeredAt)) / 1000} />;
}

function LiveCalls({ calls, flowOf }: { calls: Call[]; flowOf: (call: Call) => React.ReactNode }) {
  const w = useWords(callWords);
  const may = useMay('system.manage');
  const [hangUp] = useChange(HANG_UP);
  return (
    <section className="cw-live" aria-label={w('live')}>
      <h2>
        <span className="cw-live-dot" data-on={calls.length > 0 || undefined} aria-hidden />
        {w('live')} <span className="cw-num">{calls.length}</span>
      </h2>
      {calls.length === 0 ? (
        <p className="cw-quiet">{w('liveNone')}</p>
      ) : (
        <ul>
          {calls.slice(0, 60).map((call) => (
            <li key={call.id}>
              <CallState state={call.state} />
              <Link to={`/calls/${call.id}`}>
                {call.caller ? <Phone number={call.caller} /> : w('anonymous')} →{' '}
                <Phone number={call.called} />
              </Link>
              <span className="cw-live-flow">{flowOf(call)}</span>
              <Duration since={call.answeredAt ?? call.startedAt} />
              {may && (
                <Popconfirm
                  title={w('hangUpAsk')}
                  description={w('hangUpHelp')}
                  okText={w('hangUp')}
                  okButtonProps={{ danger: true }}
                  onConfirm={() => hangUp({ id: call.id })}
                >
                  <Button type="text" danger aria-label={w('hangUp')} icon={<PhoneOff size={14} />} />
                </Popconfirm>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
