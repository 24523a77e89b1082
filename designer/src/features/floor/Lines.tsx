/** Lines and trunks: every call that is up, with caller, callee, trunk and duration. */
import { Table } from 'antd';
import { Link } from 'react-router';
import { useWords } from '@/i18n';
import { Duration, EmptyState, Phone, StateTag } from '@/ui';
import { floorWords } from './words';

interface Line {
  id: string;
  direction: string;
  caller: string;
  called: string;
  trunk: string;
  state: string;
  flowKey: string;
  startedAt: string;
}

export function Lines({ calls, loading }: { calls: readonly Line[]; loading: boolean }) {
  const t = useWords(floorWords);
  if (calls.length === 0 && !loading) return <EmptyState title={t('noLines')} />;
  const directions = { inbound: t('inbound'), outbound: t('outbound'), internal: t('internal') };
  return (
    <Table<Line>
      size="small"
      rowKey="id"
      loading={loading}
      dataSource={[...calls]}
      pagination={false}
      columns={[
        {
          title: t('direction'),
          dataIndex: 'direction',
          render: (direction: string) => (
            <StateTag tone={direction === 'outbound' ? 'outbound' : 'act'}>
              {directions[direction as 'inbound'] ?? direction}
            </StateTag>
          ),
        },
        { title: t('caller'), dataIndex: 'caller', render: (number: string) => <Phone number={number} /> },
        { title: t('called'), dataIndex: 'called', render: (number: string) => <Phone number={number} /> },
        { title: t('trunk'), dataIndex: 'trunk', render: (trunk: string) => trunk || '–' },
        {
          title: t('flow'),
          dataIndex: 'flowKey',
          render: (key: string) => (key ? <Link to={`/flows/${key}`}>{key}</Link> : '–'),
        },
        {
          title: t('duration'),
          dataIndex: 'startedAt',
          render: (at: string, row) => (
            <Link to={`/calls/${row.id}`}>
              <Duration since={at} />
            </Link>
          ),
        },
      ]}
    />
  );
}
