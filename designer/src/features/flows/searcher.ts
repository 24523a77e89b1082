import { Workflow } from 'lucide-react';
import type { Searcher } from '@/app/searchers';
import { graphql } from '@/gql';
import { client } from '@/graphql/client';

const NAMES = graphql(`
  query FlowNames {
    flows { id key name }
  }
`);

export const flowSearcher: Searcher = {
  permission: 'flows.read',
  async search(typed) {
    const answer = await client.query(NAMES, {}).toPromise();
    const wanted = typed.trim().toLowerCase();
    return (answer.data?.flows ?? [])
      .filter((flow) => `${flow.name} ${flow.key}`.toLowerCase().includes(wanted))
      .slice(0, wanted ? 20 : 5)
      .map((flow) => ({
        id: `flow:${flow.id}`,
        label: flow.name,
        kind: { zh: '流程', en: 'Flow' },
        to: `/flows/${flow.key}`,
        icon: Workflow,
      }));
  },
};
