import { Contact } from 'lucide-react';
import type { Searcher } from '@/app/searchers';
import { graphql } from '@/gql';
import { client } from '@/graphql/client';
import { groupedPhone } from '@/ui/format';

const FIND = graphql(`
  query FindCustomersByName($search: String!) {
    customers(first: 6, search: $search) { nodes { id name phones } }
  }
`);

export const customerSearcher: Searcher = {
  permission: 'customers.read',
  async search(typed) {
    const wanted = typed.trim();
    if (wanted.length < 2) return [];
    const answer = await client.query(FIND, { search: wanted }).toPromise();
    return (answer.data?.customers.nodes ?? []).map((one) => ({
      id: `customer:${one.id}`,
      label: `${one.name} ${groupedPhone(one.phones[0] ?? '')}`.trim(),
      kind: { zh: '客户', en: 'Customer' },
      to: `/customers?open=${one.id}`,
      icon: Contact,
    }));
  },
};
