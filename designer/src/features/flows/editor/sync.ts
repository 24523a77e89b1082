/**
 * Autosave. A change is sent a moment after the last one, one save at a time, with the revision it is based on.
 * Work that the server does not have is kept in this browser until it does: while there is no connection, after a
 * refusal, and when the page is closed in between.
 */
import type { Client } from 'urql';
import { createStore, type StoreApi } from 'zustand';
import { graphql } from '@/gql';
import { checkConnection, connection } from '@/graphql/connection';
import { sentences } from '@/graphql/useChange';
import type { Text } from '@/i18n';
import { merge } from './merge';
import { type FlowDoc, readDoc } from './model';
import { askNewest } from './opening';
import type { EditorStore, Step } from './store';

const QUIET_MS = 700;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 15_000;
/** Steps of the history that are kept when another person's work comes in. */
const REBASED = 30;

const SAVE = graphql(`
  mutation EditorSave($key: String!, $document: JSON!, $revision: Int!) {
    saveDraft(key: $key, document: $document, revision: $revision) {
      value {
        flow { id revision updatedAt updatedBy }
        problems { code severity node field message { zh en } }
      }
      errors { ...Refusal }
    }
  }
`);

const CHANGES = graphql(`
  subscription EditorDraftChanges($key: String!) {
    flowDraft(key: $key) { key revision by }
  }
`);

/** The draft on the server that came between. */
export interface Theirs {
  base: FlowDoc;
  doc: FlowDoc;
  revision: number;
  by: string | null;
  at: string | null;
}

interface Kept {
  base: FlowDoc;
  doc: FlowDoc;
  revision: number;
}

const keptAs = (key: string): string => `callweave.draft.${key}`;

export function keptWork(key: string): Kept | null {
  try {
    const found = localStorage.getItem(keptAs(key));
    if (!found) return null;
    const kept = JSON.parse(found) as Kept;
    return { base: readDoc(kept.base), doc: readDoc(kept.doc), revision: kept.revision };
  } catch {
    return null;
  }
}

export function forgetWork(key: string): void {
  localStorage.removeItem(keptAs(key));
}

export interface Sync {
  /** What another person saved meanwhile, for the dialog. */
  theirs: StoreApi<{ theirs: Theirs | null }>;
  /** Save now whatever is not saved; true when the server has everything. */
  flush(): Promise<boolean>;
  /** Go on from the other person's draft with this document (theirs itself, or a merge). */
  settle(doc: FlowDoc): void;
  stop(): void;
}

