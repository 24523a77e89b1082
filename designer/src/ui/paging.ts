/** Lists by cursor: the first page follows the server, further ones are added below and follow it as well. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { type CombinedError, type TypedDocumentNode, useClient, useQuery } from 'urql';

/** What the API calls a connection. */
export interface Page<N> {
  nodes: readonly N[];
  endCursor?: string | null;
  hasNext: boolean;
}

/** All rows of these pages in their order; a row that moved from one page to the next is there once. */
export function rowsOf<N>(pages: readonly Page<N>[], keyOf: (node: N) => unknown): N[] {
  const seen = new Set<unknown>();
  return pages.flatMap((page) =>
    page.nodes.filter((node) => {
      const key = keyOf(node);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    }),
  );
}

/** As many pages as wanted after a cursor, or up to the end; null when one of them could not be had. */
export async function pagesAfter<N>(
  load: (after: string) => Promise<Page<N> | null | undefined>,
  after: string | null | undefined,
  wanted: number,
): Promise<Page<N>[] | null> {
  const found: Page<N>[] = [];
  let cursor = after;
  while (found.length < wanted && cursor) {
    const page = await load(cursor);
    if (!page) return null;
    found.push(page);
    cursor = page.hasNext ? page.endCursor : null;
  }
  return found;
}

export interface Pages<D, N> {
  /** Undefined until the first page is there. */
  rows: N[] | undefined;
  /** What the first page's query brought along. */
  data: D | undefined;
  error: CombinedError | undefined;
  hasNext: boolean;
  /** Whether further pages are on their way. */
  loading: boolean;
  loadMore: () => Promise<void>;
  /** Everything that is shown, read again. */
  reload: () => void;
}

interface Further<N> {
  /** Which list they belong to, and after which cursor they begin. */
  list: string;
  after: string | null | undefined;
  pages: Page<N>[];
}

const idOf = (node: object): unknown => (node as { id?: unknown }).id;

/**
 * A list that is read page by page. `query` takes a variable `after`; `pick` finds its connection in an answer. Other
 * `variables` begin a new list; when the first page changes, those below it are read again.
 */
export function usePages<D, V extends { after?: string | null }, N extends object>(
  query: TypedDocumentNode<D, V>,
  variables: Omit<V, 'after'>,
  pick: (data: D) => Page<N> | null | undefined,
  { pause = false, keyOf = idOf }: { pause?: boolean; keyOf?: (node: N) => unknown } = {},
): Pages<D, N> {
  const client = useClient();
  const list = JSON.stringify(variables);
  const at = (after: string | null) => ({ ...variables, after }) as unknown as V;
  const [answer, ask] = useQuery({
    query,
    variables: at(null) as never,
    requestPolicy: 'cache-and-network',
    pause,
  });
  const [further, setFurther] = useState<Further<N> | null>(null);
  const [loading, setLoading] = useState(false);
  const newest = useRef(0);
  const first = answer.data ? pick(answer.data) : undefined;
  const below = further?.list === list ? further.pages : [];
  const last = below.at(-1) ?? first;

  const follow = async (wanted: number, after: string | null | undefined, before: Page<N>[]) => {
    newest.current += 1;
    const turn = newest.current;
    setLoading(true);
    const load = async (cursor: string) => {
      const told = await client
        .query(query, at(cursor) as never, { requestPolicy: 'network-only' })
        .toPromise();
      return told.data ? pick(told.data) : null;
    };
    const found = await pagesAfter(load, after, wanted);
    // Whoever asked later, or for another list, knows better.
    if (turn !== newest.current) return;
    setLoading(false);
    if (found) setFurther({ list, after: first?.endCursor, pages: [...before, ...found] });
  };
  const again = () => void follow(below.length, first?.endCursor, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: only when another first page has come
  useEffect(() => {
    if (below.length > 0 && further?.after !== first?.endCursor) again();
  }, [first?.endCursor]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was under way belongs to another list
  useEffect(
    () => () => {
      newest.current += 1;
      setLoading(false);
    },
    [list],
  );

  const latest = useRef({ again, below });
  latest.current = { again, below };
  const reload = useCallback(() => {
    ask({ requestPolicy: 'network-only' });
    if (latest.current.below.length > 0) latest.current.again();
  }, [ask]);

  return {
    rows: first ? rowsOf([first, ...below], keyOf) : undefined,
    data: answer.data,
    error: answer.error,
    hasNext: last?.hasNext ?? false,
    loading,
    loadMore: () => follow(1, last?.endCursor, below),
    reload,
  };
}
