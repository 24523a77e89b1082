/** Who it is: the record that pops up while it rings, or the form for somebody new; contacts, notes, the way they came. */
import {
  Alert,
  App,
  AutoComplete,
  Button,
  DatePicker,
  Form,
  Input,
  InputNumber,
  Select,
  Skeleton,
  Switch,
  Tabs,
} from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import {
  ArrowDownLeft,
  ArrowUpRight,
  CheckSquare,
  FileAudio,
  MessageSquare,
  Play,
  StickyNote,
  Voicemail,
  X,
} from 'lucide-react';
import { useEffect, useState } from 'react';
import { Link } from 'react-router';
import { useClient, useQuery, useSubscription } from 'urql';
import type { ConsoleTimelineQuery, CustomerFormPartsQuery, CustomerPartsFragment } from '@/gql/graphql';
import { type UserError, useChange, wordsOf } from '@/graphql/useChange';
import { useLanguage, useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { duration, EmptyState, groupedPhone, IconButton, Time, useWhoName } from '@/ui';
import { sortErrors } from '@/ui/forms';
import { Failure, LevelTag, LoadMore } from '@/ui/lists';
import { usePages } from '@/ui/paging';
import { usePortTitle, useStepWords } from '../calls/portTitle';
import { RecordingPlayer } from '../recordings/Player';
import './console.css';
import { desk, type Focus, useDesk } from './desk';
import {
  ADD_NOTE,
  CALL_PATH,
  CUSTOMER,
  CUSTOMER_BY_NUMBER,
  CUSTOMER_FORM,
  DISPOSITIONS,
  FIND_CUSTOMERS,
  SAVE_CUSTOMER,
  TIMELINE,
} from './operations';
import { useCallActions } from './useCallActions';
import { useColleague } from './useColleague';
import { consoleWords } from './words';

type Customer = CustomerPartsFragment;

export function CustomerPane({ focus }: { focus: Focus | null }) {
  const t = useWords(consoleWords);
  const text = useText();
  const opened = useDesk((now) => now.customerId);
  const [byNumber, askAgain] = useQuery({
    query: CUSTOMER_BY_NUMBER,
    variables: { number: focus?.number ?? '' },
    pause: !focus?.number,
    requestPolicy: 'cache-and-network',
  });
  const id = focus ? (focus.customerId ?? byNumber.data?.customerByNumber?.id ?? null) : opened;
  const colleague = useColleague(focus?.number ?? '');
  const region = focus && byNumber.data?.numberRegion ? text(byNumber.data.numberRegion.place) : '';

  return (
    <section className="cw-pane cw-customer" aria-label={t('customer')}>
      {focus && <Way callId={focus.callId} />}
      {!id && !focus && (
        <EmptyState title={t('noCustomer')} help={t('noCustomerHelp')} action={<FindCustomer />} />
      )}
      {focus && !id && !byNumber.fetching && (
        <>
          <header className="cw-customer-head">
            <h2>{colleague || t('unknown')}</h2>
            <span className="cw-num">{groupedPhone(focus.number) || t('masked')}</span>
            {region && <span className="cw-quiet">{region}</span>}
          </header>
          {colleague ? (
            <p className="cw-quiet">{t('colleague')}</p>
          ) : (
            <>
              <p className="cw-quiet cw-new-customer">{t('newCustomerHelp')}</p>
              <NewCustomer
                key={focus.callId}
                number={focus.number}
                saved={(made) => {
                  desk.getState().set({ customerId: made });
                  askAgain({ requestPolicy: 'network-only' });
                }}
              />
            </>
          )}
        </>
      )}
      {!focus && id && (
        <header className="cw-customer-find">
          <FindCustomer />
          <IconButton
            label={t('closeCustomer')}
            icon={<X size={16} />}
            onClick={() => desk.getState().set({ customerId: null })}
          />
        </header>
      )}
      {id && <CustomerCard key={id} id={id} />}
    </section>
  );
}

/** One customer: who they are, their contacts, their details. */
export function CustomerCard({ id }: { id: string }) {
  const t = useWords(consoleWords);
  const text = useText();
  const [answer, reload] = useQuery({
    query: CUSTOMER,
    variables: { id },
    requestPolicy: 'cache-and-network',
  });
  const customer = answer.data?.customer.id === id ? answer.data.customer : null;
  if (!customer) {
    if (!answer.error || answer.fetching) return <Skeleton active title paragraph={{ rows: 6 }} />;
    return <Failure error={answer.error} retry={() => reload({ requestPolicy: 'network-only' })} />;
  }
  const level = answer.data?.customerLevels.find((one) => one.key === customer.level);
  return (
    <>
      <header className="cw-customer-head">
        <h2>{customer.name || t('unknown')}</h2>
        {level && <LevelTag vip={level.vip}>{text(level.label)}</LevelTag>}
        <Numbers customer={customer} />
      </header>
      <Tabs
        size="small"
        items={[
          { key: 'timeline', label: t('timeline'), children: <Timeline id={customer.id} /> },
          {
            key: 'details',
            label: t('details'),
            children: (
              <CustomerForm customer={customer} saved={() => reload({ requestPolicy: 'network-only' })} />
            ),
          },
        ]}
      />
    </>
  );
}

/** The form of somebody new: of the number that calls, or with numbers typed by hand. */
export function NewCustomer({ number, saved }: { number?: string; saved: (id: string) => void }) {
  return <CustomerForm number={number} saved={saved} />;
}

function Numbers({ customer }: { customer: Customer }) {
  const t = useWords(consoleWords);
  const text = useText();
  const actions = useCallActions();
  return (
    <span className="cw-numbers">
      {customer.numbers.map((one) => (
        <button
          key={one.number}
          type="button"
          className="cw-link cw-num"
          title={t('call')}
          onClick={() => void actions.dial(one.number)}
        >
          {groupedPhone(one.number)}
          {one.region?.place && <span className="cw-quiet"> {text(one.region.place)}</span>}
        </button>
      ))}
    </span>
  );
}

interface Seen {
  runId: string;
  seq: number;
  nodeName: string;
  nodeId: string;
  nodeType: string;
  port?: string | null;
  left?: string | null;
}

/** Ports that say no more than that it went on. */
const PLAIN = new Set(['next', 'done', 'hangup']);

/** The way a caller came through the menus, drawn small: what they chose, step by step. */
function Way({ callId }: { callId: string }) {
  const t = useWords(consoleWords);
  const { nameOf } = useStepWords();
  const portName = usePortTitle();
  const [steps, setSteps] = useState<readonly Seen[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another call begins with an empty way
  useEffect(() => setSteps([]), [callId]);
  useSubscription({ query: CALL_PATH, variables: { call: callId } }, (_, seen) => {
    const step = seen.trail;
    setSteps((now) =>
      [...now.filter((one) => one.seq !== step.seq || one.runId !== step.runId), step].sort(
        (a, b) => a.seq - b.seq,
      ),
    );
    return seen;
  });
  const choices = steps.filter((step) =>
    /^(voice\.(menu|collect|language|listen)|logic\.hours|queue\.)/.test(step.nodeType),
  );
  if (choices.length === 0) return null;
  return (
    <ol className="cw-way" aria-label={t('path')}>
      {choices.slice(-8).map((step) => (
        <li key={`${step.runId}${step.seq}`} data-now={!step.left}>
          {nameOf(step)}
          {step.port && !PLAIN.has(step.port) && <strong> ▸ {portName(step.nodeType, step.port)}</strong>}
        </li>
      ))}
    </ol>
  );
}

const ICONS: Record<string, typeof Voicemail> = {
  voicemail: Voicemail,
  recording: FileAudio,
  message: MessageSquare,
  task: CheckSquare,
  result: CheckSquare,
  note: StickyNote,
};

type Contact = ConsoleTimelineQuery['customer']['timeline']['nodes'][number];
const KINDS = ['recording', 'voicemail', 'message', 'task', 'result', 'note'] as const;
const TASKS = ['callback', 'voicemail', 'missed', 'planned', 'work'] as const;
const isOne = <K extends string>(known: readonly K[], value: string | null | undefined): value is K =>
  (known as readonly string[]).includes(value ?? '');

function Timeline({ id }: { id: string }) {
  const t = useWords(consoleWords);
  const c = useWords(common);
  const [search, setSearch] = useState('');
  const [asked, setAsked] = useState('');
  const [add, adding] = useChange(ADD_NOTE);
  const [note, setNote] = useState('');
  const pages = usePages(
    TIMELINE,
    { id, search: asked },
    (data) => (data.customer.id === id ? data.customer.timeline : null),
    {
      keyOf: (one) => `${one.kind}${one.id}`,
    },
  );
  const nodes = pages.rows ?? [];
  // A recording that belongs to a call of this page is heard there.
  const shown = nodes.filter(
    (one) =>
      one.kind !== 'recording' ||
      !nodes.some((other) => other.kind === 'call' && other.recordingId === one.recordingId),
  );
  return (
    <div className="cw-timeline">
      <div className="cw-timeline-note">
        <Input.TextArea
          autoSize={{ minRows: 1, maxRows: 4 }}
          value={note}
          placeholder={t('addNote')}
          aria-label={t('addNote')}
          onChange={(event) => setNote(event.target.value)}
        />
        <Button
          loading={adding}
          disabled={!note.trim()}
          onClick={async () => {
            const answered = await add({ customer: id, text: note.trim() });
            if (!answered.value) return;
            setNote('');
            pages.reload();
          }}
        >
          {c('save')}
        </Button>
      </div>
      <Input.Search
        allowClear
        value={search}
        placeholder={c('search')}
        aria-label={c('search')}
        onChange={(event) => setSearch(event.target.value)}
        onSearch={setAsked}
      />
      <Failure error={pages.error} retry={pages.reload} />
      {!pages.rows && !pages.error && <Skeleton active title={false} paragraph={{ rows: 5 }} />}
      {pages.rows && shown.length === 0 && <p className="cw-quiet">{t('noContacts')}</p>}
      <ul>
        {shown.map((one) => (
          <ContactRow key={`${one.kind}${one.id}`} one={one} />
        ))}
      </ul>
      <LoadMore pages={pages} />
    </div>
  );
}

function ContactRow({ one }: { one: Contact }) {
  const t = useWords(consoleWords);
  const text = useText();
  const language = useLanguage();
  const whoName = useWhoName();
  const [hears, setHears] = useState<{ seconds: number } | null>(null);
  const [codes] = useQuery({ query: DISPOSITIONS, variables: { queue: null }, pause: one.kind !== 'result' });
  const call = one.kind === 'call';
  const out = one.direction === 'outbound';
  const Icon = call ? (out ? ArrowUpRight : ArrowDownLeft) : (ICONS[one.kind] ?? StickyNote);
  const kind = call
    ? t(out ? 'contact_call_out' : 'contact_call_in')
    : isOne(KINDS, one.kind)
      ? t(`contact_${one.kind}`)
      : one.kind;
  const result = codes.data?.dispositions.find((known) => known.code === one.code);
  const words = [
    one.kind === 'result' && (text(result?.label) || one.code),
    one.text || (one.kind === 'task' && isOne(TASKS, one.code) ? t(one.code) : ''),
    groupedPhone(one.number ?? ''),
  ].filter(Boolean);
  const sound = one.recordingId
    ? `/files/recordings/${one.recordingId}`
    : one.voicemailId && `/files/voicemails/${one.voicemailId}`;
  return (
    <li>
      <Icon size={14} aria-hidden />
      <Time at={one.at} />
      <span>
        <span className="cw-quiet">{kind}</span>{' '}
        {call && one.callId ? (
          <Link to={`/calls/${one.callId}`} className="cw-underlined">
            {words.join(' · ')}
          </Link>
        ) : (
          words.join(' · ')
        )}
        {one.seconds ? <span className="cw-quiet"> {duration(one.seconds, language)}</span> : null}
        {one.author && <span className="cw-quiet"> · {whoName(one.author)}</span>}
      </span>
      {sound && !hears && (
        <IconButton
          size="small"
          label={t('hearContact')}
          icon={<Play size={14} />}
          onClick={() => setHears({ seconds: 0 })}
        />
      )}
      {sound && hears && (
        <RecordingPlayer
          url={sound}
          seconds={one.seconds ?? 0}
          label={`${kind} ${words.join(' · ')}`}
          download={false}
          startAt={hears}
        />
      )}
    </li>
  );
}

type OwnField = CustomerFormPartsQuery['customerFields'][number];
interface Given extends Record<string, unknown> {
  name: string;
  gender?: string;
  level?: string;
  card?: string;
  phones?: string[];
  channels?: string[];
  fields?: Record<string, unknown>;
}

function CustomerForm({
  customer,
  number,
  saved,
}: {
  customer?: Customer;
  /** Of whom it is, when it need not be typed. */
  number?: string;
  saved: (id: string) => void;
}) {
  const t = useWords(consoleWords);
  const c = useWords(common);
  const text = useText();
  const { message } = App.useApp();
  const [parts] = useQuery({ query: CUSTOMER_FORM });
  const [save, busy] = useChange(SAVE_CUSTOMER);
  const [form] = Form.useForm<Given>();
  const [refused, setRefused] = useState<UserError[]>([]);
  const own = (customer?.fields ?? {}) as Record<string, unknown>;
  // Numbers that are shown masked would be saved masked.
  const typed = customer ? !customer.phones.some((one) => one.includes('*')) : !number;
  if (!parts.data) return <Skeleton active title={false} paragraph={{ rows: 6 }} />;
  const { customerFields, customerLevels, customerChannels } = parts.data;
  return (
    <Form<Given>
      form={form}
      layout="vertical"
      requiredMark={false}
      className="cw-customer-form"
      initialValues={{
        name: customer?.name ?? '',
        card: customer?.card ?? '',
        gender: customer?.gender || undefined,
        level: customer?.level || undefined,
        address: customer?.address ?? '',
        background: customer?.background ?? '',
        note: customer?.note ?? '',
        channels: [...(customer?.channels ?? [])],
        giftConsent: customer?.giftConsent ?? false,
        phones: customer ? [...customer.phones] : undefined,
        fields: own,
      }}
      onFinish={async ({ fields: more, phones, ...plain }) => {
        const input = {
          ...plain,
          gender: plain.gender ?? '',
          level: plain.level ?? '',
          card: plain.card || null,
          fields: { ...own, ...more },
          ...(typed ? { phones: phones ?? [] } : customer ? {} : { phones: [number as string] }),
        };
        const answer = await save({ id: customer?.id ?? null, input }, { quiet: true });
        const { byField, others } = sortErrors(
          answer.errors,
          Object.keys(form.getFieldsValue(true) as object),
        );
        form.setFields(
          [...byField].map(([name, found]) => ({ name: name as never, errors: found.map(wordsOf) })),
        );
        setRefused(others);
        if (!answer.value) return;
        void message.success(c('saved'));
        saved(answer.value.id);
      }}
    >
      <Form.Item
        name="name"
        label={t('personName')}
        rules={[{ required: true, whitespace: true, message: c('required') }]}
      >
        <Input maxLength={120} />
      </Form.Item>
      <Form.Item name="level" label={t('level')}>
        <Select
          allowClear
          options={customerLevels.map((one) => ({ value: one.key, label: text(one.label) }))}
        />
      </Form.Item>
      {typed && (
        <Form.Item name="phones" label={t('numbers')} extra={t('numbersHelp')} className="wide">
          <Select mode="tags" tokenSeparators={[',', ' ', ';']} open={false} suffixIcon={null} />
        </Form.Item>
      )}
      <Form.Item name="gender" label={t('gender')}>
        <Select
          allowClear
          options={[
            { value: 'female', label: t('female') },
            { value: 'male', label: t('male') },
          ]}
        />
      </Form.Item>
      <Form.Item name="card" label={t('card')}>
        <Input maxLength={40} />
      </Form.Item>
      <Form.Item name="address" label={t('address')} className="wide">
        <Input maxLength={300} />
      </Form.Item>
      {customerFields
        .filter((field) => field.enabled)
        .map((field) => (
          <OwnFieldItem key={field.key} field={field} />
        ))}
      <Form.Item name="channels" label={t('heardBy')} className="wide">
        <Select
          mode="multiple"
          options={customerChannels.map((one) => ({ value: one.value, label: text(one.label) }))}
        />
      </Form.Item>
      <Form.Item name="background" label={t('background')} className="wide">
        <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} maxLength={4000} />
      </Form.Item>
      <Form.Item name="note" label={t('customerNote')} className="wide">
        <Input.TextArea autoSize={{ minRows: 1, maxRows: 6 }} maxLength={2000} />
      </Form.Item>
      <Form.Item name="giftConsent" label={t('giftConsent')} valuePropName="checked" layout="horizontal">
        <Switch />
      </Form.Item>
      {refused.length > 0 && (
        <Alert
          type="error"
          showIcon
          role="alert"
          className="wide cw-form-error"
          title={refused.map(wordsOf).join('\n')}
        />
      )}
      <div className="wide cw-customer-save">
        <Button htmlType="submit" type="primary" block loading={busy}>
          {customer ? c('save') : t('newCustomer')}
        </Button>
      </div>
    </Form>
  );
}

/** A field that the business added, by its kind. */
function OwnFieldItem({ field }: { field: OwnField }) {
  const c = useWords(common);
  const text = useText();
  const choices = field.choices.map((one) => ({ value: one.value, label: text(one.label) || one.value }));
  const inputs: Record<string, React.ReactNode> = {
    choice: <Select allowClear options={choices} />,
    choices: <Select allowClear mode="multiple" options={choices} />,
    yes_no: (
      <Select
        allowClear
        options={[
          { value: true, label: c('yes') },
          { value: false, label: c('no') },
        ]}
      />
    ),
    number: <InputNumber className="cw-wide" />,
    date: <DatePicker className="cw-wide" />,
    long: <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} maxLength={4000} />,
    phone: <Input inputMode="tel" />,
    mail: <Input inputMode="email" />,
    url: <Input inputMode="url" placeholder="https://" />,
  };
  return (
    <Form.Item
      name={['fields', field.key]}
      label={text(field.label)}
      className={field.kind === 'long' ? 'wide' : undefined}
      rules={field.required ? [{ required: true, message: c('required') }] : []}
      {...(field.kind === 'date' && {
        getValueProps: (value: string | null) => ({ value: value ? dayjs(value) : null }),
        normalize: (value: Dayjs | null) => value?.format('YYYY-MM-DD') ?? null,
      })}
    >
      {inputs[field.kind] ?? <Input maxLength={200} />}
    </Form.Item>
  );
}

function FindCustomer() {
  const t = useWords(consoleWords);
  const client = useClient();
  const [options, setOptions] = useState<{ value: string; label: string }[]>([]);
  const [typed, setTyped] = useState('');
  return (
    <AutoComplete
      className="cw-find"
      value={typed}
      options={options}
      placeholder={t('findCustomer')}
      aria-label={t('findCustomer')}
      onChange={setTyped}
      onSelect={(id: string) => {
        setTyped('');
        desk.getState().set({ customerId: id });
      }}
      showSearch={{
        onSearch: async (words) => {
          if (!words.trim()) return setOptions([]);
          const answer = await client.query(FIND_CUSTOMERS, { search: words.trim() }).toPromise();
          setOptions(
            (answer.data?.customers.nodes ?? []).map((one) => ({
              value: one.id,
              label: `${one.name || t('unknown')} ${one.phones.map(groupedPhone).join(', ')}`,
            })),
          );
        },
      }}
    />
  );
}
