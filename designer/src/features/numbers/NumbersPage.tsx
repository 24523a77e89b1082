/** The number plan: numbers to flows, lines, phones, and what may be dialled out. */
import { Tabs } from 'antd';
import { useQuery } from 'urql';
import { useSession } from '@/app/session';
import { useWords } from '@/i18n';
import { PageHeader } from '@/ui';
import { useFilters } from '@/ui/filters';
import { Failure } from '@/ui/lists';
import { Dids } from './Dids';
import { PLAN, PLAN_FLOWS, PLAN_USERS } from './data';
import { Extensions } from './Extensions';
import { Emergency, Rules } from './Outbound';
import { Trunks } from './Trunks';
import { numberWords } from './words';

const KEYS = ['tab'] as const;

export default function NumbersPage() {
  const w = useWords(numberWords);
  const { may } = useSession();
  const [filters, setFilters] = useFilters('numbers', KEYS);
  const [answer, ask] = useQuery({ query: PLAN, requestPolicy: 'cache-and-network' });
  const [flows] = useQuery({ query: PLAN_FLOWS, pause: !may('flows.read') });
  const [users] = useQuery({ query: PLAN_USERS, pause: !may('users.manage') });
  const reload = () => ask({ requestPolicy: 'network-only' });
  const plan = answer.data;
  const shared = { loading: answer.fetching && !plan, reload };
  return (
    <>
      <PageHeader title={w('title')} help={w('help')} />
      <Failure error={answer.error} retry={reload} />
      <Tabs
        activeKey={filters.tab || 'numbers'}
        onChange={(tab) => setFilters({ tab: tab === 'numbers' ? '' : tab })}
        destroyOnHidden
        items={[
          {
            key: 'numbers',
            label: w('dids'),
            children: <Dids {...shared} dids={plan?.phoneNumbers} flows={flows.data?.flows ?? []} />,
          },
          {
            key: 'trunks',
            label: w('trunks'),
            children: <Trunks {...shared} trunks={plan?.trunks} />,
          },
          {
            key: 'extensions',
            label: w('extensions'),
            children: (
              <Extensions {...shared} extensions={plan?.extensions} users={users.data?.users ?? []} />
            ),
          },
          {
            key: 'rules',
            label: w('rules'),
            children: <Rules {...shared} rules={plan?.outboundRules} trunks={plan?.trunks ?? []} />,
          },
          {
            key: 'emergency',
            label: w('emergency'),
            children: (
              <Emergency
                {...shared}
                routes={plan?.emergencyRoutes}
                extensions={plan?.extensions ?? []}
                trunks={plan?.trunks ?? []}
              />
            ),
          },
        ]}
      />
    </>
  );
}
