/** Black, white and VIP lists with their numbers. */
import { Alert, App, Button, DatePicker, Form, Input, Modal, Select, Spin, Upload } from 'antd';
import type { Dayjs } from 'dayjs';
import { FileUp, ListChecks, Pencil, Plus, Trash2 } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import type { NumberListsQuery } from '@/gql/graphql';
import { type UserError, useChange, wordsOf } from '@/graphql/useChange';
import { labelled, listed, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, EmptyState, IconButton, PageHeader, Phone, StateTag, Time, type Tone } from '@/ui';
import { useFilters } from '@/ui/filters';
import { FormDrawer } from '@/ui/forms';
import { Card, Failure, FilterBar, LoadMore, SearchBox } from '@/ui/lists';
import { usePages } from '@/ui/paging';
import { UsedByList, useUses } from '@/ui/uses';
import '../calendars/calendars.css';
import { ListTable } from '@/ui/table';
import { type BadLine, endOf, MOST, readNumbers } from './read';
import { numberListWords } from './words';

const LISTS = graphql(`
  query NumberLists {
    numberLists { id name kind size createdAt }
  }
`);
const ENTRIES = graphql(`
  query ListEntries($id: String!, $first: Int!, $after: String, $search: String!) {
    numberList(id: $id) {
      id
      entries(first: $first, after: $after, search: $search) {
        nodes { id number note until createdAt }
        endCursor
        hasNext
      }
    }
  }
`);
const SAVE = graphql(`
  mutation SaveNumberList($id: String, $name: String!, $kind: String!) {
    saveNumberList(id: $id, name: $name, kind: $kind) {
      value { id name }
      errors { ...Refusal }
    }
  }
`);
const DELETE = graphql(`
  mutation DeleteNumberList($id: String!) {
    deleteNumberList(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const ADD = graphql(`
  mutation AddListEntries($listId: String!, $entries: [ListEntryInput!]!) {
    addListEntries(listId: $listId, entries: $entries) {
      value
      errors { ...Refusal }
    }
  }
`);
const REMOVE = graphql(`
  mutation RemoveListEntry($id: String!) {
    removeListEntry(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
type Row = NumberListsQuery['numberLists'][number];

const KINDS = ['black', 'white', 'vip'] as const;
const TONES: Record<string, Tone> = { black: 'bad', white: 'good', vip: 'wait' };
const PAGE = 100;
const FILTERS = ['list', 'search'] as const;
// What is searched for belongs to this moment, the list is found again.
const PASSING = ['search'] as const;

export default function ListsPage() {
  const w = useWords(numberListWords);
  const c = useWords(common);
  const may = useMay('lists.manage');
  const { message } = App.useApp();
  const [filters, setFilters] = useFilters('lists', FILTERS, PASSING);
  const [answer, ask] = useQuery({ query: LISTS, requestPolicy: 'cache-and-network' });
  const uses = useUses('list');
  const reload = () => ask({ requestPolicy: 'network-only' });
  const [editing, setEditing] = useState<Row | 'new' | null>(null);
  const [save] = useChange(SAVE);
  const [remove] = useChange(DELETE);
  const rows = answer.data?.numberLists ?? [];
  const chosen = rows.find((row) => row.name === filters.list) ?? rows[0];
  const initial = useMemo(
    () =>
      editing && editing !== 'new' ? { name: editing.name, kind: editing.kind } : { name: '', kind: 'black' },
    [editing],
  );
  const kindName = (kind: string) => {
    const known = KINDS.find((one) => one === kind);
    return known ? w(`kind_${known}`) : kind;
  };
  const add = may && (
    <Button type="primary" icon={<Plus size={14} />} onClick={() => setEditing('new')}>
      {w('newList')}
    </Button>
  );
  const flows = chosen ? listed((uses.get(chosen.name) ?? []).map((use) => use.name)) : '';
  return (
    <>
      <PageHeader title={w('title')} help={w('help')}>
        {rows.length > 0 && add}
      </PageHeader>
      <Failure error={answer.error} retry={reload} />
      {!answer.data ? (
        !answer.error && <Spin className="cw-page-spin" delay={200} />
      ) : rows.length === 0 ? (
        <EmptyState
          icon={<ListChecks size={32} aria-hidden />}
          title={w('empty')}
          help={w('emptyHelp')}
          action={add}
        />
      ) : (
        <div className="cw-calendars">
          <nav className="cw-side-list" aria-label={w('title')}>
            {rows.map((row) => (
              <button
                key={row.id}
                type="button"
                aria-current={chosen?.id === row.id || undefined}
                onClick={() => setFilters({ list: row.name, search: '' })}
              >
                <span>{row.name}</span>
                <small>
                  <StateTag tone={TONES[row.kind] ?? 'off'}>{kindName(row.kind)}</StateTag>
                </small>
              </button>
            ))}
          </nav>
          {chosen && (
            <Card
              title={chosen.name}
              actions={
                may && (
                  <span className="cw-row-actions">
                    <IconButton
                      label={`${c('edit')} ${chosen.name}`}
                      icon={<Pencil size={14} />}
                      onClick={() => setEditing(chosen)}
                    />
                    <ConfirmDelete
                      name={chosen.name}
                      help={flows ? w('deleteUsed', { flows }) : w('deleteHelp')}
                      onConfirm={async () => {
                        if ((await remove({ id: chosen.id })).value) reload();
                      }}
                    >
                      <Button
                        type="text"
                        danger
                        aria-label={`${c('delete')} ${chosen.name}`}
                        icon={<Trash2 size={14} />}
                      />
                    </ConfirmDelete>
                  </span>
                )
              }
            >
              <p className="cw-quiet cw-tab-help">
                {labelled(w('usedBy'))}
                <UsedByList uses={uses.get(chosen.name)} />
              </p>
              <Entries key={chosen.id} list={chosen} onCount={reload} />
            </Card>
          )}
        </div>
      )}
      <FormDrawer
        open={editing !== null}
        title={editing === 'new' ? w('newList') : w('editList')}
        initial={initial}
        onClose={() => setEditing(null)}
        onSave={async (values) => {
          const { errors } = await save(
            { id: editing && editing !== 'new' ? editing.id : null, ...values },
            { quiet: true },
          );
          if (errors.length === 0) {
            message.success(c('saved'));
            setEditing(null);
            setFilters({ list: values.name.trim(), search: '' });
            reload();
          }
          return errors;
        }}
      >
        <Form.Item name="name" label={w('name')} rules={[{ required: true, message: c('required') }]}>
          <Input autoFocus maxLength={128} />
        </Form.Item>
        <Form.Item name="kind" label={w('kind')}>
          <Select options={KINDS.map((value) => ({ value, label: w(`kind_${value}`) }))} />
        </Form.Item>
      </FormDrawer>
    </>
  );
}

function Entries({ list, onCount }: { list: Row; onCount: () => void }) {
  const w = useWords(numberListWords);
  const c = useWords(common);
  const may = useMay('lists.manage');
  const { message } = App.useApp();
  const [filters, setFilters] = useFilters('lists', FILTERS, PASSING);
  const [typed, setTyped] = useState(filters.search);
  const pages = usePages(
    ENTRIES,
    { id: list.id, first: PAGE, search: filters.search },
    (data) => data.numberList.entries,
  );
  const [adding, setAdding] = useState(false);
  const [importing, setImporting] = useState(false);
  const [add] = useChange(ADD);
  const [remove] = useChange(REMOVE);
  const blank = useMemo(() => ({ number: '', note: '', until: null as Dayjs | null }), []);

  useEffect(() => {
    if (typed === filters.search) return;
    const timer = setTimeout(() => setFilters({ search: typed }), 300);
    return () => clearTimeout(timer);
  }, [typed, filters.search, setFilters]);

  const changed = () => {
    onCount();
    pages.reload();
  };

  return (
    <>
      <FilterBar>
        <SearchBox value={typed} onChange={setTyped} label={w('search')} />
        <span className="cw-quiet cw-num">{w('count', { count: list.size })}</span>
        <span className="cw-grow" />
        {may && (
          <>
            <Button icon={<FileUp size={14} />} onClick={() => setImporting(true)}>
              {w('import')}
            </Button>
            <Button type="primary" icon={<Plus size={14} />} onClick={() => setAdding(true)}>
              {w('addNumber')}
            </Button>
          </>
        )}
      </FilterBar>
      <Failure error={pages.error} retry={pages.reload} />
      <ListTable
        rowKey="id"
        size="small"
        loading={!pages.rows && !pages.error}
        dataSource={pages.rows ?? []}
        locale={{ emptyText: filters.search ? w('noMatch') : w('noNumbers') }}
        pagination={false}
        columns={[
          { title: w('number'), width: 200, render: (_, one) => <Phone number={one.number} /> },
          { title: w('note'), dataIndex: 'note' },
          {
            title: w('until'),
            width: 180,
            render: (_, one) =>
              one.until ? (
                Date.parse(one.until) < Date.now() ? (
                  <StateTag tone="off">{w('over')}</StateTag>
                ) : (
                  <Time at={one.until} exact />
                )
              ) : (
                <span className="cw-quiet">{w('forGood')}</span>
              ),
          },
          { title: w('added'), width: 140, render: (_, one) => <Time at={one.createdAt} /> },
          {
            title: <span className="cw-hidden">{c('actions')}</span>,
            width: 56,
            render: (_, one) =>
              may && (
                <ConfirmDelete
                  name={one.number}
                  onConfirm={async () => {
                    if ((await remove({ id: one.id })).value) changed();
                  }}
                >
                  <Button
                    type="text"
                    size="small"
                    danger
                    aria-label={`${c('delete')} ${one.number}`}
                    icon={<Trash2 size={14} />}
                  />
                </ConfirmDelete>
              ),
          },
        ]}
      />
      <LoadMore pages={pages} />
      <FormDrawer
        open={adding}
        title={w('addNumber')}
        initial={blank}
        onClose={() => setAdding(false)}
        onSave={async (values) => {
          const { errors } = await add(
            {
              listId: list.id,
              entries: [
                {
                  number: values.number,
                  note: values.note,
                  until: endOf(values.until?.format('YYYY-MM-DD') ?? null),
                },
              ],
            },
            { quiet: true },
          );
          if (errors.length === 0) {
            message.success(c('saved'));
            setAdding(false);
            changed();
          }
          return errors.map((error) => ({ ...error, field: error.field.split('.').at(-1) ?? '' }));
        }}
      >
        <Form.Item name="number" label={w('number')} rules={[{ required: true, message: c('required') }]}>
          <Input autoFocus inputMode="tel" />
        </Form.Item>
        <Form.Item name="note" label={w('note')}>
          <Input maxLength={500} />
        </Form.Item>
        <Form.Item name="until" label={w('until')} extra={w('untilHelp')}>
          <DatePicker />
        </Form.Item>
      </FormDrawer>
      <ImportNumbers open={importing} listId={list.id} onClose={() => setImporting(false)} onDone={changed} />
    </>
  );
}

function ImportNumbers({
  open,
  listId,
  onClose,
  onDone,
}: {
  open: boolean;
  listId: string;
  onClose: () => void;
  onDone: () => void;
}) {
  const w = useWords(numberListWords);
  const c = useWords(common);
  const { message } = App.useApp();
  const [content, setContent] = useState('');
  const [refused, setRefused] = useState<UserError[]>([]);
  const [add, busy] = useChange(ADD);
  const { entries, bad } = useMemo(() => readNumbers(content), [content]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other lines, other answers
  useEffect(() => setRefused([]), [content]);
  const why = (line: BadLine) =>
    line.why === 'repeated' ? w('repeated', { n: line.first ?? 0 }) : w(line.why);
  const lineOf = (error: UserError) => {
    const index = Number(/^entries\.(\d+)/.exec(error.field)?.[1] ?? Number.NaN);
    return entries[index]?.line;
  };
  const send = async () => {
    const { value, errors } = await add(
      {
        listId,
        entries: entries.map(({ number, note, until }) => ({ number, note, until: endOf(until) })),
      },
      { quiet: true },
    );
    setRefused(errors);
    if (errors.length > 0) return;
    const fresh = Number(value ?? 0);
    message.success(w('done', { fresh, changed: entries.length - fresh }));
    onDone();
    onClose();
  };
  return (
    <Modal
      open={open}
      title={w('importTitle')}
      width={620}
      onCancel={onClose}
      cancelText={c('cancel')}
      okText={entries.length > 0 ? w('doImport', { count: entries.length }) : w('import')}
      okButtonProps={{
        disabled: entries.length === 0 || bad.length > 0 || entries.length > MOST,
        loading: busy,
      }}
      onOk={() => void send()}
      afterClose={() => setContent('')}
      destroyOnHidden
    >
      <div className="cw-fields">
        <p className="cw-quiet">{w('importHelp')}</p>
        <Upload.Dragger
          accept=".csv,.txt,text/csv,text/plain"
          showUploadList={false}
          beforeUpload={async (file) => {
            setContent(await file.text());
            return false;
          }}
        >
          <p className="cw-drop-words">
            <FileUp size={20} aria-hidden /> {w('chooseFile')}
          </p>
        </Upload.Dragger>
        <Input.TextArea
          aria-label={w('importPaste')}
          autoSize={{ minRows: 5, maxRows: 12 }}
          value={content}
          placeholder={'13800000001, VIP, 2027-12-31\n+8613900000000'}
          onChange={(event) => setContent(event.target.value)}
        />
        {entries.length > 0 && (
          <span role="status" className="cw-quiet">
            {w('readRows', { count: entries.length })}
          </span>
        )}
        {entries.length > MOST && <Alert type="error" showIcon title={w('tooMany')} />}
        {(bad.length > 0 || refused.length > 0) && (
          <>
            <Alert
              type="error"
              showIcon
              role="alert"
              title={refused.length > 0 ? w('refusedAll') : w('badRows', { count: bad.length })}
            />
            <ul className="cw-report">
              {bad.slice(0, 200).map((line) => (
                <li key={line.line}>
                  {labelled(w('line', { n: line.line }), why(line))}{' '}
                  <small className="cw-code">{line.text}</small>
                </li>
              ))}
              {refused.map((error) => (
                <li key={error.field}>
                  {lineOf(error) === undefined
                    ? wordsOf(error)
                    : labelled(w('line', { n: lineOf(error) ?? 0 }), wordsOf(error))}
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Modal>
  );
}
