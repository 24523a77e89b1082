/** Flows: in folders, by tags and state; new ones from templates and files; who changed what. */
import { App, AutoComplete, Button, Dropdown, Form, Input, Segmented, Select, Tag } from 'antd';
import { Archive, Ellipsis, FileUp, Folder, FolderOpen, Inbox, Layers, Plus, Workflow } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { useClient, useQuery } from 'urql';
import { useMay } from '@/app/session';
import { useChange } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { EmptyState, PageHeader, Phone, StateTag, Time, useWhoName } from '@/ui';
import { useFilters } from '@/ui/filters';
import { FormDrawer } from '@/ui/forms';
import { Failure, FilterBar, SearchBox, saveFile } from '@/ui/lists';
import { ARCHIVE, DELETE, DUPLICATE, EXPORT, FLOWS, type FlowRow, META } from './list/data';
import { Gallery } from './list/Gallery';
import { HistoryDrawer } from './list/History';
import { ImportDialog } from './list/Import';
import './list/list.css';
import { ListTable } from '@/ui/table';
import { foldersOf, KINDS, liveVersion, matches } from './list/model';
import { numbersOf, PutAway } from './list/PutAway';
import { listWords } from './list/words';

const KEYS = ['search', 'kind', 'state', 'folder', 'tag', 'archived'] as const;
const NOTHING: File[] = [];

