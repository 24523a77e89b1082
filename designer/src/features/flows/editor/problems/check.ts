/**
 * Live validation: the flow is checked by the server a moment after each change that matters.
 *
 * One result at a time: an answer about an older document is dropped, and what was found stays on the screen until
 * the next answer is there, so that nothing flickers while somebody types. Positions on the canvas never matter.
 */
import type { Client } from 'urql';
import { createStore, type StoreApi } from 'zustand';
import { graphql } from '@/gql';
import { connection } from '@/graphql/connection';
import type { Text } from '@/i18n';
import type { FlowDoc } from '../model';
import type { EditorStore } from '../store';

const CHECK = graphql(`
  query LiveProblems($document: JSON!) {
    checkFlow(document: $document) {
      code severity node field message { zh en } title { zh en } remedy { zh en }
    }
  }
`);

export interface FlowProblem {
  code: string;
  severity: 'error' | 'warning';
  node: string | null;
  field: string | null;
  message: Text;
  title: Text;
  remedy: Text;
}

export interface Checked {
  problems: FlowProblem[];
  /** `checking` before the first answer, `current` when the answer is about the document as it is. */
  state: 'checking' | 'behind' | 'current' | 'unknown';
}

const QUIET_MS = 350;
const SLOWEST_MS = 1500;

/** Whether two documents are the same to the engine. */
export function sameToEngine(one: FlowDoc, other: FlowDoc): boolean {
  return (Object.keys({ ...one, ...other }) as (keyof FlowDoc)[]).every(
    (key) => key === 'ui' || one[key] === other[key],
  );
}

export function withoutUi(doc: FlowDoc): Omit<FlowDoc, 'ui'> {
  const { ui: _, ...rest } = doc;
  return rest;
}

/** Worst first, then in the order of the document. */
export function ordered(problems: readonly FlowProblem[], doc: FlowDoc): FlowProblem[] {
  const place = new Map(Object.keys(doc.nodes).map((id, index) => [id, index]));
  const rank = (one: FlowProblem) => (one.node === null ? -1 : (place.get(one.node) ?? 1e6));
  return [...problems].sort(
    (one, other) =>
      Number(one.severity !== 'error') - Number(other.severity !== 'error') || rank(one) - rank(other),
  );
}

export type ProblemStore = StoreApi<Checked>;

const stores = new WeakMap<EditorStore, ProblemStore>();

/** The problems of an open flow. They are kept up to date while `startChecking` runs. */
export function problemsOf(editor: EditorStore): ProblemStore {
  let found = stores.get(editor);
  if (!found) {
    found = createStore<Checked>()(() => ({ problems: [], state: 'checking' }));
    stores.set(editor, found);
  }
  return found;
}

export function startChecking(editor: EditorStore, client: Client): () => void {
  const store = problemsOf(editor);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  let took = 0;
  let stopped = false;

  async function check(): Promise<void> {
    asked += 1;
    const mine = asked;
    const { doc } = editor.getState();
    const began = performance.now();
    const answer = await client
      .query(CHECK, { document: withoutUi(doc) }, { requestPolicy: 'network-only' })
      .toPromise();
    took = performance.now() - began;
    if (stopped || mine !== asked) return;
    const told = answer.data?.checkFlow;
    if (!told) {
      store.setState({ state: 'unknown' });
      return;
    }
    const problems = told.map((one) => ({
      ...one,
      severity: one.severity === 'error' ? ('error' as const) : ('warning' as const),
      node: one.node ?? null,
      field: one.field ?? null,
    }));
    const same = sameToEngine(doc, editor.getState().doc);
    store.setState({ problems: ordered(problems, doc), state: same ? 'current' : 'behind' });
  }

  function schedule(): void {
    clearTimeout(timer);
    // A huge flow takes longer to check: it is asked for less often.
    timer = setTimeout(() => void check(), Math.min(SLOWEST_MS, QUIET_MS + took));
  }

  const unwatch = editor.subscribe((now, before) => {
    if (now.doc === before.doc || sameToEngine(now.doc, before.doc)) return;
    if (store.getState().state === 'current') store.setState({ state: 'behind' });
    schedule();
  });
  const unconnect = connection.subscribe((now, before) => {
    if (now.online && !before.online) schedule();
  });
  void check();
  return () => {
    stopped = true;
    clearTimeout(timer);
    unwatch();
    unconnect();
  };
}
