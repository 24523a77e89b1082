/** What the business defines for its agents' work. */
import { Button, DatePicker, Form, Input, InputNumber, Select, Switch, Tabs } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { ListChecks, Medal, Megaphone, PhoneOutgoing, TextCursorInput } from 'lucide-react';
import { useQuery } from 'urql';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import type { CentreSetupQuery } from '@/gql/graphql';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { PageHeader, StateTag, Time } from '@/ui';
import { Crud } from '@/ui/crud';
import { useFilters } from '@/ui/filters';
import { Failure } from '@/ui/lists';
import { choicesOf, linesOf } from './choices';
import { centreWords } from './words';

const SETUP = graphql(`
  query CentreSetup {
    dispositions(everything: true) {
      id code label { zh en } parentId queue needsNextContact needsNote success position enabled
    }
    customerFields { id key label { zh en } kind required position enabled choices { value label { zh en } } }
    customerLevels { id key label { zh en } vip priority colour position }
    announcements(first: 100) { nodes { id kind title text team urgent fromAt untilAt createdBy seenBy } }
    flowRules { id name event filter flow alias inputs enabled enabledAt }
    queueNames { name label { zh en } }
    flows(kind: "callback") { id key name }
  }
`);
const SAVE_RESULT = graphql(`
  mutation SaveDisposition($input: DispositionInput!, $id: String) {
    saveDisposition(input: $input, id: $id) { value { id } errors { ...Refusal } }
  }
`);
const DELETE_RESULT = graphql(`
  mutation DeleteDisposition($id: String!) {
    deleteDisposition(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const SAVE_FIELD = graphql(`
  mutation SaveCustomerField($input: CustomerFieldInput!, $id: String) {
    saveCustomerField(input: $input, id: $id) { value { id } errors { ...Refusal } }
  }
`);
const DELETE_FIELD = graphql(`
  mutation DeleteCustomerField($id: String!) {
    deleteCustomerField(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const SAVE_LEVEL = graphql(`
  mutation SaveCustomerLevel($input: CustomerLevelInput!, $id: String) {
    saveCustomerLevel(input: $input, id: $id) { value { id } errors { ...Refusal } }
  }
`);
const DELETE_LEVEL = graphql(`
  mutation DeleteCustomerLevel($id: String!) {
    deleteCustomerLevel(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const SAVE_ANNOUNCEMENT = graphql(`
  mutation SaveAnnouncement($input: AnnouncementInput!, $id: String) {
    saveAnnouncement(input: $input, id: $id) { value { id } errors { ...Refusal } }
  }
`);
const DELETE_ANNOUNCEMENT = graphql(`
  mutation DeleteAnnouncement($id: String!) {
    deleteAnnouncement(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const SAVE_RULE = graphql(`
  mutation SaveFlowRule($input: FlowRuleInput!, $id: String) {
    saveFlowRule(input: $input, id: $id) { value { id } errors { ...Refusal } }
  }
`);
const SWITCH_RULE = graphql(`
  mutation SwitchFlowRule($id: String!, $enabled: Boolean!) {
    switchFlowRule(id: $id, enabled: $enabled) { value { id } errors { ...Refusal } }
  }
`);
const DELETE_RULE = graphql(`
  mutation DeleteFlowRule($id: String!) {
    deleteFlowRule(id: $id) { value { ok } errors { ...Refusal } }
  }
`);

type Result = CentreSetupQuery['dispositions'][number];
type Field = CentreSetupQuery['customerFields'][number];
type Level = CentreSetupQuery['customerLevels'][number];
type Announcement = CentreSetupQuery['announcements']['nodes'][number];
type Rule = CentreSetupQuery['flowRules'][number];

interface Shared {
  setup: CentreSetupQuery | undefined;
  loading: boolean;
  reload: () => void;
}

const KEYS = ['tab'] as const;

export default function CentrePage() {
  const w = useWords(centreWords);
  const [filters, setFilters] = useFilters('centre', KEYS);
  const [answer, ask] = useQuery({ query: SETUP, requestPolicy: 'cache-and-network' });
  const reload = () => ask({ requestPolicy: 'network-only' });
  const shared = { setup: answer.data, loading: answer.fetching && !answer.data, reload };
  return (
    <>
      <PageHeader title={w('title')} help={w('help')} />
      <Failure error={answer.error} retry={reload} />
      <Tabs
        activeKey={filters.tab || 'results'}
        onChange={(tab) => setFilters({ tab: tab === 'results' ? '' : tab })}
        destroyOnHidden
        items={[
          { key: 'results', label: w('results'), children: <Results {...shared} /> },
          { key: 'rules', label: w('rules'), children: <Rules {...shared} /> },
          { key: 'announcements', label: w('announcements'), children: <Announcements {...shared} /> },
          { key: 'fields', label: w('fields'), children: <Fields {...shared} /> },
          { key: 'levels', label: w('levels'), children: <Levels {...shared} /> },
        ]}
      />
    </>
  );
}

/** The two labels that everything which is defined here has. */
function LabelFields() {
  const w = useWords(centreWords);
  const c = useWords(common);
  return (
    <>
      <Form.Item name="labelZh" label={w('labelZh')} rules={[{ required: true, message: c('required') }]}>
        <Input maxLength={120} />
      </Form.Item>
      <Form.Item name="labelEn" label={w('labelEn')} rules={[{ required: true, message: c('required') }]}>
        <Input maxLength={120} />
      </Form.Item>
    </>
  );
}

function InUse({ on }: { on: boolean }) {
  const w = useWords(centreWords);
  return <StateTag tone={on ? 'good' : 'off'}>{on ? w('enabled') : w('disabled')}</StateTag>;
}

interface ResultForm {
  code: string;
  labelZh: string;
  labelEn: string;
  parentId: string;
  queue: string;
  needsNextContact: boolean;
  needsNote: boolean;
  success: 'yes' | 'no' | '';
  position: number;
  enabled: boolean;
}

function Results({ setup, loading, reload }: Shared) {
  const w = useWords(centreWords);
  const c = useWords(common);
  const text = useText();
  const [save] = useChange(SAVE_RESULT);
  const [remove] = useChange(DELETE_RESULT);
  const rows = setup?.dispositions;
  const byId = new Map((rows ?? []).map((one) => [one.id, one]));
  const inTree = [...(rows ?? [])].sort((a, b) => {
    const path = (one: Result) => {
      const parent = one.parentId ? byId.get(one.parentId) : undefined;
      const part = (of: Result) => `${String(of.position).padStart(6, '0')}${of.code}`;
      return parent ? `${part(parent)}/${part(one)}` : part(one);
    };
    return path(a).localeCompare(path(b));
  });
  return (
    <Crud<Result, ResultForm>
      icon={<ListChecks size={32} aria-hidden />}
      rows={rows && inTree}
      loading={loading}
      reload={reload}
      may={useMay('dispositions.manage')}
      rowKey={(one) => one.id}
      nameOf={(one) => text(one.label) || one.code}
      words={{
        add: w('newResult'),
        edit: w('editResult'),
        none: w('noResults'),
        noneHelp: w('noResultsHelp'),
        deleteHelp: w('deleteResult'),
      }}
      blank={{
        code: '',
        labelZh: '',
        labelEn: '',
        parentId: '',
        queue: '',
        needsNextContact: false,
        needsNote: false,
        success: '',
        position: 0,
        enabled: true,
      }}
      formOf={(one) => ({
        code: one.code,
        labelZh: one.label.zh,
        labelEn: one.label.en,
        parentId: one.parentId ?? '',
        queue: one.queue,
        needsNextContact: one.needsNextContact,
        needsNote: one.needsNote,
        success: one.success === true ? 'yes' : one.success === false ? 'no' : '',
        position: one.position,
        enabled: one.enabled,
      })}
      save={async (form, row) =>
        (
          await save(
            {
              id: row?.id ?? null,
              input: {
                ...form,
                parentId: form.parentId || null,
                success: form.success === '' ? null : form.success === 'yes',
              },
            },
            { quiet: true },
          )
        ).errors
      }
      remove={async (one) => (await remove({ id: one.id })).value !== null}
      columns={[
        {
          title: w('results'),
          render: (_, one) => (
            <span style={{ paddingLeft: one.parentId ? 24 : 0 }}>
              <strong>{text(one.label) || one.code}</strong> <span className="cw-quiet">{one.code}</span>
            </span>
          ),
        },
        {
          title: w('queue'),
          render: (_, one) =>
            text(setup?.queueNames.find((queue) => queue.name === one.queue)?.label) ||
            one.queue ||
            w('allQueues'),
        },
        { title: w('needsNextContact'), render: (_, one) => (one.needsNextContact ? c('yes') : '–') },
        {
          title: w('success'),
          render: (_, one) =>
            one.success === true
              ? w('successYes')
              : one.success === false
                ? w('successNo')
                : w('successNone'),
        },
        { title: c('state'), render: (_, one) => <InUse on={one.enabled} /> },
      ]}
      fields={(row) => (
        <>
          <Form.Item name="code" label={w('code')} rules={[{ required: true, message: c('required') }]}>
            <Input autoFocus maxLength={64} />
          </Form.Item>
          <LabelFields />
          <Form.Item name="parentId" label={w('parent')}>
            <Select
              options={[
                { value: '', label: w('top') },
                ...(rows ?? [])
                  .filter((one) => !one.parentId && one.id !== row?.id)
                  .map((one) => ({ value: one.id, label: text(one.label) || one.code })),
              ]}
            />
          </Form.Item>
          <Form.Item name="queue" label={w('queue')}>
            <Select
              options={[
                { value: '', label: w('allQueues') },
                ...(setup?.queueNames ?? []).map((one) => ({
                  value: one.name,
                  label: text(one.label) || one.name,
                })),
              ]}
            />
          </Form.Item>
          <Form.Item name="success" label={w('success')}>
            <Select
              options={[
                { value: '', label: w('successNone') },
                { value: 'yes', label: w('successYes') },
                { value: 'no', label: w('successNo') },
              ]}
            />
          </Form.Item>
          <Form.Item name="position" label={w('position')}>
            <InputNumber />
          </Form.Item>
          {(['needsNextContact', 'needsNote', 'enabled'] as const).map((name) => (
            <Form.Item key={name} name={name} label={w(name)} valuePropName="checked">
              <Switch />
            </Form.Item>
          ))}
        </>
      )}
    />
  );
}

const FIELD_KINDS = [
  'text',
  'long',
  'number',
  'date',
  'yes_no',
  'choice',
  'choices',
  'phone',
  'mail',
  'url',
] as const;

interface FieldForm {
  key: string;
  labelZh: string;
  labelEn: string;
  kind: string;
  required: boolean;
  lines: string;
  position: number;
  enabled: boolean;
}

function Fields({ setup, loading, reload }: Shared) {
  const w = useWords(centreWords);
  const c = useWords(common);
  const text = useText();
  const [save] = useChange(SAVE_FIELD);
  const [remove] = useChange(DELETE_FIELD);
  const [form] = Form.useForm<FieldForm>();
  const kind = Form.useWatch('kind', form);
  const kindName = (name: string) => (name === 'choices' ? w('choicesKind') : w(name as 'text'));
  return (
    <Crud<Field, FieldForm>
      icon={<TextCursorInput size={32} aria-hidden />}
      rows={setup?.customerFields}
      loading={loading}
      reload={reload}
      form={form}
      may={useMay('customers.fields')}
      rowKey={(one) => one.id}
      nameOf={(one) => text(one.label) || one.key}
      words={{
        add: w('newField'),
        edit: w('editField'),
        none: w('noFields'),
        noneHelp: w('noFieldsHelp'),
        deleteHelp: w('deleteField'),
      }}
      blank={{
        key: '',
        labelZh: '',
        labelEn: '',
        kind: 'text',
        required: false,
        lines: '',
        position: 0,
        enabled: true,
      }}
      formOf={(one) => ({
        key: one.key,
        labelZh: one.label.zh,
        labelEn: one.label.en,
        kind: one.kind,
        required: one.required,
        lines: linesOf(one.choices),
        position: one.position,
        enabled: one.enabled,
      })}
      save={async ({ lines, ...given }, row) =>
        (
          await save(
            { id: row?.id ?? null, input: { ...given, choices: choicesOf(lines ?? '') } },
            { quiet: true },
          )
        ).errors
      }
      remove={async (one) => (await remove({ id: one.id })).value !== null}
      columns={[
        {
          title: c('name'),
          render: (_, one) => (
            <>
              <strong>{text(one.label)}</strong> <span className="cw-quiet">{one.key}</span>
            </>
          ),
        },
        { title: w('kind'), render: (_, one) => kindName(one.kind) },
        { title: w('required'), render: (_, one) => (one.required ? c('yes') : c('no')) },
        { title: c('state'), render: (_, one) => <InUse on={one.enabled} /> },
      ]}
      fields={(row) => (
        <>
          <Form.Item
            name="key"
            label={w('key')}
            extra={w('keyHelp')}
            rules={[{ required: true, message: c('required') }]}
          >
            <Input autoFocus disabled={row !== null} maxLength={64} />
          </Form.Item>
          <LabelFields />
          <Form.Item name="kind" label={w('kind')}>
            <Select options={FIELD_KINDS.map((value) => ({ value, label: kindName(value) }))} />
          </Form.Item>
          {(kind === 'choice' || kind === 'choices') && (
            <Form.Item name="lines" label={w('choices')} extra={w('choicesHelp')}>
              <Input.TextArea autoSize={{ minRows: 3 }} />
            </Form.Item>
          )}
          <Form.Item name="position" label={w('position')}>
            <InputNumber />
          </Form.Item>
          <Form.Item name="required" label={w('required')} valuePropName="checked">
            <Switch />
          </Form.Item>
          <Form.Item name="enabled" label={w('enabled')} valuePropName="checked">
            <Switch />
          </Form.Item>
        </>
      )}
    />
  );
}

interface LevelForm {
  key: string;
  labelZh: string;
  labelEn: string;
  vip: boolean;
  priority: number;
  colour: string;
  position: number;
}

function Levels({ setup, loading, reload }: Shared) {
  const w = useWords(centreWords);
  const c = useWords(common);
  const text = useText();
  const [save] = useChange(SAVE_LEVEL);
  const [remove] = useChange(DELETE_LEVEL);
  return (
    <Crud<Level, LevelForm>
      icon={<Medal size={32} aria-hidden />}
      rows={setup?.customerLevels}
      loading={loading}
      reload={reload}
      may={useMay('customers.fields')}
      rowKey={(one) => one.id}
      nameOf={(one) => text(one.label) || one.key}
      words={{
        add: w('newLevel'),
        edit: w('editLevel'),
        none: w('noLevels'),
        noneHelp: w('noLevelsHelp'),
        deleteHelp: w('deleteLevel'),
      }}
      blank={{ key: '', labelZh: '', labelEn: '', vip: false, priority: 0, colour: '', position: 0 }}
      formOf={({ id: _, label, ...same }) => ({ ...same, labelZh: label.zh, labelEn: label.en })}
      save={async (input, row) => (await save({ input, id: row?.id ?? null }, { quiet: true })).errors}
      remove={async (one) => (await remove({ id: one.id })).value !== null}
      columns={[
        {
          title: c('name'),
          render: (_, one) => (
            <>
              <strong>{text(one.label)}</strong> <span className="cw-quiet">{one.key}</span>
            </>
          ),
        },
        { title: w('vip'), render: (_, one) => (one.vip ? c('yes') : c('no')) },
        { title: w('priority'), dataIndex: 'priority' },
      ]}
      fields={(row) => (
        <>
          <Form.Item name="key" label={w('key')} rules={[{ required: true, message: c('required') }]}>
            <Input autoFocus disabled={row !== null} maxLength={32} />
          </Form.Item>
          <LabelFields />
          <Form.Item name="priority" label={w('priority')}>
            <InputNumber min={0} max={100} />
          </Form.Item>
          <Form.Item name="position" label={w('position')}>
            <InputNumber />
          </Form.Item>
          <Form.Item name="vip" label={w('vip')} valuePropName="checked">
            <Switch />
          </Form.Item>
        </>
      )}
    />
  );
}

interface AnnouncementForm {
  kind: string;
  title: string;
  text: string;
  team: string;
  urgent: boolean;
  fromAt: Dayjs;
  untilAt: Dayjs;
}

const TEAMS = graphql(`
  query AnnouncementTeams {
    teams { key name }
  }
`);

function Announcements({ setup, loading, reload }: Shared) {
  const w = useWords(centreWords);
  const c = useWords(common);
  const mayTeams = useMay('agent.work');
  const [save] = useChange(SAVE_ANNOUNCEMENT);
  const [remove] = useChange(DELETE_ANNOUNCEMENT);
  const [teams] = useQuery({ query: TEAMS, pause: !mayTeams });
  const [form] = Form.useForm<AnnouncementForm>();
  const kind = Form.useWatch('kind', form);
  return (
    <Crud<Announcement, AnnouncementForm>
      icon={<Megaphone size={32} aria-hidden />}
      form={form}
      rows={setup?.announcements.nodes}
      loading={loading}
      reload={reload}
      may={useMay('announcements.manage')}
      rowKey={(one) => one.id}
      nameOf={(one) => one.title || (one.text.length > 30 ? `${one.text.slice(0, 29)}…` : one.text)}
      words={{
        add: w('newAnnouncement'),
        edit: w('editAnnouncement'),
        none: w('noAnnouncements'),
        noneHelp: w('noAnnouncementsHelp'),
        deleteHelp: w('deleteAnnouncement'),
      }}
      blank={{
        kind: 'announcement',
        title: '',
        text: '',
        team: '',
        urgent: false,
        fromAt: dayjs(),
        untilAt: dayjs().add(1, 'day'),
      }}
      formOf={(one) => ({ ...one, fromAt: dayjs(one.fromAt), untilAt: dayjs(one.untilAt) })}
      save={async (form, row) =>
        (
          await save(
            {
              id: row?.id ?? null,
              input: {
                kind: form.kind,
                title: form.title,
                text: form.text,
                team: form.team,
                urgent: form.urgent,
                fromAt: form.fromAt.toISOString(),
                untilAt: form.untilAt.toISOString(),
              },
            },
            { quiet: true },
          )
        ).errors
      }
      remove={async (one) => (await remove({ id: one.id })).value !== null}
      columns={[
        {
          title: w('announcement'),
          render: (_, one) => (
            <>
              {one.urgent && <StateTag tone="bad">{w('urgent')}</StateTag>}{' '}
              {one.title ? (
                <>
                  <strong>{one.title}</strong>
                  <div className="cw-quiet">{one.text}</div>
                </>
              ) : (
                <strong>{one.text}</strong>
              )}
            </>
          ),
        },
        { title: w('kind'), render: (_, one) => (one.kind === 'line' ? w('line') : w('announcement')) },
        {
          title: w('team'),
          render: (_, one) =>
            one.team
              ? (teams.data?.teams.find((team) => team.key === one.team)?.name ?? one.team)
              : w('everybody'),
        },
        {
          title: w('until'),
          render: (_, one) => <Time at={one.untilAt} exact />,
        },
        {
          title: w('seenBy'),
          render: (_, one) => <span className="cw-num">{one.kind === 'line' ? '–' : one.seenBy}</span>,
        },
      ]}
      fields={() => (
        <>
          <Form.Item name="kind" label={w('kind')}>
            <Select
              options={[
                { value: 'announcement', label: w('announcement') },
                { value: 'line', label: w('line') },
              ]}
            />
          </Form.Item>
          {kind !== 'line' && (
            <Form.Item name="title" label={w('heading')}>
              <Input autoFocus maxLength={200} />
            </Form.Item>
          )}
          <Form.Item name="text" label={w('words')} rules={[{ required: true, message: c('required') }]}>
            <Input.TextArea autoSize={{ minRows: 2 }} maxLength={4000} />
          </Form.Item>
          <Form.Item name="team" label={w('team')}>
            <Select
              options={[
                { value: '', label: w('everybody') },
                ...(teams.data?.teams ?? []).map((one) => ({ value: one.key, label: one.name })),
              ]}
            />
          </Form.Item>
          <Form.Item name="fromAt" label={w('from')}>
            <DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" />
          </Form.Item>
          <Form.Item name="untilAt" label={w('until')} rules={[{ required: true, message: c('required') }]}>
            <DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" />
          </Form.Item>
          {kind !== 'line' && (
            <Form.Item name="urgent" label={w('urgent')} valuePropName="checked">
              <Switch />
            </Form.Item>
          )}
        </>
      )}
    />
  );
}

interface RuleForm {
  name: string;
  event: string;
  flow: string;
  alias: string;
  queues: string[];
  minWait: number | null;
  enabled: boolean;
}

const EVENTS = {
  'queue.abandoned': 'abandoned',
  'call.missed': 'missed',
  'voicemail.left': 'voicemail',
} as const;

function Rules({ setup, loading, reload }: Shared) {
  const w = useWords(centreWords);
  const c = useWords(common);
  const text = useText();
  const may = useMay('flow_rules.manage');
  const [save] = useChange(SAVE_RULE);
  const [change] = useChange(SWITCH_RULE);
  const [remove] = useChange(DELETE_RULE);
  const eventName = (event: string) => (event in EVENTS ? w(EVENTS[event as keyof typeof EVENTS]) : event);
  const filterOf = (one: Rule) => (one.filter ?? {}) as { queues?: string[]; min_wait?: number };
  return (
    <Crud<Rule, RuleForm>
      icon={<PhoneOutgoing size={32} aria-hidden />}
      rows={setup?.flowRules}
      loading={loading}
      reload={reload}
      may={may}
      rowKey={(one) => one.id}
      nameOf={(one) => one.name}
      words={{
        add: w('newRule'),
        edit: w('editRule'),
        none: w('noRules'),
        noneHelp: w('noRulesHelp'),
        deleteHelp: w('deleteRule'),
      }}
      blank={{
        name: '',
        event: 'queue.abandoned',
        flow: '',
        alias: 'live',
        queues: [],
        minWait: null,
        enabled: false,
      }}
      formOf={(one) => ({
        name: one.name,
        event: one.event,
        flow: one.flow,
        alias: one.alias,
        queues: filterOf(one).queues ?? [],
        minWait: filterOf(one).min_wait ?? null,
        enabled: one.enabled,
      })}
      save={async ({ queues, minWait, ...given }, row) => {
        const kept = row ? filterOf(row) : {};
        const { queues: _, min_wait: __, ...others } = kept;
        const filter = {
          ...others,
          ...(queues.length > 0 ? { queues } : {}),
          ...(minWait ? { min_wait: minWait } : {}),
        };
        return (
          await save(
            { id: row?.id ?? null, input: { ...given, filter, inputs: row?.inputs ?? {} } },
            { quiet: true },
          )
        ).errors;
      }}
      remove={async (one) => (await remove({ id: one.id })).value !== null}
      actions={(one) =>
        may && (
          <Button
            size="small"
            title={w('switchHelp')}
            onClick={async () => {
              if ((await change({ id: one.id, enabled: !one.enabled })).value) reload();
            }}
          >
            {one.enabled ? w('switchOff') : w('switchOn')}
          </Button>
        )
      }
      columns={[
        { title: w('name'), render: (_, one) => <strong>{one.name}</strong> },
        { title: w('event'), render: (_, one) => eventName(one.event) },
        {
          title: w('flow'),
          render: (_, one) => setup?.flows.find((flow) => flow.key === one.flow)?.name ?? one.flow,
        },
        { title: c('state'), render: (_, one) => <InUse on={one.enabled} /> },
      ]}
      fields={() => (
        <>
          <Form.Item name="name" label={w('name')} rules={[{ required: true, message: c('required') }]}>
            <Input autoFocus maxLength={120} />
          </Form.Item>
          <Form.Item name="event" label={w('event')}>
            <Select options={Object.keys(EVENTS).map((value) => ({ value, label: eventName(value) }))} />
          </Form.Item>
          <Form.Item name="flow" label={w('flow')} rules={[{ required: true, message: c('required') }]}>
            <Select options={(setup?.flows ?? []).map((one) => ({ value: one.key, label: one.name }))} />
          </Form.Item>
          <Form.Item name="queues" label={w('filterQueues')}>
            <Select
              mode="multiple"
              options={(setup?.queueNames ?? []).map((one) => ({
                value: one.name,
                label: text(one.label) || one.name,
              }))}
            />
          </Form.Item>
          <Form.Item name="minWait" label={w('minWait')}>
            <InputNumber min={0} max={36000} />
          </Form.Item>
          <Form.Item name="enabled" label={w('enabled')} valuePropName="checked">
            <Switch />
          </Form.Item>
        </>
      )}
    />
  );
}