export function startSync(
  store: EditorStore,
  client: Client,
  start: { doc: FlowDoc; revision: number },
): Sync {
  const { key } = store.getState();
  let base = start.doc;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<boolean> | null = null;
  let stopped = false;
  /** How long to wait before the next attempt while the server cannot be reached. */
  let patience = FIRST_RETRY_MS;
  const theirs = createStore<{ theirs: Theirs | null }>()(() => ({ theirs: null }));

  const dirty = () => store.getState().doc !== base && !store.getState().readOnly;

  function keep(): void {
    if (!dirty()) return;
    const { doc, revision } = store.getState();
    try {
      localStorage.setItem(keptAs(key), JSON.stringify({ base, doc, revision } satisfies Kept));
    } catch {
      // The browser has no room left: the page still holds the work and asks before it is closed.
    }
  }

  function schedule(wait = QUIET_MS): void {
    clearTimeout(timer);
    timer = setTimeout(() => void send(), wait);
  }

  function send(): Promise<boolean> {
    clearTimeout(timer);
    if (sending) return sending.then((done) => (done && dirty() ? send() : done));
    if (stopped || !dirty()) return Promise.resolve(!dirty());
    if (store.getState().save.state === 'conflict') return Promise.resolve(false);
    sending = attempt().finally(() => {
      sending = null;
      if (dirty() && store.getState().save.state === 'waiting') schedule(0);
    });
    return sending;
  }

  async function attempt(): Promise<boolean> {
    const { doc, revision } = store.getState();
    store.setState({ save: { state: 'saving' } });
    const answer = await client.mutation(SAVE, { key, document: doc, revision }).toPromise();
    const told = answer.data?.saveDraft;
    if (told?.value) {
      base = doc;
      patience = FIRST_RETRY_MS;
      forgetWork(key);
      const { flow, problems } = told.value;
      store.setState({
        revision: flow.revision,
        problems: problems.map((one) => ({ ...one, node: one.node ?? null, field: one.field ?? null })),
        save: dirty()
          ? { state: 'waiting' }
          : { state: 'saved', at: flow.updatedAt, by: flow.updatedBy ?? null },
      });
      return true;
    }
    keep();
    if (answer.error?.networkError) {
      store.setState({ save: { state: 'kept' } });
      checkConnection();
      schedule(patience);
      patience = Math.min(patience * 2, LAST_RETRY_MS);
      return false;
    }
    const error = told?.errors[0];
    if (error?.code === 'conflict') {
      await learnTheirs();
      return false;
    }
    const why: Text = error
      ? {
          zh: sentences([error.message.zh, error.remedy.zh], 'zh'),
          en: sentences([error.message.en, error.remedy.en], 'en'),
        }
      : { zh: answer.error?.message ?? '', en: answer.error?.message ?? '' };
    store.setState({ save: { state: 'refused', why } });
    return false;
  }

  async function newest(): Promise<Theirs | null> {
    const answer = await askNewest(key);
    const flow = answer.data?.flow;
    if (!flow) return null;
    return {
      base,
      doc: readDoc(flow.draft),
      revision: flow.revision,
      by: flow.updatedBy ?? null,
      at: flow.updatedAt,
    };
  }

  async function learnTheirs(): Promise<void> {
    const found = await newest();
    if (!found) {
      store.setState({ save: { state: 'kept' } });
      return;
    }
    theirs.setState({ theirs: found });
    store.setState({ save: { state: 'conflict' }, dialog: 'conflict' });
  }

  /** The history upon another person's work: taking back one's own steps leaves theirs. */
  function rebased(from: FlowDoc, onto: FlowDoc): { past: Step[]; future: Step[] } {
    const { past, future } = store.getState();
    const move = (steps: Step[]) => steps.map((step) => ({ ...step, doc: merge(from, step.doc, onto).doc }));
    return { past: move(past.slice(-REBASED)), future: move(future.slice(0, REBASED)) };
  }

  /** Somebody else saved: take it when nothing of one's own is waiting; otherwise the next save asks. */
  async function follow(revision: number): Promise<void> {
    const now = store.getState();
    if (stopped || revision <= now.revision || sending || dirty()) return;
    const found = await newest();
    if (!found || dirty() || sending || found.revision <= store.getState().revision) return;
    const { past, future } = rebased(base, found.doc);
    base = found.doc;
    store.setState({
      doc: found.doc,
      past,
      future,
      revision: found.revision,
      save: { state: 'saved', at: found.at, by: found.by },
    });
  }

  const unwatch = store.subscribe((now, before) => {
    if (now.doc === before.doc) return;
    if (!dirty()) {
      clearTimeout(timer);
      if (now.save.state === 'waiting') store.setState({ save: { state: 'saved', at: null, by: null } });
      return;
    }
    const { state } = now.save;
    if (state === 'kept' || state === 'refused') keep();
    if (state === 'saved' || state === 'refused') store.setState({ save: { state: 'waiting' } });
    if (state !== 'conflict' && state !== 'kept' && !sending) schedule();
  });

  const unconnect = connection.subscribe((now, before) => {
    if (now.online && !before.online && dirty()) schedule(Math.min(patience, FIRST_RETRY_MS));
  });

  const subscription = client
    .subscription(CHANGES, { key })
    .subscribe((told) => told.data && void follow(told.data.flowDraft.revision));

  const leave = (event: BeforeUnloadEvent) => {
    if (!dirty()) return;
    keep();
    void send();
    const { state } = store.getState().save;
    if (state === 'refused' || state === 'conflict') event.preventDefault();
  };
  const hide = () => {
    if (document.visibilityState !== 'hidden') return;
    keep();
    void send();
  };
  window.addEventListener('beforeunload', leave);
  document.addEventListener('visibilitychange', hide);

  const kept = keptWork(key);
  if (kept && !store.getState().readOnly && JSON.stringify(kept.doc) !== JSON.stringify(start.doc)) {
    base = kept.revision === start.revision ? start.doc : kept.base;
    store.setState({ doc: kept.doc, revision: kept.revision, save: { state: 'waiting' } });
    schedule(0);
  } else if (kept) forgetWork(key);

  return {
    theirs,
    flush: send,
    settle(doc) {
      const found = theirs.getState().theirs;
      if (!found) return;
      const history = doc === found.doc ? { past: [], future: [] } : rebased(found.base, found.doc);
      base = found.doc;
      theirs.setState({ theirs: null });
      store.setState({ ...history, revision: found.revision, dialog: null, save: { state: 'waiting' }, doc });
      if (doc === base) {
        forgetWork(key);
        store.setState({ save: { state: 'saved', at: found.at, by: found.by } });
      } else schedule(0);
    },
    stop() {
      if (dirty()) {
        keep();
        void send();
      }
      stopped = true;
      clearTimeout(timer);
      unwatch();
      unconnect();
      subscription.unsubscribe();
      window.removeEventListener('beforeunload', leave);
      document.removeEventListener('visibilitychange', hide);
    },
  };
}
