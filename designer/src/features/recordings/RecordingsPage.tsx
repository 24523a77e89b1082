/** Recordings: searched, heard, kept, deleted; the rules of what is recorded and how long; second copies. */
import { App, Button, DatePicker, Form, Input, InputNumber, Select, Switch, Tabs } from 'antd';
import dayjs from 'dayjs';
import { CalendarClock, Copy as CopyIcon, FileAudio, ListChecks, Pin, PinOff, Trash2 } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { Link } from 'react-router';
import { useQuery } from 'urql';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import type { RecordingListQuery, RecordingSetupQuery } from '@/gql/graphql';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, EmptyState, IconButton, PageHeader, Phone, StateTag, Time } from '@/ui';
import { Crud } from '@/ui/crud';
import { useFilters } from '@/ui/filters';
import { Failure, FilterBar, LoadMore, SearchBox } from '@/ui/lists';
import { usePages } from '@/ui/paging';
import { ListTable } from '@/ui/table';
import { OUTCOMES, useCause } from '../calls/marks';
import { callWords } from '../calls/words';
import { clock, RecordingPlayer } from './Player';
import { recordingPageWords } from './pageWords';

const LIST = graphql(`
  query RecordingList($after: String, $filter: RecordingFilterInput!) {
    recordings(first: 30, after: $after, filter: $filter) {
      nodes {
        id callId seconds complete direction agentName queue result kept createdAt caller called region { zh en } url
        customer { id name }
      }
      endCursor hasNext
    }
  }
`);
const NAMES = graphql(`
  query RecordingNames {
    colleagues { id name }
    queueNames { name label { zh en } }
    dispositions { code label { zh en } }
  }
`);
const DELETE = graphql(`
  mutation DeleteRecordingFile($id: String!) {
    deleteRecording(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const KEEP = graphql(`
  mutation KeepRecording($id: String!, $kept: Boolean!) {
    keepRecording(id: $id, kept: $kept) { value { id kept } errors { ...Refusal } }
  }
`);
const SETUP = graphql(`
  query RecordingSetup {
    recordingRules {
      id name scope value direction share announce announcementZh announcementEn position enabled
    }
    retentionRules { id name what scope value days enabled deleted ranAt }
    copyTargets {
      id name kind folder endpoint secure region bucket prefix accessKey enabled error copiedAt waiting done failed
    }
  }
`);
const SAVE_RULE = graphql(`
  mutation SaveRecordingRule($input: RecordingRuleInput!, $id: String) {
    saveRecordingRule(input: $input, id: $id) { value { id } errors { ...Refusal } }
  }
`);
const DELETE_RULE = graphql(`
  mutation DeleteRecordingRule($id: String!) {
    deleteRecordingRule(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const SAVE_KEEPING = graphql(`
  mutation SaveRetentionRule($input: RetentionRuleInput!, $id: String) {
    saveRetentionRule(input: $input, id: $id) { value { id } errors { ...Refusal } }
  }
`);
const DELETE_KEEPING = graphql(`
  mutation DeleteRetentionRule($id: String!) {
    deleteRetentionRule(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const SAVE_COPY = graphql(`
  mutation SaveCopyTarget($input: CopyTargetInput!, $id: String) {
    saveCopyTarget(input: $input, id: $id) { value { id } errors { ...Refusal } }
  }
`);
const DELETE_COPY = graphql(`
  mutation DeleteCopyTarget($id: String!) {
    deleteCopyTarget(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const PROBE_COPY = graphql(`
  mutation ProbeCopyTarget($id: String!) {
    probeCopyTarget(id: $id) { value { ok } errors { ...Refusal } }
  }
`);

type Row = RecordingListQuery['recordings']['nodes'][number];
type Rule = RecordingSetupQuery['recordingRules'][number];
type Keeping = RecordingSetupQuery['retentionRules'][number];
type Copy = RecordingSetupQuery['copyTargets'][number];
const KEYS = ['tab', 'number', 'agent', 'queue', 'from', 'until', 'min', 'max'] as const;

export default function RecordingsPage() {
  const w = useWords(recordingPageWords);
  const mayRules = useMay('recordings.rules');
  const [filters, setFilters] = useFilters('recordings', KEYS);
  const [setup, ask] = useQuery({ query: SETUP, pause: !mayRules, requestPolicy: 'cache-and-network' });
  const shared = {
    setup: setup.data,
    loading: setup.fetching && !setup.data,
    reload: () => ask({ requestPolicy: 'network-only' }),
  };
  return (
    <>
      <PageHeader title={w('title')} help={w('help')} />
      {filters.tab !== '' && <Failure error={setup.error} retry={shared.reload} />}
      {mayRules ? (
        <Tabs
          activeKey={filters.tab || 'list'}
          onChange={(tab) => setFilters({ tab: tab === 'list' ? '' : tab })}
          destroyOnHidden
          items={[
            { key: 'list', label: w('list'), children: <Recordings /> },
            { key: 'rules', label: w('rules'), children: <Rules {...shared} /> },
            { key: 'keeping', label: w('keeping'), children: <Keepings {...shared} /> },
            { key: 'copies', label: w('copies'), children: <Copies {...shared} /> },
          ]}
        />
      ) : (
        <Recordings />
      )}
    </>
  );
}

function Recordings() {
  const w = useWords(recordingPageWords);
  const c = useWords(common);
  const text = useText();
  const mayDelete = useMay('recordings.delete');
  const mayDownload = useMay('recordings.download');
  const [filters, setFilters] = useFilters('recordings', KEYS);
  const [number, setNumber] = useState(filters.number);
  useEffect(() => {
    if (number === filters.number) return;
    const timer = setTimeout(() => setFilters({ number }), 300);
    return () => clearTimeout(timer);
  }, [number, filters.number, setFilters]);
  const filter = useMemo(
    () => ({
      number: filters.number,
      agentId: filters.agent || null,
      queue: filters.queue || null,
      since: filters.from ? dayjs(filters.from).startOf('day').toISOString() : null,
      until: filters.until ? dayjs(filters.until).endOf('day').toISOString() : null,
      minSeconds: filters.min ? Number(filters.min) : null,
      maxSeconds: filters.max ? Number(filters.max) : null,
    }),
    [filters],
  );
  const pages = usePages(LIST, { filter }, (data) => data.recordings);
  const { reload } = pages;
  const rows = pages.rows ?? [];
  const [names] = useQuery({ query: NAMES });
  const [remove] = useChange(DELETE);
  const [keep] = useChange(KEEP);
  const queueName = (name: string) =>
    text(names.data?.queueNames.find((one) => one.name === name)?.label) || name;
  const calls = useWords(callWords);
  const cause = useCause();
  // What the agent noted, else how the call ended.
  const resultName = (code: string) => {
    const ended = OUTCOMES.find((one) => one === code);
    return (
      text(names.data?.dispositions.find((one) => one.code === code)?.label) ||
      (ended ? calls(`outcome_${ended}`) : cause(code))
    );
  };
  const mayRules = useMay('recordings.rules');
  const filtered = KEYS.some((key) => key !== 'tab' && filters[key] !== '');
  return (
    <>
      <Failure error={pages.error} retry={reload} />
      <FilterBar>
        <SearchBox value={number} onChange={setNumber} label={w('number')} width={150} />
        <Select
          style={{ minWidth: 140 }}
          value={filters.agent}
          showSearch={{ optionFilterProp: 'label' }}
          aria-label={w('agent')}
          onChange={(agent) => setFilters({ agent })}
          options={[
            { value: '', label: w('allAgents') },
            ...(names.data?.colleagues ?? []).map((one) => ({ value: one.id, label: one.name })),
          ]}
        />
        <Select
          style={{ minWidth: 140 }}
          value={filters.queue}
          aria-label={w('queue')}
          onChange={(queue) => setFilters({ queue })}
          options={[
            { value: '', label: w('allQueues') },
            ...(names.data?.queueNames ?? []).map((one) => ({ value: one.name, label: queueName(one.name) })),
          ]}
        />
        <DatePicker
          style={{ width: 140 }}
          placeholder={w('from')}
          aria-label={w('from')}
          value={filters.from ? dayjs(filters.from) : null}
          onChange={(at) => setFilters({ from: at ? at.format('YYYY-MM-DD') : '' })}
        />
        <DatePicker
          style={{ width: 140 }}
          placeholder={w('until')}
          aria-label={w('until')}
          value={filters.until ? dayjs(filters.until) : null}
          onChange={(at) => setFilters({ until: at ? at.format('YYYY-MM-DD') : '' })}
        />
        <InputNumber
          min={0}
          style={{ width: 132 }}
          placeholder={w('minSeconds')}
          aria-label={w('minSeconds')}
          value={filters.min ? Number(filters.min) : null}
          onChange={(value) => setFilters({ min: value === null ? '' : String(value) })}
        />
        <InputNumber
          min={0}
          style={{ width: 132 }}
          placeholder={w('maxSeconds')}
          aria-label={w('maxSeconds')}
          value={filters.max ? Number(filters.max) : null}
          onChange={(value) => setFilters({ max: value === null ? '' : String(value) })}
        />
      </FilterBar>
      {pages.rows?.length === 0 ? (
        <EmptyState
          icon={<FileAudio size={32} aria-hidden />}
          title={filtered ? w('noneFound') : w('none')}
          help={filtered || !mayRules ? undefined : w('noneHelp')}
          action={
            !filtered &&
            mayRules && <Button onClick={() => setFilters({ tab: 'rules' })}>{w('rules')}</Button>
          }
        />
      ) : (
        <ListTable<Row>
          rowKey="id"
          size="middle"
          loading={!pages.rows && !pages.error}
          dataSource={rows}
          pagination={false}
          expandable={{
            expandedRowRender: (one) => (
              <RecordingPlayer
                url={one.url}
                seconds={one.seconds}
                complete={one.complete}
                download={mayDownload}
                label={`${one.caller} → ${one.called}`}
              />
            ),
          }}
          columns={[
            { title: w('at'), render: (_, one) => <Time at={one.createdAt} exact /> },
            {
              title: w('who'),
              render: (_, one) => (
                <span className="cw-two-line">
                  <span>
                    <Party row={one} outbound={false} /> → <Party row={one} outbound />
                  </span>
                  {one.region && <small>{text(one.region)}</small>}
                </span>
              ),
            },
            { title: w('agent'), render: (_, one) => one.agentName || '–' },
            { title: w('queue'), render: (_, one) => (one.queue ? queueName(one.queue) : '–') },
            {
              title: w('length'),
              align: 'right',
              render: (_, one) => <span className="cw-num">{clock(one.seconds)}</span>,
            },
            {
              title: w('result'),
              render: (_, one) => (
                <>
                  {resultName(one.result) || '–'} {one.kept && <StateTag tone="good">{w('kept')}</StateTag>}
                </>
              ),
            },
            {
              title: <span className="cw-hidden">{c('actions')}</span>,
              width: 150,
              render: (_, one) => (
                <span className="cw-row-actions">
                  {one.callId && <Link to={`/calls/${one.callId}`}>{w('openCall')}</Link>}
                  {mayDelete && (
                    <>
                      <IconButton
                        label={one.kept ? w('unkeep') : w('keep')}
                        icon={one.kept ? <PinOff size={14} /> : <Pin size={14} />}
                        onClick={async () => {
                          if ((await keep({ id: one.id, kept: !one.kept })).value) reload();
                        }}
                      />
                      <ConfirmDelete
                        name={`${one.caller} → ${one.called}`}
                        help={w('deleteHelp')}
                        onConfirm={async () => {
                          if ((await remove({ id: one.id })).value) reload();
                        }}
                      >
                        <Button type="text" danger aria-label={c('delete')} icon={<Trash2 size={14} />} />
                      </ConfirmDelete>
                    </>
                  )}
                </span>
              ),
            },
          ]}
        />
      )}
      <LoadMore pages={pages} />
    </>
  );
}

/** Who called, or was called: the one outside by name when it is known. */
function Party({ row, outbound }: { row: Row; outbound: boolean }) {
  const outside = (row.direction === 'outbound') === outbound;
  if (outside && row.customer?.name) return row.customer.name;
  return <Phone number={outbound ? row.called : row.caller} />;
}

interface Shared {
  setup: RecordingSetupQuery | undefined;
  loading: boolean;
  reload: () => void;
}

type RuleForm = Omit<Rule, 'id' | '__typename'>;
const BLANK_RULE: RuleForm = {
  name: '',
  scope: 'all',
  value: '',
  direction: '',
  share: 100,
  announce: false,
  announcementZh: '为保证服务质量，本次通话将被录音。',
  announcementEn: 'This call is recorded to assure its quality.',
  position: 0,
  enabled: true,
};

/** What a rule is for: everything, a number's start, a queue, an agent, a box. */
function ScopeFields({ scopes }: { scopes: readonly ('all' | 'number' | 'queue' | 'agent' | 'box')[] }) {
  const w = useWords(recordingPageWords);
  const c = useWords(common);
  const text = useText();
  const [names] = useQuery({ query: NAMES });
  const form = Form.useFormInstance<{ scope: string }>();
  const scope = Form.useWatch('scope', form);
  const required = [{ required: true, message: c('required') }];
  return (
    <>
      <Form.Item name="scope" label={w('scope')}>
        <Select
          options={scopes.map((value) => ({
            value,
            label: value === 'all' ? w('all') : w(`scope_${value}`),
          }))}
          onChange={() => form.setFieldValue('value' as never, '' as never)}
        />
      </Form.Item>
      {scope === 'queue' && (
        <Form.Item name="value" label={w('value')} rules={required}>
          <Select
            options={(names.data?.queueNames ?? []).map((one) => ({
              value: one.name,
              label: text(one.label) || one.name,
            }))}
          />
        </Form.Item>
      )}
      {scope === 'agent' && (
        <Form.Item name="value" label={w('value')} rules={required}>
          <Select
            options={(names.data?.colleagues ?? []).map((one) => ({ value: one.id, label: one.name }))}
          />
        </Form.Item>
      )}
      {(scope === 'number' || scope === 'box') && (
        <Form.Item name="value" label={w('value')} rules={required}>
          <Input />
        </Form.Item>
      )}
    </>
  );
}

/** In words what a rule is for. */
function useScopeWords(): (rule: { scope: string; value: string }) => string {
  const w = useWords(recordingPageWords);
  const text = useText();
  const [names] = useQuery({ query: NAMES });
  return ({ scope, value }) => {
    if (scope === 'all') return w('all');
    const name =
      scope === 'agent'
        ? names.data?.colleagues.find((one) => one.id === value)?.name
        : scope === 'queue'
          ? text(names.data?.queueNames.find((one) => one.name === value)?.label)
          : '';
    return w('scopeOf', { scope: w(`scope_${scope}` as 'scope_number'), name: name || value });
  };
}

function Rules({ setup, loading, reload }: Shared) {
  const w = useWords(recordingPageWords);
  const c = useWords(common);
  const scopeOf = useScopeWords();
  const [save] = useChange(SAVE_RULE);
  const [remove] = useChange(DELETE_RULE);
  return (
    <Crud<Rule, RuleForm>
      icon={<ListChecks size={32} aria-hidden />}
      rows={setup?.recordingRules}
      loading={loading}
      reload={reload}
      may
      rowKey={(one) => one.id}
      nameOf={(one) => one.name || scopeOf(one)}
      words={{
        add: w('newRule'),
        edit: w('editRule'),
        none: w('noRules'),
        noneHelp: w('noRulesHelp'),
        deleteHelp: w('deleteRule'),
      }}
      blank={BLANK_RULE}
      formOf={({ id: _, ...same }) => same}
      save={async (input, row) => (await save({ input, id: row?.id ?? null }, { quiet: true })).errors}
      remove={async (one) => (await remove({ id: one.id })).value !== null}
      columns={[
        { title: w('name'), render: (_, one) => <strong>{one.name || '–'}</strong> },
        { title: w('scope'), render: (_, one) => scopeOf(one) },
        { title: w('share'), render: (_, one) => `${one.share} %` },
        { title: w('announce'), render: (_, one) => (one.announce ? c('yes') : c('no')) },
        {
          title: c('state'),
          render: (_, one) => (
            <StateTag tone={one.enabled ? 'good' : 'off'}>
              {one.enabled ? w('enabled') : w('disabled')}
            </StateTag>
          ),
        },
      ]}
      fields={() => (
        <>
          <Form.Item name="name" label={w('name')}>
            <Input autoFocus maxLength={120} />
          </Form.Item>
          <ScopeFields scopes={['all', 'number', 'queue', 'agent']} />
          <Form.Item name="direction" label={w('direction')}>
            <Select
              options={[
                { value: '', label: w('both') },
                { value: 'inbound', label: w('inbound') },
                { value: 'outbound', label: w('outbound') },
              ]}
            />
          </Form.Item>
          <Form.Item name="share" label={w('share')}>
            <InputNumber min={0} max={100} />
          </Form.Item>
          <Form.Item name="announce" label={w('announce')} valuePropName="checked">
            <Switch />
          </Form.Item>
          <Form.Item name="announcementZh" label={w('announcementZh')}>
            <Input.TextArea autoSize />
          </Form.Item>
          <Form.Item name="announcementEn" label={w('announcementEn')}>
            <Input.TextArea autoSize />
          </Form.Item>
          <Form.Item name="enabled" label={w('enabled')} valuePropName="checked">
            <Switch />
          </Form.Item>
        </>
      )}
    />
  );
}

interface KeepingForm {
  name: string;
  what: string;
  scope: string;
  value: string;
  days: number;
  enabled: boolean;
}

function Keepings({ setup, loading, reload }: Shared) {
  const w = useWords(recordingPageWords);
  const c = useWords(common);
  const scopeOf = useScopeWords();
  const [save] = useChange(SAVE_KEEPING);
  const [remove] = useChange(DELETE_KEEPING);
  const what = (one: { what: string }) => w(one.what === 'voicemail' ? 'voicemail' : 'recording');
  return (
    <Crud<Keeping, KeepingForm>
      icon={<CalendarClock size={32} aria-hidden />}
      rows={setup?.retentionRules}
      loading={loading}
      reload={reload}
      may
      rowKey={(one) => one.id}
      nameOf={(one) => one.name || what(one)}
      words={{
        add: w('newKeeping'),
        edit: w('editRule'),
        none: w('noKeeping'),
        noneHelp: w('noKeepingHelp'),
        deleteHelp: w('deleteKeeping'),
      }}
      blank={{ name: '', what: 'recording', scope: 'all', value: '', days: 180, enabled: true }}
      formOf={({ id: _, deleted: __, ranAt: ___, ...same }) => same}
      save={async (input, row) => (await save({ input, id: row?.id ?? null }, { quiet: true })).errors}
      remove={async (one) => (await remove({ id: one.id })).value !== null}
      columns={[
        { title: w('name'), render: (_, one) => <strong>{one.name || '–'}</strong> },
        { title: w('what'), render: (_, one) => what(one) },
        { title: w('scope'), render: (_, one) => scopeOf(one) },
        { title: w('days'), dataIndex: 'days' },
        { title: w('deletedSoFar'), dataIndex: 'deleted' },
        {
          title: c('state'),
          render: (_, one) => (
            <StateTag tone={one.enabled ? 'good' : 'off'}>
              {one.enabled ? w('enabled') : w('disabled')}
            </StateTag>
          ),
        },
      ]}
      fields={() => (
        <>
          <Form.Item name="name" label={w('name')}>
            <Input autoFocus maxLength={120} />
          </Form.Item>
          <Form.Item name="what" label={w('what')}>
            <Select
              options={[
                { value: 'recording', label: w('recording') },
                { value: 'voicemail', label: w('voicemail') },
              ]}
            />
          </Form.Item>
          <ScopeFields scopes={['all', 'number', 'queue', 'agent', 'box']} />
          <Form.Item name="days" label={w('days')} rules={[{ required: true, message: c('required') }]}>
            <InputNumber min={1} max={36500} />
          </Form.Item>
          <Form.Item name="enabled" label={w('enabled')} valuePropName="checked">
            <Switch />
          </Form.Item>
        </>
      )}
    />
  );
}

interface CopyForm {
  name: string;
  kind: string;
  folder: string;
  endpoint: string;
  secure: boolean;
  region: string;
  bucket: string;
  prefix: string;
  accessKey: string;
  secretKey: string;
  enabled: boolean;
}

function Copies({ setup, loading, reload }: Shared) {
  const w = useWords(recordingPageWords);
  const c = useWords(common);
  const { message } = App.useApp();
  const [save] = useChange(SAVE_COPY);
  const [remove] = useChange(DELETE_COPY);
  const [probe] = useChange(PROBE_COPY);
  const [form] = Form.useForm<CopyForm>();
  const kind = Form.useWatch('kind', form);
  return (
    <Crud<Copy, CopyForm>
      icon={<CopyIcon size={32} aria-hidden />}
      rows={setup?.copyTargets}
      loading={loading}
      reload={reload}
      may
      form={form}
      rowKey={(one) => one.id}
      nameOf={(one) => one.name}
      words={{
        add: w('newCopy'),
        edit: w('editCopy'),
        none: w('noCopies'),
        noneHelp: w('noCopiesHelp'),
        deleteHelp: w('deleteCopy'),
      }}
      blank={{
        name: '',
        kind: 'folder',
        folder: '',
        endpoint: '',
        secure: true,
        region: '',
        bucket: '',
        prefix: '',
        accessKey: '',
        secretKey: '',
        enabled: true,
      }}
      formOf={({ id: _, error: __, copiedAt: ___, waiting: ____, done: _____, failed: ______, ...same }) => ({
        ...same,
        secretKey: '',
      })}
      save={async (given, row) =>
        (
          await save(
            { input: { ...given, secretKey: given.secretKey || null }, id: row?.id ?? null },
            { quiet: true },
          )
        ).errors
      }
      remove={async (one) => (await remove({ id: one.id })).value !== null}
      actions={(one) => (
        <Button
          size="small"
          onClick={async () => {
            if ((await probe({ id: one.id })).value) void message.success(w('probed'));
          }}
        >
          {w('probe')}
        </Button>
      )}
      columns={[
        { title: w('name'), render: (_, one) => <strong>{one.name}</strong> },
        {
          title: w('kind'),
          render: (_, one) => (one.kind === 's3' ? `${w('s3')} ${one.endpoint}/${one.bucket}` : one.folder),
        },
        {
          title: c('state'),
          render: (_, one) => (
            <>
              <StateTag tone={one.error ? 'bad' : one.enabled ? 'good' : 'off'}>
                {one.error || (one.enabled ? w('enabled') : w('disabled'))}
              </StateTag>{' '}
              <span className="cw-quiet cw-num">
                {w('progress', { done: one.done, waiting: one.waiting, failed: one.failed })}
              </span>
            </>
          ),
        },
      ]}
      fields={() => (
        <>
          <Form.Item name="name" label={w('name')} rules={[{ required: true, message: c('required') }]}>
            <Input autoFocus maxLength={120} />
          </Form.Item>
          <Form.Item name="kind" label={w('kind')}>
            <Select
              options={[
                { value: 'folder', label: w('folder') },
                { value: 's3', label: w('s3') },
              ]}
            />
          </Form.Item>
          {kind === 's3' ? (
            <>
              {(['endpoint', 'bucket', 'region', 'prefix', 'accessKey'] as const).map((name) => (
                <Form.Item key={name} name={name} label={w(name)}>
                  <Input />
                </Form.Item>
              ))}
              <Form.Item name="secretKey" label={w('secretKey')} extra={w('secretHelp')}>
                <Input.Password autoComplete="new-password" />
              </Form.Item>
              <Form.Item name="secure" label={w('secure')} valuePropName="checked">
                <Switch />
              </Form.Item>
            </>
          ) : (
            <Form.Item name="folder" label={w('folder')} rules={[{ required: true, message: c('required') }]}>
              <Input placeholder="/srv/recordings" />
            </Form.Item>
          )}
          <Form.Item name="enabled" label={w('enabled')} valuePropName="checked">
            <Switch />
          </Form.Item>
        </>
      )}
    />
  );
}
