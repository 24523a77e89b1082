/** Everybody's tasks: filtered, given to others, cancelled. */
import { Button, Select } from 'antd';
import dayjs from 'dayjs';
import { ListTodo } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { useSubscription } from 'urql';
import { graphql } from '@/gql';
import type { AllTasksQuery } from '@/gql/graphql';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { EmptyState, groupedPhone, PageHeader, Phone, StateTag, type Tone } from '@/ui';
import { useFilters } from '@/ui/filters';
import { Failure, FilterBar, LoadMore, SearchBox } from '@/ui/lists';
import { usePages } from '@/ui/paging';
import { ListTable } from '@/ui/table';
import { centreWords } from './words';

const LIST = graphql(`
  query AllTasks($after: String, $filter: TaskFilterInput!) {
    tasks(first: 100, after: $after, filter: $filter) {
      nodes {
        id kind title note state priority dueAt number region { zh en } queue attempts overdue result
        customer { id name } assignee { id name }
      }
      endCursor
      hasNext
    }
    colleagues { id name }
  }
`);
const EVENTS = graphql(`
  subscription AllTaskEvents {
    taskEvents(all: true) { what taskId }
  }
`);
const HAND_ON = graphql(`
  mutation HandOnTask($id: String!, $to: String) {
    handOnTask(id: $id, assignee: $to) { value { id } errors { ...Refusal } }
  }
`);
const CANCEL = graphql(`
  mutation CancelTask($id: String!) {
    cancelTask(id: $id) { value { id } errors { ...Refusal } }
  }
`);

type Row = AllTasksQuery['tasks']['nodes'][number];
const KEYS = ['state', 'assignee', 'search'] as const;
const STATES = ['open', 'taken', 'done', 'given_up', 'expired', 'cancelled'] as const;
const TONES: Record<string, Tone> = {
  open: 'wait',
  taken: 'act',
  done: 'good',
  given_up: 'bad',
  expired: 'bad',
  cancelled: 'off',
};
const KINDS = {
  callback: 'callback',
  voicemail: 'voicemailKind',
  missed: 'missedKind',
  planned: 'planned',
  work: 'work',
} as const;

export default function TasksPage() {
  const w = useWords(centreWords);
  const c = useWords(common);
  const text = useText();
  const [filters, setFilters] = useFilters('tasks', KEYS);
  const [search, setSearch] = useState(filters.search);
  useEffect(() => {
    if (search === filters.search) return;
    const timer = setTimeout(() => setFilters({ search }), 300);
    return () => clearTimeout(timer);
  }, [search, filters.search, setFilters]);
  const filter = useMemo(
    () => ({
      mine: false,
      states: filters.state ? [filters.state] : ['open', 'taken'],
      assignee: filters.assignee || null,
      search: filters.search,
    }),
    [filters.state, filters.assignee, filters.search],
  );
  const pages = usePages(LIST, { filter }, (data) => data.tasks);
  const { rows, reload } = pages;
  useSubscription({ query: EVENTS }, (_, event) => {
    reload();
    return event;
  });
  const [handOn] = useChange(HAND_ON);
  const [cancel] = useChange(CANCEL);
  const people = pages.data?.colleagues ?? [];
  return (
    <>
      <PageHeader title={w('tasks')} help={w('tasksHelp')} />
      <Failure error={pages.error} retry={reload} />
      <FilterBar>
        <SearchBox value={search} onChange={setSearch} />
        <Select
          style={{ minWidth: 140 }}
          value={filters.state}
          aria-label={c('state')}
          onChange={(state) => setFilters({ state })}
          options={[
            { value: '', label: `${w('open')} + ${w('taken')}` },
            ...STATES.map((value) => ({ value, label: w(value) })),
          ]}
        />
        <Select
          style={{ minWidth: 160 }}
          value={filters.assignee}
          aria-label={w('assignee')}
          showSearch={{ optionFilterProp: 'label' }}
          onChange={(assignee) => setFilters({ assignee })}
          options={[
            { value: '', label: w('allAssignees') },
            ...people.map((one) => ({ value: one.id, label: one.name })),
          ]}
        />
      </FilterBar>
      {rows?.length === 0 ? (
        <EmptyState icon={<ListTodo size={32} aria-hidden />} title={w('noTasks')} help={w('noTasksHelp')} />
      ) : (
        <ListTable<Row>
          rowKey="id"
          size="middle"
          loading={!rows && !pages.error}
          dataSource={rows ?? []}
          pagination={false}
          columns={[
            {
              title: w('due'),
              render: (_, one) => (
                <span className="cw-due">
                  <span className="cw-num cw-nowrap">{dayjs(one.dueAt).format('YYYY-MM-DD HH:mm')}</span>
                  {one.overdue && <StateTag tone="bad">{w('overdue')}</StateTag>}
                </span>
              ),
            },
            {
              title: w('kind'),
              className: 'cw-nowrap',
              render: (_, one) => (one.kind in KINDS ? w(KINDS[one.kind as keyof typeof KINDS]) : one.kind),
            },
            {
              title: w('who'),
              render: (_, one) => {
                const who = one.customer?.name || groupedPhone(one.number) || one.title;
                const what = [one.title, one.note].filter((words) => words && words !== who).join(' · ');
                return (
                  <>
                    <strong>{who}</strong>
                    {one.number && one.customer?.name && (
                      <div className="cw-quiet">
                        <Phone number={one.number} region={one.region} />
                      </div>
                    )}
                    {!one.customer?.name && one.region && (
                      <span className="cw-quiet"> {text(one.region)}</span>
                    )}
                    {what && <div className="cw-quiet">{what}</div>}
                  </>
                );
              },
            },
            { title: w('attempts'), dataIndex: 'attempts', align: 'right', className: 'cw-nowrap' },
            {
              title: c('state'),
              render: (_, one) => (
                <StateTag tone={TONES[one.state] ?? 'off'}>
                  {(STATES as readonly string[]).includes(one.state) ? w(one.state as 'open') : one.state}
                </StateTag>
              ),
            },
            {
              title: w('assignee'),
              render: (_, one) => (
                <Select
                  size="small"
                  style={{ minWidth: 140 }}
                  allowClear
                  aria-label={w('handOn')}
                  placeholder={w('nobody')}
                  disabled={one.state !== 'open' && one.state !== 'taken'}
                  value={one.assignee?.id}
                  options={people.map((who) => ({ value: who.id, label: who.name }))}
                  onChange={async (to: string | undefined) => {
                    if ((await handOn({ id: one.id, to: to ?? null })).value) reload();
                  }}
                />
              ),
            },
            {
              title: <span className="cw-hidden">{c('actions')}</span>,
              render: (_, one) =>
                (one.state === 'open' || one.state === 'taken') && (
                  <Button
                    size="small"
                    onClick={async () => {
                      if ((await cancel({ id: one.id })).value) reload();
                    }}
                  >
                    {w('cancelTask')}
                  </Button>
                ),
            },
          ]}
        />
      )}
      <LoadMore pages={pages} />
    </>
  );
}
