/** Flows from files: every file is read and checked first; nothing comes in while one of them is broken. */
import { Alert, Button, Modal, Select, Spin, Upload } from 'antd';
import { CircleCheck, CircleX, FileUp, TriangleAlert, X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Link } from 'react-router';
import { useClient } from 'urql';
import type { CheckImportQuery } from '@/gql/graphql';
import { sentences, useChange, wordsOf } from '@/graphql/useChange';
import { labelled, useText, useWords } from '@/i18n';
import { IconButton } from '@/ui';
import { useJsonFault } from '@/ui/json';
import { CHECK, IMPORT } from './data';
import { FlowPicture } from './FlowPicture';
import { KINDS, type Reading, readFiles, refusedAt, twice } from './model';
import { listWords } from './words';

type Problem = CheckImportQuery['checkFlow'][number];
interface Entry {
  id: number;
  file: string;
  reading: Reading | null;
  problems: Problem[];
  refused: string | null;
  replace: boolean;
  done: { key: string; name: string } | null;
}
let counter = 0;

export function ImportDialog({
  open,
  files,
  known,
  onClose,
  onDone,
}: {
  open: boolean;
  /** Files that were dropped on the list. */
  files: File[];
  known: ReadonlyMap<string, string>;
  onClose: () => void;
  onDone: () => void;
}) {
  const w = useWords(listWords);
  const text = useText();
  const client = useClient();
  const [entries, setEntries] = useState<Entry[]>([]);
  const faultWords = useJsonFault();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState('');
  const [importThem] = useChange(IMPORT);

  const change = (id: number, by: Partial<Entry>) =>
    setEntries((now) => now.map((entry) => (entry.id === id ? { ...entry, ...by } : entry)));

  const take = async (file: File) => {
    const id = ++counter;
    const empty = { problems: [], refused: null, replace: false, done: null };
    setEntries((now) => [...now, { id, file: file.name, reading: null, ...empty }]);
    const readings = readFiles(file.size > 5_000_000 ? '' : await file.text(), file.size);
    const rows = readings.map(
      (reading, at): Entry => ({
        id: at === 0 ? id : ++counter,
        file: file.name,
        reading: reading.ok ? null : reading,
        ...empty,
      }),
    );
    setEntries((now) => now.flatMap((entry) => (entry.id === id ? rows : [entry])));
    for (const [at, reading] of readings.entries()) {
      if (!reading.ok) continue;
      const { cases: _cases, ...document } = reading.document;
      const told = await client.query(CHECK, { document }, { requestPolicy: 'network-only' }).toPromise();
      const refused = told.error?.graphQLErrors[0]?.message ?? told.error?.message ?? '';
      change(rows[at]!.id, told.data ? { reading, problems: told.data.checkFlow } : { reading, refused });
    }
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: dropped files are taken once
  useEffect(() => {
    for (const file of files) void take(file);
  }, [files]);

  const good = entries.filter((entry) => entry.reading?.ok && !entry.refused && !entry.done);
  const doubles = twice(good.map((entry) => (entry.reading?.ok ? entry.reading.document : { id: '' })));
  const broken = entries.some((entry) => (entry.reading && !entry.reading.ok) || entry.refused);
  const reading = entries.some((entry) => entry.reading === null);
  const finished = entries.length > 0 && entries.every((entry) => entry.done);

  const whyNot = (entry: Entry): string | null => {
    if (entry.refused) return entry.refused;
    if (!entry.reading) return null;
    if (!entry.reading.ok) {
      if (entry.reading.why === 'notJson') return faultWords(entry.reading.fault);
      const { why, detail } = entry.reading;
      if (why === 'tooLarge') return w('tooLarge', { size: detail });
      if (why === 'wrongKind') return w('wrongKind', { kind: detail });
      return w('notFlow');
    }
    return null;
  };

  /** All of them in one step: what is wrong with one keeps all of them out. */
  const importAll = async () => {
    const sent = good.flatMap(({ id, reading, replace }) =>
      reading?.ok ? [{ id, document: reading.document, replace }] : [],
    );
    setBusy(true);
    const { value, errors } = await importThem(
      { flows: sent.map(({ document, replace }) => ({ document, replace })) },
      { quiet: true },
    );
    setBusy(false);
    if (value) {
      for (const [at, { flow }] of value.entries())
        change(sent[at]!.id, { done: { key: flow.key, name: flow.name } });
      onDone();
      return;
    }
    const shared = errors.filter((one) => refusedAt(one.field) === null);
    setFailed(shared.map(wordsOf).join(' '));
    for (const [at, { id }] of sent.entries()) {
      const mine = errors.filter((one) => refusedAt(one.field) === at);
      if (mine.length === 0) continue;
      const told = mine.map((one) => {
        const place = one.field.replace(/^flows\.\d+\.?/, '');
        return labelled(
          [(one as { node?: string | null }).node, place].filter(Boolean).join(' · '),
          text(one.message),
        );
      });
      change(id, { refused: told.join('\n') });
    }
  };

  return (
    <Modal
      open={open}
      title={w('importTitle')}
      width={720}
      onCancel={onClose}
      destroyOnHidden
      afterClose={() => setEntries([])}
      footer={
        finished ? (
          <Button type="primary" onClick={onClose}>
            OK
          </Button>
        ) : (
          <Button
            type="primary"
            disabled={good.length === 0 || broken || reading || doubles.size > 0}
            loading={busy}
            onClick={() => void importAll()}
          >
            {w('importNow', { count: good.length })}
          </Button>
        )
      }
    >
      <Upload.Dragger
        accept=".json,application/json"
        multiple
        showUploadList={false}
        beforeUpload={(file) => {
          void take(file);
          return false;
        }}
      >
        <p className="cw-import-drop">
          <FileUp size={20} aria-hidden /> {w('importHelp')}
        </p>
      </Upload.Dragger>
      {failed && <Alert type="error" showIcon title={failed} role="alert" className="cw-import-note" />}
      {broken && <Alert type="error" showIcon title={w('refused')} role="alert" className="cw-import-note" />}
      {[...doubles].map((key) => (
        <Alert key={key} type="error" showIcon title={w('twice', { key })} className="cw-import-note" />
      ))}
      <ul className="cw-imports">
        {entries.map((entry) => {
          const why = whyNot(entry);
          const document = entry.reading?.ok ? entry.reading.document : null;
          const exists = document && known.has(document.id);
          return (
            <li key={entry.id}>
              {document && <FlowPicture document={document} height={72} />}
              <div className="cw-import-what">
                <strong>
                  {why !== null ? (
                    <CircleX size={16} color="var(--bad)" aria-hidden />
                  ) : entry.done ? (
                    <CircleCheck size={16} color="var(--good)" aria-hidden />
                  ) : entry.problems.length > 0 ? (
                    <TriangleAlert size={16} color="var(--wait)" aria-hidden />
                  ) : null}
                  {document ? document.name || document.id : entry.file}
                </strong>
                {document && (
                  <small className="cw-quiet">
                    {entry.file} · {w(`kind_${KINDS.find((kind) => kind === document.kind) ?? 'ivr'}`)} ·{' '}
                    {w('steps', { count: Object.keys(document.nodes).length })}
                  </small>
                )}
                {!entry.reading && <Spin size="small" />}
                {why !== null && <p className="cw-import-bad">{why}</p>}
                {entry.done && (
                  <p>
                    {w('imported')} · <Link to={`/flows/${entry.done.key}`}>{entry.done.name}</Link>
                  </p>
                )}
                {!entry.done && exists && why === null && (
                  <p>
                    {w('known', { key: document.id })}{' '}
                    <Select
                      size="small"
                      aria-label={w('known', { key: document.id })}
                      value={entry.replace}
                      popupMatchSelectWidth={false}
                      onChange={(replace) => change(entry.id, { replace })}
                      options={[
                        { value: false, label: w('asNew') },
                        { value: true, label: w('asReplace') },
                      ]}
                    />
                  </p>
                )}
                {entry.problems.length > 0 && !entry.done && (
                  <details>
                    <summary>{w('problemsFound', { count: entry.problems.length })}</summary>
                    <ul className="cw-report">
                      {entry.problems.slice(0, 100).map((problem, index) => (
                        <li
                          // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes
                          key={index}
                          title={[problem.node, problem.field].filter(Boolean).join(' · ')}
                        >
                          {problem.node && <strong>{labelled(nameIn(document, problem.node))}</strong>}
                          {sentences([text(problem.message)])}
                        </li>
                      ))}
                    </ul>
                  </details>
                )}
              </div>
              {!entry.done && (
                <IconButton
                  label={w('remove')}
                  icon={<X size={14} />}
                  onClick={() => {
                    setFailed('');
                    setEntries((now) => now.filter((one) => one.id !== entry.id));
                  }}
                />
              )}
            </li>
          );
        })}
      </ul>
      {good.length > 0 && <p className="cw-quiet">{w('willBeDraft')}</p>}
    </Modal>
  );
}

/** A node's own name in a document that nobody has checked yet. */
function nameIn(document: { nodes: Record<string, unknown> } | null, node: string): string {
  const name = (document?.nodes[node] as { name?: unknown } | undefined)?.name;
  return typeof name === 'string' && name ? name : node;
}
