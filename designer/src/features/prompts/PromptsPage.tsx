/** The prompt library: what callers hear, by name, its languages beside each other. */
import { Alert, App, Button, Form, Input, Select } from 'antd';
import { FileUp, Pencil, Plus, TextCursorInput, Trash2, Volume2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { useMay, useSession } from '@/app/session';
import { graphql } from '@/gql';
import { useChange } from '@/graphql/useChange';
import { listed, useLanguage, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, duration, EmptyState, IconButton, PageHeader, StateTag, Time } from '@/ui';
import { useFilters } from '@/ui/filters';
import { FormDrawer } from '@/ui/forms';
import { Failure, FilterBar, SearchBox } from '@/ui/lists';
import { ListTable } from '@/ui/table';
import { UsedByList, useUses } from '@/ui/uses';
import { ImportPrompts } from './ImportPrompts';
import { type Entry, entriesOf, languagesOf, matches, type Row } from './library';
import { Player } from './parts/Player';
import { PromptDialog } from './parts/PromptDialog';
import { libraryWords } from './words';

const LIST = graphql(`
  query PromptLibrary {
    prompts { id name language text seconds url updatedAt }
  }
`);
const DELETE = graphql(`
  mutation DeletePrompt($id: String!) {
    deletePrompt(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const RENAME = graphql(`
  mutation RenamePrompt($name: String!, $newName: String!) {
    renamePrompt(name: $name, newName: $newName) {
      value { id name }
      errors { ...Refusal }
    }
  }
`);
const KEYS = ['search', 'show'] as const;

export default function PromptsPage() {
  const w = useWords(libraryWords);
  const c = useWords(common);
  const language = useLanguage();
  const may = useMay('prompts.manage');
  const { person } = useSession();
  const { message } = App.useApp();
  const [filters, setFilters] = useFilters('prompts', KEYS);
  const [answer, ask] = useQuery({ query: LIST, requestPolicy: 'cache-and-network' });
  const uses = useUses('prompt');
  const reload = () => ask({ requestPolicy: 'network-only' });
  const [editing, setEditing] = useState<{ name: string; language?: string } | null>(null);
  const [importing, setImporting] = useState(false);
  const [renaming, setRenaming] = useState<string | null>(null);
  const renamed = useMemo(() => ({ newName: renaming ?? '' }), [renaming]);
  const [remove] = useChange(DELETE);
  const [rename] = useChange(RENAME);
  const all = useMemo(() => answer.data?.prompts ?? [], [answer.data]);
  const languages = useMemo(
    () => languagesOf(all, [...new Set([person.business.language, 'zh', 'en'])].filter(Boolean)),
    [all, person.business.language],
  );
  const entries = useMemo(() => entriesOf(all), [all]);
  const rows = entries.filter(
    (entry) =>
      matches(entry, filters.search) &&
      (filters.show !== 'unused' || !uses.get(entry.name)?.length) &&
      (filters.show !== 'incomplete' || languages.some((tag) => !entry.byLanguage.has(tag))),
  );
  const named = new Intl.DisplayNames([language], { type: 'language' });
  const buttons = may && (
    <>
      <Button icon={<FileUp size={14} />} onClick={() => setImporting(true)}>
        {w('import')}
      </Button>
      <Button type="primary" icon={<Plus size={14} />} onClick={() => setEditing({ name: '' })}>
        {w('newPrompt')}
      </Button>
    </>
  );
  const removeAll = async (entry: Entry) => {
    for (const row of entry.byLanguage.values()) if (!(await remove({ id: row.id })).value) break;
    reload();
  };
  return (
    <>
      <PageHeader title={w('title')} help={w('help')}>
        {entries.length > 0 && buttons}
      </PageHeader>
      <Failure error={answer.error} retry={reload} />
      {answer.data && entries.length === 0 ? (
        <EmptyState
          icon={<Volume2 size={32} aria-hidden />}
          title={w('empty')}
          help={w('emptyHelp')}
          action={buttons}
        />
      ) : (
        <>
          <FilterBar>
            <SearchBox value={filters.search} onChange={(search) => setFilters({ search })} />
            <Select
              aria-label={w('show')}
              value={filters.show}
              style={{ minWidth: 140 }}
              popupMatchSelectWidth={false}
              onChange={(show) => setFilters({ show })}
              options={[
                { value: '', label: w('anyUse') },
                { value: 'unused', label: w('unused') },
                { value: 'incomplete', label: w('incomplete') },
              ]}
            />
          </FilterBar>
          <ListTable
            rowKey="name"
            size="middle"
            tall
            loading={answer.fetching && !answer.data}
            dataSource={rows}
            locale={{ emptyText: w('noMatch') }}
            pagination={rows.length > 50 ? { pageSize: 50, showSizeChanger: false } : false}
            columns={[
              {
                title: w('name'),
                width: 200,
                render: (_, entry) => <strong className="cw-break">{entry.name}</strong>,
              },
              ...languages.map((tag) => ({
                title: named.of(tag) ?? tag,
                key: tag,
                render: (_: unknown, entry: Entry) => (
                  <Cell
                    row={entry.byLanguage.get(tag)}
                    label={`${entry.name} ${tag}`}
                    onAdd={may ? () => setEditing({ name: entry.name, language: tag }) : undefined}
                  />
                ),
              })),
              {
                title: w('usedBy'),
                width: 180,
                render: (_, entry) => <UsedByList uses={uses.get(entry.name)} />,
              },
              { title: w('changed'), width: 120, render: (_, entry) => <Time at={entry.updatedAt} /> },
              {
                title: <span className="cw-hidden">{c('actions')}</span>,
                width: 120,
                render: (_, entry) => {
                  const flows = listed((uses.get(entry.name) ?? []).map((use) => use.name));
                  return (
                    may && (
                      <span className="cw-row-actions">
                        <IconButton
                          label={`${c('edit')} ${entry.name}`}
                          icon={<Pencil size={14} />}
                          onClick={() => setEditing({ name: entry.name })}
                        />
                        <IconButton
                          label={`${w('rename')} ${entry.name}`}
                          icon={<TextCursorInput size={14} />}
                          onClick={() => setRenaming(entry.name)}
                        />
                        <ConfirmDelete
                          name={entry.name}
                          help={flows ? w('deleteUsed', { flows }) : w('deleteHelp')}
                          onConfirm={() => removeAll(entry)}
                        >
                          <Button
                            type="text"
                            danger
                            aria-label={`${c('delete')} ${entry.name}`}
                            icon={<Trash2 size={14} />}
                          />
                        </ConfirmDelete>
                      </span>
                    )
                  );
                },
              },
            ]}
          />
        </>
      )}
      <PromptDialog
        open={editing !== null}
        name={editing?.name ?? ''}
        languages={languages}
        language={editing?.language}
        onClose={() => {
          setEditing(null);
          reload();
        }}
        onSaved={reload}
      />
      <ImportPrompts
        open={importing}
        languages={languages}
        onClose={() => setImporting(false)}
        onDone={reload}
      />
      <FormDrawer
        open={renaming !== null}
        title={w('rename')}
        initial={renamed}
        onClose={() => setRenaming(null)}
        onSave={async (values) => {
          const { errors } = await rename({ name: renaming ?? '', newName: values.newName }, { quiet: true });
          if (errors.length === 0) {
            message.success(c('saved'));
            setRenaming(null);
            reload();
          }
          return errors;
        }}
      >
        <Alert type="info" showIcon title={w('renameHelp')} className="cw-form-error" />
        <Form.Item name="newName" label={w('newName')} rules={[{ required: true, message: c('required') }]}>
          <Input autoFocus maxLength={128} />
        </Form.Item>
      </FormDrawer>
    </>
  );
}

function Cell({ row, label, onAdd }: { row: Row | undefined; label: string; onAdd?: () => void }) {
  const w = useWords(libraryWords);
  const language = useLanguage();
  if (!row)
    return onAdd ? (
      <Button
        type="link"
        size="small"
        style={{ paddingInline: 0 }}
        icon={<Plus size={14} />}
        onClick={onAdd}
        aria-label={`${w('missing')}: ${label}`}
      >
        {w('missing')}
      </Button>
    ) : (
      <StateTag tone="off">{w('missing')}</StateTag>
    );
  return (
    <span className="cw-prompt-cell">
      {row.url && <Player source={row.url} seconds={row.seconds} label={label} compact />}
      <span className="cw-two-line">
        <span className="cw-prompt-words">{row.text || '–'}</span>
        <small>
          {row.url
            ? `${w('recorded')} · ${duration(Math.max(1, Math.round(row.seconds)), language)}`
            : w('text')}
        </small>
      </span>
    </span>
  );
}
