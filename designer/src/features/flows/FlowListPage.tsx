import { Table } from 'antd';
import { Link } from 'react-router';
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import { PageHeader, Time } from '@/ui';

const FLOWS = graphql(`
  query FlowList {
    flows { id key name kind updatedAt updatedBy }
  }
`);

export default function FlowListPage() {
  const [answer] = useQuery({ query: FLOWS });
  return (
    <>
      <PageHeader title="Flows" />
      <Table
        rowKey="id"
        loading={answer.fetching}
        dataSource={answer.data?.flows ?? []}
        pagination={false}
        columns={[
          {
            title: 'Name',
            dataIndex: 'name',
            render: (name, row) => <Link to={`/flows/${row.key}`}>{name}</Link>,
          },
          { title: 'Kind', dataIndex: 'kind' },
          { title: 'Changed', dataIndex: 'updatedAt', render: (at: string) => <Time at={at} /> },
        ]}
      />
    </>
  );
}
