/** The node types of the installation, as the API describes them. */
import { useMemo } from 'react';
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import type { Text } from '@/i18n';

const TYPES = graphql(`
  query NodeTypes {
    nodeTypes { type version family definition }
  }
`);

export interface PortInfo {
  name: string;
  title: Text;
  required?: boolean;
}

export interface NodeType {
  type: string;
  version: number;
  family: string;
  icon: string;
  runs: string;
  terminal: boolean;
  kinds: string[];
  title: Text;
  help: Text;
  schema: Record<string, unknown>;
  example: Record<string, unknown>;
  ports: PortInfo[];
  outputs: { name: string; type: string; title: Text }[];
}

export type NodeTypes = ReadonlyMap<string, NodeType>;
const NONE: NodeTypes = new Map();

export function useNodeTypes(): NodeTypes {
  const [answer] = useQuery({ query: TYPES });
  return useMemo(
    () =>
      answer.data
        ? new Map(answer.data.nodeTypes.map((one) => [one.type, one.definition as NodeType]))
        : NONE,
    [answer.data],
  );
}