export default function FlowListPage() {
  const w = useWords(listWords);
  const navigate = useNavigate();
  const mayEdit = useMay('flows.edit');
  const [filters, setFilters] = useFilters('flows', KEYS);
  const archived = filters.archived === 'yes';
  const [answer, ask] = useQuery({
    query: FLOWS,
    variables: { archived },
    requestPolicy: 'cache-and-network',
  });
  const reload = () => ask({ requestPolicy: 'network-only' });
  const [gallery, setGallery] = useState(false);
  const [importing, setImporting] = useState(false);
  const [dropped, setDropped] = useState<File[]>(NOTHING);
  const [hovering, setHovering] = useState(false);
  const [sorting, setSorting] = useState<FlowRow[] | null>(null);
  const [history, setHistory] = useState<FlowRow | null>(null);
  const [selected, setSelected] = useState<string[]>([]);

  const all = useMemo(() => answer.data?.flows ?? [], [answer.data]);
  const flows = useMemo(() => all.filter((flow) => flow.archived === archived), [all, archived]);
  const labels = answer.data?.flowLabels;
  const folders = useMemo(() => foldersOf(flows), [flows]);
  const rows = useMemo(() => flows.filter((flow) => matches(flow, filters)), [flows, filters]);
  const known = useMemo(() => new Map(flows.map((flow) => [flow.key, flow.name])), [flows]);
  const tags = useMemo(() => [...new Set(flows.flatMap((flow) => flow.tags))].sort(), [flows]);
  const filtered = Boolean(filters.search || filters.kind || filters.state || filters.folder || filters.tag);
  const clear = () => setFilters({ search: '', kind: '', state: '', folder: '', tag: '' });
  const chosen = rows.filter((flow) => selected.includes(flow.key));
  const loaded = answer.data !== undefined;

  const drop = (event: React.DragEvent) => {
    if (!mayEdit || !event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    setHovering(event.type === 'dragover');
    if (event.type !== 'drop') return;
    const files = [...event.dataTransfer.files];
    if (files.length === 0) return;
    setDropped(files);
    setImporting(true);
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files may also be chosen by the Import button
    <div
      className="cw-flows"
      onDragOver={drop}
      onDragLeave={() => setHovering(false)}
      onDrop={drop}
      data-hovering={hovering || undefined}
    >
      {hovering && <div className="cw-drop-hint">{w('dropHere')}</div>}
      <PageHeader title={w('title')} help={w('help')}>
        {mayEdit && (
          <>
            <Button icon={<FileUp size={14} />} onClick={() => setImporting(true)}>
              {w('import')}
            </Button>
            <Button type="primary" icon={<Plus size={14} />} onClick={() => setGallery(true)}>
              {w('newFlow')}
            </Button>
          </>
        )}
      </PageHeader>
      <Failure error={answer.error} retry={reload} />
      {loaded && flows.length === 0 && !archived ? (
        <EmptyState
          icon={<Workflow size={32} aria-hidden />}
          title={w('empty')}
          help={w('emptyHelp')}
          action={
            <>
              {mayEdit && (
                <Button type="primary" icon={<Plus size={14} />} onClick={() => setGallery(true)}>
                  {w('newFlow')}
                </Button>
              )}
              <Button type="link" onClick={() => setFilters({ archived: 'yes' })}>
                {w('archived')}
              </Button>
            </>
          }
        />
      ) : (
        <div className="cw-flows-body">
          <nav className="cw-folders" aria-label={w('folders')}>
            <FolderButton
              icon={<Layers size={14} aria-hidden />}
              label={w('allFolders')}
              count={loaded ? flows.length : null}
              on={!filters.folder}
              onClick={() => setFilters({ folder: '' })}
            />
            {folders.map((folder) => (
              <FolderButton
                key={folder.path}
                icon={
                  filters.folder === folder.path ? (
                    <FolderOpen size={14} aria-hidden />
                  ) : (
                    <Folder size={14} aria-hidden />
                  )
                }
                label={folder.name}
                depth={folder.depth}
                count={folder.count}
                on={filters.folder === folder.path}
                onClick={() => setFilters({ folder: folder.path })}
              />
            ))}
            {folders.length > 0 && flows.some((flow) => !flow.folder) && (
              <FolderButton
                icon={<Inbox size={14} aria-hidden />}
                label={w('noFolder')}
                count={flows.filter((flow) => !flow.folder).length}
                on={filters.folder === '-'}
                onClick={() => setFilters({ folder: '-' })}
              />
            )}
            {tags.length > 0 && (
              <>
                <h2>{w('tags')}</h2>
                <div className="cw-tags">
                  {tags.map((tag) => (
                    <Tag.CheckableTag
                      key={tag}
                      checked={filters.tag === tag}
                      onChange={(on) => setFilters({ tag: on ? tag : '' })}
                    >
                      {tag}
                    </Tag.CheckableTag>
                  ))}
                </div>
              </>
            )}
          </nav>
          <div className="cw-flows-list">
            <FilterBar>
              <SearchBox value={filters.search} onChange={(search) => setFilters({ search })} />
              <Select
                aria-label={w('kind')}
                value={filters.kind}
                style={{ minWidth: 120 }}
                onChange={(kind) => setFilters({ kind })}
                options={[
                  { value: '', label: w('anyKind') },
                  ...KINDS.map((value) => ({ value, label: w(`kind_${value}`) })),
                ]}
              />
              <Select
                aria-label={w('checks')}
                value={filters.state}
                style={{ minWidth: 140 }}
                popupMatchSelectWidth={false}
                onChange={(state) => setFilters({ state })}
                options={[
                  { value: '', label: w('anyState') },
                  ...(['ahead', 'unpublished', 'red', 'problems'] as const).map((value) => ({
                    value,
                    label: w(value),
                  })),
                ]}
              />
              {filtered && (
                <Button type="link" onClick={clear}>
                  {w('clear')}
                </Button>
              )}
              <span className="cw-grow" />
              <Segmented
                value={archived ? 'yes' : ''}
                onChange={(value) => {
                  setSelected([]);
                  setFilters({ archived: String(value) });
                }}
                options={[
                  { value: '', label: w('inUse') },
                  { value: 'yes', label: w('archived') },
                ]}
              />
            </FilterBar>
            {chosen.length > 0 && mayEdit && (
              <div className="cw-selection" role="status">
                {w('selected', { count: chosen.length })}
                <Button size="small" icon={<Folder size={14} />} onClick={() => setSorting(chosen)}>
                  {w('move')}
                </Button>
                <PutAway
                  flows={chosen}
                  archived={archived}
                  onDone={() => {
                    setSelected([]);
                    reload();
                  }}
                />
              </div>
            )}
            {loaded && rows.length === 0 ? (
              <EmptyState
                icon={archived ? <Archive size={32} aria-hidden /> : undefined}
                title={filtered ? w('noMatch') : w('noArchived')}
                action={filtered ? <Button onClick={clear}>{w('clear')}</Button> : undefined}
              />
            ) : (
              <FlowTable
                rows={rows}
                loading={answer.fetching && !loaded}
                archived={archived}
                selected={selected}
                onSelect={mayEdit ? setSelected : undefined}
                reload={reload}
                onSort={(flow) => setSorting([flow])}
                onHistory={setHistory}
                showFolder={!filters.folder || filters.folder === '-' ? folders.length > 0 : false}
                onOpen={(flow) => void navigate(`/flows/${flow.key}`)}
              />
            )}
          </div>
        </div>
      )}
      <Gallery
        open={gallery}
        folder={filters.folder === '-' ? '' : filters.folder}
        onClose={() => setGallery(false)}
      />
      <ImportDialog
        open={importing}
        files={dropped}
        known={known}
        onClose={() => {
          setImporting(false);
          setDropped(NOTHING);
        }}
        onDone={reload}
      />
      <SortDrawer
        flows={sorting}
        folders={labels?.folders ?? []}
        tags={labels?.tags ?? []}
        onClose={() => setSorting(null)}
        onDone={() => {
          setSorting(null);
          setSelected([]);
          reload();
        }}
      />
      <HistoryDrawer flow={history} onClose={() => setHistory(null)} />
    </div>
  );
}

function FolderButton({
  icon,
  label,
  count,
  on,
  depth = 0,
  onClick,
}: {
  icon: React.ReactNode;
  label: string;
  count: number | null;
  on: boolean;
  depth?: number;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      aria-current={on || undefined}
      style={{ paddingInlineStart: 8 + depth * 16 }}
      onClick={onClick}
    >
      {icon}
      <span>{label}</span>
      <small className="cw-num">{count}</small>
    </button>
  );
}

function FlowTable({
  rows,
  loading,
  archived,
  selected,
  onSelect,
  reload,
  onSort,
  onHistory,
  onOpen,
  showFolder,
}: {
  rows: FlowRow[];
  loading: boolean;
  archived: boolean;
  selected: string[];
  onSelect?: (keys: string[]) => void;
  reload: () => void;
  onSort: (flow: FlowRow) => void;
  onHistory: (flow: FlowRow) => void;
  onOpen: (flow: FlowRow) => void;
  showFolder: boolean;
}) {
  const w = useWords(listWords);
  const c = useWords(common);
  const client = useClient();
  const navigate = useNavigate();
  const mayEdit = useMay('flows.edit');
  const { modal, message } = App.useApp();
  const whoName = useWhoName();
  const [duplicate] = useChange(DUPLICATE);
  const [archive] = useChange(ARCHIVE);
  const [remove] = useChange(DELETE);

  const act = async (key: string, flow: FlowRow) => {
    if (key === 'open') onOpen(flow);
    if (key === 'sort') onSort(flow);
    if (key === 'history') onHistory(flow);
    if (key === 'duplicate') {
      const done = await duplicate({ key: flow.key });
      if (done.value) {
        message.success(w('duplicated', { name: done.value.flow.name }));
        reload();
      }
    }
    if (key === 'export') {
      const told = await client
        .query(EXPORT, { key: flow.key }, { requestPolicy: 'network-only' })
        .toPromise();
      if (told.data) saveFile(`${flow.key}.json`, `${JSON.stringify(told.data.exportFlow, null, 2)}\n`);
      else message.error(w('exportFailed'));
    }
    if (key === 'restore' && (await archive({ key: flow.key, archived: false })).value) reload();
    if (key === 'archive' && flow.numbers.length > 0)
      // It would be refused: callers of these numbers would hear that nobody is there.
      modal.confirm({
        title: w('archiveNot', { name: flow.name }),
        content: w('archiveNumbers', { numbers: numbersOf([flow]) }),
        okText: w('toNumbers'),
        cancelText: c('cancel'),
        onOk: () => void navigate('/numbers'),
      });
    else if (key === 'archive')
      modal.confirm({
        title: w('archiveAsk', { name: flow.name }),
        content: w('archiveHelp'),
        okText: w('archive'),
        cancelText: c('cancel'),
        onOk: async () => {
          if ((await archive({ key: flow.key, archived: true })).value) reload();
        },
      });
    if (key === 'delete')
      modal.confirm({
        title: w('deleteAsk', { name: flow.name }),
        content: w('deleteHelp'),
        okText: c('delete'),
        cancelText: c('cancel'),
        okButtonProps: { danger: true },
        onOk: async () => {
          if ((await remove({ key: flow.key })).value) {
            message.success(c('deleted'));
            reload();
          }
        },
      });
  };
  const items = (mayChange: boolean) => [
    { key: 'open', label: w('open') },
    { key: 'history', label: w('history') },
    { key: 'export', label: w('export') },
    ...(mayChange
      ? [
          { key: 'duplicate', label: w('duplicate') },
          { key: 'sort', label: w('sort') },
          { type: 'divider' as const },
          archived ? { key: 'restore', label: w('restore') } : { key: 'archive', label: w('archive') },
          { key: 'delete', label: w('delete'), danger: true },
        ]
      : []),
  ];
  return (
    <ListTable
      rowKey="key"
      size="middle"
      loading={loading}
      dataSource={rows}
      locale={loading ? { emptyText: ' ' } : undefined}
      pagination={rows.length > 100 ? { pageSize: 100, showSizeChanger: false } : false}
      rowSelection={
        onSelect && {
          selectedRowKeys: selected,
          onChange: (keys) => onSelect(keys.map(String)),
          getCheckboxProps: (flow) => ({ 'aria-label': flow.name }) as object,
          columnWidth: 40,
        }
      }
      columns={[
        {
          title: w('name'),
          sorter: (one, two) => one.name.localeCompare(two.name, 'zh'),
          render: (_, flow) => (
            <span className="cw-two-line">
              <Link to={`/flows/${flow.key}`}>
                <strong>{flow.name}</strong>
              </Link>
              <small>
                {showFolder && flow.folder && (
                  <>
                    <Folder size={11} aria-hidden /> {flow.folder}{' '}
                  </>
                )}
                {flow.tags.map((tag) => (
                  <span key={tag} className="cw-tag">
                    {tag}
                  </span>
                ))}
                {!flow.tags.length && !(showFolder && flow.folder) && (
                  <span className="cw-code">{flow.key}</span>
                )}
              </small>
            </span>
          ),
        },
        {
          title: w('kind'),
          width: 112,
          render: (_, flow) => {
            const kind = KINDS.find((one) => one === flow.kind);
            return kind ? w(`kind_${kind}`) : flow.kind;
          },
        },
        { title: w('live'), width: 104, render: (_, flow) => <Live flow={flow} /> },
        { title: w('checks'), width: 156, render: (_, flow) => <Checks flow={flow} /> },
        {
          title: w('numbers'),
          width: 104,
          render: (_, flow) =>
            flow.numbers.length ? (
              <Link to="/numbers" className="cw-flow-numbers">
                {flow.numbers.slice(0, 3).map((one) => (
                  <Phone key={one.number} number={one.number} />
                ))}
                {flow.numbers.length > 3 && <span className="cw-num">+{flow.numbers.length - 3}</span>}
              </Link>
            ) : (
              <span className="cw-quiet">–</span>
            ),
        },
        {
          title: w('changed'),
          width: 108,
          sorter: (one, two) => Date.parse(one.updatedAt) - Date.parse(two.updatedAt),
          render: (_, flow) => (
            <span className="cw-two-line">
              <Time at={flow.updatedAt} />
              {flow.updatedBy && <small>{whoName(flow.updatedBy)}</small>}
            </span>
          ),
        },
        {
          title: <span className="cw-hidden">{c('actions')}</span>,
          width: 56,
          render: (_, flow) => (
            <Dropdown
              trigger={['click']}
              menu={{ items: items(mayEdit), onClick: ({ key }) => void act(key, flow) }}
            >
              <Button
                type="text"
                aria-label={`${c('actions')}: ${flow.name}`}
                icon={<Ellipsis size={16} />}
              />
            </Dropdown>
          ),
        },
      ]}
    />
  );
}

function Live({ flow }: { flow: FlowRow }) {
  const w = useWords(listWords);
  const live = liveVersion(flow);
  if (live === null) return <StateTag tone="off">{w('notLive')}</StateTag>;
  return (
    <span className="cw-two-line">
      <StateTag tone="good">
        <span className="cw-num">v{live}</span>
      </StateTag>
      {flow.draftAhead && <small className="cw-ahead">{w('draftAhead')}</small>}
    </span>
  );
}

function Checks({ flow }: { flow: FlowRow }) {
  const w = useWords(listWords);
  const { errors, warnings } = flow.problemCounts;
  const { total, green, red, stale, neverRan } = flow.cases;
  const tests =
    total === 0
      ? null
      : red > 0
        ? w('testsRed', { count: red })
        : stale + neverRan > 0
          ? w('testsStale')
          : w('testsGreen', { green, total });
  return (
    <span className="cw-two-line">
      {errors > 0 ? (
        <StateTag tone="bad">{w('errors', { count: errors })}</StateTag>
      ) : warnings > 0 ? (
        <StateTag tone="wait">{w('warnings', { count: warnings })}</StateTag>
      ) : (
        <span className="cw-quiet">{w('clean')}</span>
      )}
      {tests && <small data-red={red > 0 || undefined}>{tests}</small>}
    </span>
  );
}

function SortDrawer({
  flows,
  folders,
  tags,
  onClose,
  onDone,
}: {
  flows: FlowRow[] | null;
  folders: string[];
  tags: string[];
  onClose: () => void;
  onDone: () => void;
}) {
  const w = useWords(listWords);
  const [save] = useChange(META);
  const one = flows?.length === 1 ? flows[0] : undefined;
  const initial = useMemo(() => ({ folder: one?.folder ?? '', tags: one ? [...one.tags] : [] }), [one]);
  return (
    <FormDrawer
      open={flows !== null}
      title={one ? one.name : w('selected', { count: flows?.length ?? 0 })}
      initial={initial}
      onClose={onClose}
      onSave={async (values) => {
        for (const flow of flows ?? []) {
          const next = one ? values.tags : [...new Set([...flow.tags, ...values.tags])];
          const { errors } = await save(
            { key: flow.key, folder: values.folder.trim(), tags: next },
            { quiet: true },
          );
          if (errors.length > 0) return errors;
        }
        onDone();
        return [];
      }}
    >
      <Form.Item name="folder" label={w('folder')} extra={w('folderHelp')}>
        <AutoComplete
          options={folders.map((value) => ({ value }))}
          showSearch={{
            filterOption: (typed, option) =>
              (option?.value ?? '').toLowerCase().includes(typed.toLowerCase()),
          }}
        >
          <Input autoFocus maxLength={200} />
        </AutoComplete>
      </Form.Item>
      <Form.Item name="tags" label={w('tags')} extra={w('tagsHelp')}>
        <Select
          mode="tags"
          tokenSeparators={[',', '，']}
          options={tags.map((value) => ({ value, label: value }))}
        />
      </Form.Item>
    </FormDrawer>
  );
}
