/** A list of things that are made, changed and removed by a form in a drawer: the shape of most set-up pages. */
import { App, Button, type FormInstance, type TableProps } from 'antd';
import { Pencil, Plus, Trash2 } from 'lucide-react';
import { type ReactNode, useMemo, useState } from 'react';
import type { UserError } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { FormDrawer } from './forms';
import { ConfirmDelete, EmptyState, IconButton } from './index';
import { FilterBar, SearchBox } from './lists';
import { ListTable } from './table';

export interface CrudWords {
  /** The button that makes a new one. */
  add?: string;
  /** Title of the form of one that exists. */
  edit: string;
  /** What an empty list says, and how to begin. */
  none: string;
  noneHelp?: string;
  /** What goes with one that is deleted. */
  deleteHelp?: string;
}

/** Lists `rows`; the form edits a `Form` made from a row, or a blank one. Without a blank one nothing is added. */
export function Crud<Row extends object, Form extends object>({
  rows,
  loading,
  may,
  rowKey,
  nameOf,
  columns,
  words,
  blank,
  formOf,
  save,
  remove,
  reload,
  fields,
  width,
  tools,
  actions,
  form,
  icon,
  help,
  searched,
  search: first = '',
  blocked,
  deleteHelp,
  tall,
}: {
  rows: readonly Row[] | undefined;
  loading: boolean;
  may: boolean;
  rowKey: (row: Row) => string;
  nameOf: (row: Row) => string;
  columns: NonNullable<TableProps<Row>['columns']>;
  words: CrudWords;
  blank?: Form;
  formOf: (row: Row) => Form;
  /** Gives why it was refused; nothing when it was saved. */
  save: (form: Form, row: Row | null) => Promise<UserError[]>;
  /** Whether it is gone; what was refused has been told. */
  remove?: (row: Row) => Promise<boolean>;
  reload: () => void;
  fields: (row: Row | null) => ReactNode;
  width?: number;
  tools?: ReactNode;
  /** More buttons of a row. */
  actions?: (row: Row) => ReactNode;
  form?: FormInstance<Form>;
  /** Of the empty list. */
  icon?: ReactNode;
  /** A sentence above the list. */
  help?: ReactNode;
  /** The words of a row among which a search looks; without them there is no search. */
  searched?: (row: Row) => string;
  /** What is searched for at first. */
  search?: string;
  /** Why none can be added now. */
  blocked?: string;
  /** What goes with this one when it is deleted. */
  deleteHelp?: (row: Row) => string;
  /** Its rows have two lines. */
  tall?: boolean;
}) {
  const c = useWords(common);
  const { message } = App.useApp();
  const [editing, setEditing] = useState<Row | 'new' | null>(null);
  const [search, setSearch] = useState(first);
  const row = editing === 'new' ? null : editing;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the form is filled when it opens
  const initial = useMemo(() => (row ? formOf(row) : (blank ?? ({} as Form))), [editing]);
  const wanted = search.trim().toLowerCase();
  const shown =
    searched && wanted ? rows?.filter((one) => searched(one).toLowerCase().includes(wanted)) : rows;
  const add = may && blank && (
    <Button
      type="primary"
      icon={<Plus size={14} aria-hidden />}
      disabled={blocked !== undefined}
      title={blocked}
      onClick={() => setEditing('new')}
    >
      {words.add}
    </Button>
  );
  return (
    <>
      {rows?.length === 0 && !tools ? (
        <EmptyState icon={icon} title={words.none} help={blocked ?? words.noneHelp} action={add} />
      ) : (
        <>
          {(help || tools || searched || add) && (
            <FilterBar>
              {searched && <SearchBox value={search} onChange={setSearch} />}
              {tools}
              {help ? <p className="cw-quiet cw-grow">{help}</p> : <span className="cw-grow" />}
              {add}
            </FilterBar>
          )}
          <ListTable<Row>
            rowKey={rowKey}
            size="middle"
            loading={loading}
            tall={tall}
            dataSource={[...(shown ?? [])]}
            pagination={(shown?.length ?? 0) > 100 ? { pageSize: 100, showSizeChanger: false } : false}
            locale={{ emptyText: rows ? (wanted ? c('noMatch') : words.none) : ' ' }}
            columns={[
              ...columns,
              {
                title: <span className="cw-hidden">{c('actions')}</span>,
                width: actions ? 132 : 96,
                render: (_, one) => (
                  <span className="cw-row-actions">
                    {actions?.(one)}
                    {may && (
                      <IconButton
                        label={`${c('edit')} ${nameOf(one)}`}
                        icon={<Pencil size={14} />}
                        onClick={() => setEditing(one)}
                      />
                    )}
                    {may && remove && (
                      <ConfirmDelete
                        name={nameOf(one)}
                        help={deleteHelp?.(one) ?? words.deleteHelp}
                        onConfirm={async () => {
                          if (await remove(one)) reload();
                        }}
                      >
                        <Button
                          type="text"
                          danger
                          aria-label={`${c('delete')} ${nameOf(one)}`}
                          icon={<Trash2 size={14} />}
                        />
                      </ConfirmDelete>
                    )}
                  </span>
                ),
              },
            ]}
          />
        </>
      )}
      <FormDrawer<Form>
        open={editing !== null}
        title={row ? c('named', { what: words.edit, name: nameOf(row) }) : words.add}
        initial={initial}
        width={width}
        form={form}
        onClose={() => setEditing(null)}
        onSave={async (values) => {
          const errors = await save(values, row);
          if (errors.length > 0) return errors;
          void message.success(c('saved'));
          setEditing(null);
          reload();
          return [];
        }}
      >
        {fields(row)}
      </FormDrawer>
    </>
  );
}
