/** Agents, queues, teams and reasons: who takes which calls. */
import { Tabs } from 'antd';
import { useQuery } from 'urql';
import { useMay } from '@/app/session';
import { useWords } from '@/i18n';
import { PageHeader } from '@/ui';
import { useFilters } from '@/ui/filters';
import { Failure } from '@/ui/lists';
import { Agents } from './Agents';
import { PEOPLE, SETUP } from './data';
import { Queues } from './Queues';
import { Reasons, Teams } from './Teams';
import { queueWords } from './words';

const KEYS = ['tab'] as const;

export default function AgentsPage() {
  const w = useWords(queueWords);
  const mayUsers = useMay('users.manage');
  const [filters, setFilters] = useFilters('agents', KEYS);
  const [answer, ask] = useQuery({ query: SETUP, requestPolicy: 'cache-and-network' });
  const [people] = useQuery({ query: PEOPLE, pause: !mayUsers, requestPolicy: 'cache-and-network' });
  const reload = () => ask({ requestPolicy: 'network-only' });
  const setup = answer.data;
  const shared = { setup, loading: answer.fetching && !setup, reload };
  return (
    <>
      <PageHeader title={w('title')} help={w('help')} />
      <Failure error={answer.error} retry={reload} />
      <Tabs
        activeKey={filters.tab || 'agents'}
        onChange={(tab) => setFilters({ tab: tab === 'agents' ? '' : tab })}
        destroyOnHidden
        items={[
          {
            key: 'agents',
            label: w('agents'),
            children: (
              <Agents
                {...shared}
                users={people.data?.users ?? []}
                extensions={people.data?.extensions ?? []}
              />
            ),
          },
          { key: 'queues', label: w('queues'), children: <Queues {...shared} /> },
          { key: 'teams', label: w('teams'), children: <Teams {...shared} /> },
          { key: 'reasons', label: w('reasons'), children: <Reasons {...shared} /> },
        ]}
      />
    </>
  );
}
