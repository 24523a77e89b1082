/** What is asked of the server to open a flow. It is asked already while the designer's own code is on its way. */
import { graphql } from '@/gql';
import { client } from '@/graphql/client';

export const NODE_TYPES = graphql(`
  query EditorNodeTypes {
    nodeTypes { type version family definition }
  }
`);

export const NEWEST = graphql(`
  query EditorNewest($key: String!) {
    flow(key: $key) { id draft revision updatedAt updatedBy }
  }
`);

export function askNewest(key: string) {
  return client.query(NEWEST, { key }, { requestPolicy: 'network-only' }).toPromise();
}

let early: { key: string; answer: ReturnType<typeof askNewest> } | null = null;

/** Ask for the flow of an address, and for the node types. */
export function askEarly(path: string): void {
  const key = /^\/flows\/([^/]+)\/?$/.exec(path)?.[1];
  if (!key) return;
  early = { key, answer: askNewest(key) };
  void client.query(NODE_TYPES, {}).toPromise();
}

/** The answer that was asked for early, once; or a new one. */
export function takeNewest(key: string): ReturnType<typeof askNewest> {
  const found = early?.key === key ? early.answer : askNewest(key);
  early = null;
  return found;
}
