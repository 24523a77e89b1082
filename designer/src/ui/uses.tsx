/** Where a thing is used by flows: the same words in every library. */
import { Tag } from 'antd';
import { Link } from 'react-router';
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import { listed, type Text, useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';

const USES = graphql(`
  query WhereUsed($kind: String!) {
    whereUsed(kind: $kind) { name flowKey flowName version aliases node called { zh en } field }
  }
`);

export interface UsedBy {
  key: string;
  name: string;
  /** The nodes that use it. */
  nodes: { id: string; called: Text }[];
  live: boolean;
}

interface UseRow {
  name: string;
  flowKey: string;
  flowName: string;
  version?: number | null;
  aliases: string[];
  node: string;
  called: Text;
}

/** Flows by the name of what they use, each once, with its nodes. */
export function groupUses(rows: readonly UseRow[]): Map<string, UsedBy[]> {
  const found = new Map<string, UsedBy[]>();
  for (const row of rows) {
    const list = found.get(row.name) ?? [];
    found.set(row.name, list);
    let flow = list.find((one) => one.key === row.flowKey);
    if (!flow) {
      flow = { key: row.flowKey, name: row.flowName, nodes: [], live: false };
      list.push(flow);
    }
    if (!flow.nodes.some((one) => one.id === row.node)) flow.nodes.push({ id: row.node, called: row.called });
    if (row.aliases.includes('live')) flow.live = true;
  }
  return found;
}

/** Which flows use the things of a kind, by the thing's name. */
export function useUses(kind: string, pause = false): ReadonlyMap<string, UsedBy[]> {
  const [answer] = useQuery({
    query: USES,
    variables: { kind },
    requestPolicy: 'cache-and-network',
    pause,
  });
  return groupUses(answer.data?.whereUsed ?? []);
}

export function UsedByList({ uses }: { uses: readonly UsedBy[] | undefined }) {
  const c = useWords(common);
  const text = useText();
  if (!uses || uses.length === 0) return <span className="cw-quiet">{c('none')}</span>;
  return (
    <span className="cw-uses">
      {uses.map((use) => (
        <Link key={use.key} to={`/flows/${use.key}`} title={listed(use.nodes.map((one) => text(one.called)))}>
          {use.name}
          {use.live && <Tag className="cw-uses-live">{c('alias_live')}</Tag>}
        </Link>
      ))}
    </span>
  );
}
