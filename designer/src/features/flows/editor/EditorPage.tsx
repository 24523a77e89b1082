/** The designer: one flow on the canvas, with everything about it around. */
import { ReactFlowProvider } from '@xyflow/react';
import { Button, Spin } from 'antd';
import { Compass, TriangleAlert } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { Link, useParams } from 'react-router';
import { type CombinedError, useClient, useQuery } from 'urql';
import { useMay } from '@/app/session';
import { refusalOf } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { EmptyState } from '@/ui';
import { CatalogueContext, readCatalogue, useCatalogue } from './catalogue';
import { arrange, unplaced } from './layout/arrange';
import { place } from './layout/elk';
import { createMarks, MarksContext } from './marks';
import { type FlowDoc, readDoc } from './model';
import { NODE_TYPES, takeNewest } from './opening';
import { Room } from './Room';
import { createEditor, EditorContext, type EditorStore } from './store';
import { type Sync, startSync } from './sync';
import { SyncContext } from './syncContext';
import { editorWords } from './words';
import './editor.css';

// Fields that are shown later must be here when the connection is not.
void import('./widgets/rich').catch(() => undefined);

export default function EditorPage() {
  const { key = '' } = useParams();
  return <OpenFlow key={key} flow={key} />;
}

interface Found {
  doc: FlowDoc;
  revision: number;
  at: string;
  by: string | null;
}

function OpenFlow({ flow }: { flow: string }) {
  const t = useWords(editorWords);
  const c = useWords(common);
  const mayEdit = useMay('flows.edit');
  const [types] = useQuery({ query: NODE_TYPES });
  const catalogue = useMemo(() => readCatalogue(types.data?.nodeTypes ?? []), [types.data]);
  const [found, setFound] = useState<Found | null>(null);
  const [failure, setFailure] = useState<CombinedError | 'missing' | null>(null);
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` asks again
  useEffect(() => {
    let gone = false;
    setFailure(null);
    void takeNewest(flow).then((answer) => {
      if (gone) return;
      const it = answer.data?.flow;
      if (it) {
        setFound({
          doc: readDoc(it.draft),
          revision: it.revision,
          at: it.updatedAt,
          by: it.updatedBy ?? null,
        });
      } else {
        const gone = answer.error?.graphQLErrors[0]?.extensions.code === 'not_found';
        setFailure(answer.error && !gone ? answer.error : 'missing');
      }
    });
    return () => {
      gone = true;
    };
    // Not by the language: the work would begin anew, without its undo, when somebody changes it.
  }, [flow, attempt]);

  if (failure === 'missing') {
    return (
      <EmptyState
        icon={<Compass size={32} aria-hidden />}
        title={<span role="alert">{t('missing')}</span>}
        help={t('missingHelp')}
        action={
          <Link to="/flows">
            <Button type="primary">{t('allFlows')}</Button>
          </Link>
        }
      />
    );
  }
  if (failure) {
    return (
      <EmptyState
        icon={<TriangleAlert size={32} aria-hidden />}
        title={<span role="alert">{t('failed')}</span>}
        help={refusalOf(failure)}
        action={
          <span className="cw-ed-row">
            <Button onClick={() => setAttempt(attempt + 1)}>{c('retry')}</Button>
            <Link to="/flows">{t('flows')}</Link>
          </span>
        }
      />
    );
  }
  if (!found || catalogue.types.size === 0) return <Spin className="cw-page-spin" />;
  return (
    <CatalogueContext value={catalogue}>
      <Opened flow={flow} found={found} readOnly={!mayEdit} />
    </CatalogueContext>
  );
}

interface Open {
  store: EditorStore;
  sync: Sync;
}

function Opened({ flow, found, readOnly }: { flow: string; found: Found; readOnly: boolean }) {
  const client = useClient();
  const catalogue = useCatalogue();
  const [open, setOpen] = useState<Open | null>(null);
  const marks = useMemo(createMarks, []);
  useEffect(() => {
    let stop: (() => void) | null = null;
    let gone = false;
    const begin = (doc: FlowDoc) => {
      if (gone) return;
      const store = createEditor(flow, doc, readOnly);
      store.setState({
        revision: found.revision,
        save: { state: 'saved', at: found.at, by: found.by },
      });
      const sync = startSync(store, client, { doc, revision: found.revision });
      stop = sync.stop;
      setOpen({ store, sync });
    };
    // A flow that was written by hand or imported has no places yet: they are kept with the first change.
    if (unplaced(found.doc))
      void arrange(found.doc, catalogue).then(
        (arranged) => begin(place(found.doc, arranged)),
        () => begin(found.doc),
      );
    else begin(found.doc);
    return () => {
      gone = true;
      stop?.();
    };
  }, [flow, found, readOnly, client, catalogue]);
  if (!open) return null;
  return (
    <EditorContext value={open.store}>
      <SyncContext value={open.sync}>
        <MarksContext value={marks}>
          <ReactFlowProvider>
            <Room />
          </ReactFlowProvider>
        </MarksContext>
      </SyncContext>
    </EditorContext>
  );
}
