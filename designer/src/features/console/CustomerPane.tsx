/** Who it is: the record that pops up while it rings, or the form for somebody new; contacts, notes, the way they came. */
import { App, AutoComplete, Button, Form, Input, Select, Tabs } from 'antd';
import {
  ArrowDownLeft,
  ArrowUpRight,
  CheckSquare,
  FileAudio,
  MessageSquare,
  StickyNote,
  Voicemail,
} from 'lucide-react';
import { useEffect, useState } from 'react';
import { useClient, useQuery, useSubscription } from 'urql';
import { graphql } from '@/gql';
import type { CustomerPartsFragment } from '@/gql/graphql';
import { useChange } from '@/graphql/useChange';
import { useLanguage, useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { duration, EmptyState, groupedPhone, Time } from '@/ui';
import { desk, type Focus, useDesk } from './desk';
import {
  ADD_NOTE,
  CALL_PATH,
  CUSTOMER,
  CUSTOMER_BY_NUMBER,
  FIND_CUSTOMERS,
  SAVE_CUSTOMER,
  TIMELINE,
} from './operations';
import { useCallActions } from './useCallActions';
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
  const region = focus && byNumber.data?.numberRegion ? text(byNumber.data.numberRegion.words) : '';

  return (
    <section className="cw-pane cw-customer" aria-label={t('customer')}>
      {focus && <Way callId={focus.callId} />}
      {!id && !focus && (
        <EmptyState title={t('noCustomer')} help={t('noCustomerHelp')} action={<FindCustomer />} />
      )}
      {focus && !id && !byNumber.fetching && (
        <>
          <header className="cw-customer-head">
            <h2>{t('unknown')}</h2>
            <span className="cw-num">{groupedPhone(focus.number) || t('masked')}</span>
            {region && <span className="cw-quiet">{region}</span>}
          </header>
          <p className="cw-quiet">{t('newCustomerHelp')}</p>
          <CustomerForm
            key={focus.callId}
            number={focus.number}
            saved={(made) => {
              desk.getState().set({ customerId: made });
              askAgain({ requestPolicy: 'network-only' });
            }}
          />
        </>
      )}
      {id && <CustomerCard key={id} id={id} />}
      {!focus && id && (
        <footer className="cw-customer-find">
          <FindCustomer />
        </footer>
      )}
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
  if (!customer) return null;
  const level = answer.data?.customerLevels.find((one) => one.key === customer.level);
  return (
    <>
      <header className="cw-customer-head">
        <h2>{customer.name || t('unknown')}</h2>
        {level && <span className={level.vip ? 'cw-ring-vip' : 'cw-level'}>{text(level.label)}</span>}
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
              <CustomerForm
                customer={customer}
                fields={answer.data?.customerFields ?? []}
                levels={answer.data?.customerLevels ?? []}
                saved={() => reload({ requestPolicy: 'network-only' })}
              />
            ),
          },
        ]}
      />
    </>
  );
}

const FORM = graphql(`
  query CustomerFormParts {
    customerFields { key label { zh en } kind required enabled choices { value label { zh en } } }
    customerLevels { key label { zh en } vip }
  }
`);

/** The form of somebody new, with the number typed by hand. */
export function NewCustomer({ saved }: { saved: (id: string) => void }) {
  const [answer] = useQuery({ query: FORM });
  return (
    <CustomerForm
      typed
      fields={answer.data?.customerFields ?? []}
      levels={answer.data?.customerLevels ?? []}
      saved={saved}
    />
  );
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
          {one.region && <span className="cw-quiet"> {text(one.region.words)}</span>}
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

/** The way a caller came through the menus, drawn small: what they chose, step by step. */
function Way({ callId }: { callId: string }) {
  const t = useWords(consoleWords);
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
          {step.nodeName || step.nodeId}
          {step.port && <strong> ▸ {step.port}</strong>}
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

function Timeline({ id }: { id: string }) {
  const t = useWords(consoleWords);
  const c = useWords(common);
  const language = useLanguage();
  const [search, setSearch] = useState('');
  const [asked, setAsked] = useState('');
  const [pages, setPages] = useState<string[]>([]);
  const [add, adding] = useChange(ADD_NOTE);
  const [note, setNote] = useState('');
  const [answer, ask] = useQuery({
    query: TIMELINE,
    variables: { id, after: pages.at(-1) ?? null, search: asked },
    requestPolicy: 'cache-and-network',
  });
  const page = answer.data?.customer.id === id ? answer.data.customer.timeline : null;
  return (
    <div className="cw-timeline">
      <div className="cw-timeline-tools">
        <Input.Search
          size="small"
          allowClear
          value={search}
          placeholder={c('search')}
          aria-label={c('search')}
          onChange={(event) => setSearch(event.target.value)}
          onSearch={(words) => {
            setPages([]);
            setAsked(words);
          }}
        />
      </div>
      <div className="cw-timeline-note">
        <Input.TextArea
          autoSize={{ minRows: 1, maxRows: 4 }}
          value={note}
          placeholder={t('addNote')}
          aria-label={t('addNote')}
          onChange={(event) => setNote(event.target.value)}
        />
        <Button
          size="small"
          loading={adding}
          disabled={!note.trim()}
          onClick={async () => {
            const answered = await add({ customer: id, text: note.trim() });
            if (!answered.value) return;
            setNote('');
            ask({ requestPolicy: 'network-only' });
          }}
        >
          {c('save')}
        </Button>
      </div>
      {page && page.nodes.length === 0 && <p className="cw-quiet">{t('noContacts')}</p>}
      <ul>
        {(page?.nodes ?? []).map((one) => {
          const Icon =
            one.kind === 'call'
              ? one.direction === 'outbound'
                ? ArrowUpRight
                : ArrowDownLeft
              : (ICONS[one.kind] ?? StickyNote);
          return (
            <li key={`${one.kind}${one.id}`}>
              <Icon size={14} aria-hidden />
              <Time at={one.at} />
              <span>
                {one.text || one.code || groupedPhone(one.number ?? '') || one.state}
                {one.seconds ? <span className="cw-quiet"> {duration(one.seconds, language)}</span> : null}
                {one.author && <span className="cw-quiet"> · {one.author}</span>}
              </span>
              {one.recordingId && (
                // biome-ignore lint/a11y/useMediaCaption: what was said on the phone has no caption
                <audio controls preload="none" src={`/files/recordings/${one.recordingId}`} />
              )}
              {one.voicemailId && !one.recordingId && (
                // biome-ignore lint/a11y/useMediaCaption: what a caller said has no caption
                <audio controls preload="none" src={`/files/voicemails/${one.voicemailId}`} />
              )}
            </li>
          );
        })}
      </ul>
      <div className="cw-timeline-pages">
        {pages.length > 0 && (
          <Button size="small" onClick={() => setPages(pages.slice(0, -1))}>
            {c('back')}
          </Button>
        )}
        {page?.hasNext && page.endCursor && (
          <Button size="small" onClick={() => setPages([...pages, page.endCursor as string])}>
            {c('more')}
          </Button>
        )}
      </div>
    </div>
  );
}

interface OwnField {
  key: string;
  label: { zh: string; en: string };
  kind: string;
  required: boolean;
  enabled: boolean;
  choices: { value: string; label: { zh: string; en: string } }[];
}

function CustomerForm({
  customer,
  number,
  typed,
  fields = [],
  levels = [],
  saved,
}: {
  customer?: Customer;
  number?: string;
  /** Whether numbers are typed here. */
  typed?: boolean;
  fields?: readonly OwnField[];
  levels?: readonly { key: string; label: { zh: string; en: string } }[];
  saved: (id: string) => void;
}) {
  const t = useWords(consoleWords);
  const c = useWords(common);
  const text = useText();
  const { message } = App.useApp();
  const [save, busy] = useChange(SAVE_CUSTOMER);
  const own = (customer?.fields ?? {}) as Record<string, unknown>;
  return (
    <Form
      layout="vertical"
      size="small"
      requiredMark={false}
      className="cw-customer-form"
      initialValues={{
        name: customer?.name ?? '',
        card: customer?.card ?? '',
        gender: customer?.gender || undefined,
        level: customer?.level || undefined,
        address: customer?.address ?? '',
        fields: own,
      }}
      onFinish={async (
        given: Record<string, unknown> & { fields?: Record<string, unknown>; phones?: string[] },
      ) => {
        const { fields: more, phones, ...plain } = given;
        const answer = await save({
          id: customer?.id ?? null,
          input: {
            ...plain,
            gender: (plain.gender as string | undefined) ?? '',
            level: (plain.level as string | undefined) ?? '',
            card: (plain.card as string) || null,
            fields: { ...own, ...more },
            ...(customer ? {} : { phones: number ? [number] : (phones ?? []) }),
          },
        });
        if (!answer.value) return;
        void message.success(c('saved'));
        saved(answer.value.id);
      }}
    >
      <Form.Item
        name="name"
        label={c('name')}
        rules={[{ required: true, whitespace: true, message: c('required') }]}
      >
        <Input maxLength={120} />
      </Form.Item>
      {typed && (
        <Form.Item name="phones" label={t('numbers')} className="wide">
          <Select mode="tags" tokenSeparators={[',', ' ', ';']} open={false} suffixIcon={null} />
        </Form.Item>
      )}
      <Form.Item name="level" label={t('level')}>
        <Select allowClear options={levels.map((one) => ({ value: one.key, label: text(one.label) }))} />
      </Form.Item>
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
      {fields
        .filter((field) => field.enabled)
        .map((field) => (
          <Form.Item
            key={field.key}
            name={['fields', field.key]}
            label={text(field.label)}
            rules={field.required ? [{ required: true, message: c('required') }] : []}
          >
            {field.kind === 'choice' || field.kind === 'choices' ? (
              <Select
                allowClear
                mode={field.kind === 'choices' ? 'multiple' : undefined}
                options={field.choices.map((one) => ({
                  value: one.value,
                  label: text(one.label) || one.value,
                }))}
              />
            ) : field.kind === 'yes_no' ? (
              <Select
                allowClear
                options={[
                  { value: true, label: c('yes') },
                  { value: false, label: c('no') },
                ]}
              />
            ) : field.kind === 'number' ? (
              <Input type="number" />
            ) : (
              <Input />
            )}
          </Form.Item>
        ))}
      <Button htmlType="submit" type={customer ? 'default' : 'primary'} loading={busy} className="wide">
        {customer ? c('save') : t('newCustomer')}
      </Button>
    </Form>
  );
}

function FindCustomer() {
  const t = useWords(consoleWords);
  const client = useClient();
  const [options, setOptions] = useState<{ value: string; label: string }[]>([]);
  const [typed, setTyped] = useState('');
  return (
    <AutoComplete
      style={{ width: 260 }}
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
