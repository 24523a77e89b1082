/** Databases with their named queries, and credentials for web services. */
import { Alert, Button, Drawer, Form, Input, InputNumber, Select, Table, Tabs } from 'antd';
import { Database, FlaskConical, KeyRound, Minus, Plus } from 'lucide-react';
import { useState } from 'react';
import { useClient, useQuery } from 'urql';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import type { SourcesPageQuery } from '@/gql/graphql';
import { refusalOf, useChange } from '@/graphql/useChange';
import { labelled, listed, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { IconButton, PageHeader, Time } from '@/ui';
import { Crud } from '@/ui/crud';
import { useFilters } from '@/ui/filters';
import { Failure, Field } from '@/ui/lists';
import { UsedByList, useUses } from '@/ui/uses';
import { type As, type Result, readValue, TYPES, tableOf } from './values';
import { sourceWords } from './words';

const LIST = graphql(`
  query SourcesPage {
    dataSources { id name createdAt }
    namedQueries { id sourceId name sql parameters timeout description updatedAt }
    httpCredentials { id name headers query hosts updatedAt }
  }
`);
const TRY = graphql(`
  query TryQuery($name: String!, $parameters: JSON!) {
    tryQuery(name: $name, parameters: $parameters, limit: 20)
  }
`);
const SAVE_SOURCE = graphql(`
  mutation SaveSource($id: String, $name: String!, $url: String) {
    saveDataSource(id: $id, name: $name, url: $url) {
      value { id }
      errors { ...Refusal }
    }
  }
`);
const DELETE_SOURCE = graphql(`
  mutation DeleteSource($id: String!) {
    deleteDataSource(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const SAVE_QUERY = graphql(`
  mutation SaveQuery(
    $id: String, $name: String!, $source: String!, $sql: String!, $timeout: Float!, $description: String!
  ) {
    saveNamedQuery(
      id: $id, name: $name, source: $source, sql: $sql, timeout: $timeout, description: $description
    ) {
      value { id sourceId name sql parameters timeout description updatedAt }
      errors { ...Refusal }
    }
  }
`);
const DELETE_QUERY = graphql(`
  mutation DeleteQuery($id: String!) {
    deleteNamedQuery(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const SAVE_CREDENTIAL = graphql(`
  mutation SaveCredential(
    $id: String, $name: String!, $hosts: [String!]!, $headers: [SecretPair!], $query: [SecretPair!]
  ) {
    saveHttpCredential(id: $id, name: $name, hosts: $hosts, headers: $headers, query: $query) {
      value { id }
      errors { ...Refusal }
    }
  }
`);
const DELETE_CREDENTIAL = graphql(`
  mutation DeleteCredential($id: String!) {
    deleteHttpCredential(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
type Source = SourcesPageQuery['dataSources'][number];
type NamedQuery = SourcesPageQuery['namedQueries'][number];
type Credential = SourcesPageQuery['httpCredentials'][number];

export default function SourcesPage() {
  const w = useWords(sourceWords);
  const [filters, setFilters] = useFilters('sources', ['tab'] as const);
  const [answer, ask] = useQuery({ query: LIST, requestPolicy: 'cache-and-network' });
  const reload = () => ask({ requestPolicy: 'network-only' });
  const data = answer.data;
  const shared = { loading: answer.fetching && !data, reload };
  return (
    <>
      <PageHeader title={w('title')} help={w('help')} />
      <Failure error={answer.error} retry={reload} />
      <Tabs
        activeKey={filters.tab || 'queries'}
        onChange={(tab) => setFilters({ tab: tab === 'queries' ? '' : tab })}
        destroyOnHidden
        items={[
          {
            key: 'queries',
            label: w('queries'),
            children: <Queries {...shared} queries={data?.namedQueries} sources={data?.dataSources ?? []} />,
          },
          {
            key: 'databases',
            label: w('sources'),
            children: <Sources {...shared} sources={data?.dataSources} />,
          },
          {
            key: 'credentials',
            label: w('credentials'),
            children: <Credentials {...shared} credentials={data?.httpCredentials} />,
          },
        ]}
      />
    </>
  );
}

interface Shared {
  loading: boolean;
  reload: () => void;
}

function Queries({
  queries,
  sources,
  loading,
  reload,
}: Shared & { queries: NamedQuery[] | undefined; sources: Source[] }) {
  const w = useWords(sourceWords);
  const c = useWords(common);
  const uses = useUses('query');
  const deleteHelp = useDeleteHelp(w('deleteQuery'), uses);
  const [trying, setTrying] = useState<NamedQuery | null>(null);
  const [save] = useChange(SAVE_QUERY);
  const [remove] = useChange(DELETE_QUERY);
  return (
    <>
      <Crud<NamedQuery, Pick<NamedQuery, 'name' | 'sql' | 'timeout' | 'description'> & { source: string }>
        rows={queries}
        loading={loading}
        reload={reload}
        may={useMay('sources.manage')}
        rowKey={(one) => one.id}
        nameOf={(one) => one.name}
        icon={<Database size={32} aria-hidden />}
        words={{
          add: w('newQuery'),
          edit: w('editQuery'),
          none: w('noQueries'),
          noneHelp: w('noQueriesHelp'),
        }}
        blocked={sources.length === 0 ? w('newSourceFirst') : undefined}
        deleteHelp={deleteHelp}
        blank={{ name: '', source: sources[0]?.name ?? '', sql: '', timeout: 5, description: '' }}
        formOf={({ name, sourceId, sql, timeout, description }) => ({
          name,
          source: sources.find((one) => one.id === sourceId)?.name ?? '',
          sql,
          timeout,
          description,
        })}
        save={async (form, row) => {
          const { errors, value } = await save({ id: row?.id ?? null, ...form }, { quiet: true });
          // What was written is tried next.
          if (value) setTrying(value);
          return errors;
        }}
        remove={async (one) => (await remove({ id: one.id })).value !== null}
        width={640}
        columns={[
          {
            title: w('name'),
            width: 260,
            render: (_, one) => (
              <span className="cw-two-line">
                <strong className="cw-break">{one.name}</strong>
                {one.description && <small>{one.description}</small>}
              </span>
            ),
          },
          {
            title: w('sql'),
            render: (_, one) => <span className="cw-code cw-prompt-words">{one.sql}</span>,
          },
          {
            title: w('parameters'),
            width: 140,
            render: (_, one) => (
              <span className="cw-code">{one.parameters.map((name) => `:${name}`).join(' ')}</span>
            ),
          },
          {
            title: w('usedBy'),
            width: 180,
            render: (_, one) => <UsedByList uses={uses.get(one.name)} />,
          },
          { title: w('changed'), width: 120, render: (_, one) => <Time at={one.updatedAt} /> },
        ]}
        actions={(one) => (
          <IconButton
            label={`${w('try')} ${one.name}`}
            icon={<FlaskConical size={14} />}
            onClick={() => setTrying(one)}
          />
        )}
        fields={() => (
          <>
            <Form.Item
              name="name"
              label={w('name')}
              extra={w('nameHelp')}
              rules={[{ required: true, message: c('required') }]}
            >
              <Input autoFocus maxLength={100} />
            </Form.Item>
            <Form.Item name="source" label={w('source')}>
              <Select options={sources.map((one) => ({ value: one.name, label: one.name }))} />
            </Form.Item>
            <Form.Item
              name="sql"
              label={w('sql')}
              extra={w('sqlHelp')}
              rules={[{ required: true, message: c('required') }]}
            >
              <Input.TextArea
                className="cw-code"
                autoSize={{ minRows: 6, maxRows: 20 }}
                spellCheck={false}
                placeholder="SELECT balance FROM accounts WHERE card = :card"
              />
            </Form.Item>
            <Form.Item name="description" label={w('description')}>
              <Input maxLength={500} />
            </Form.Item>
            <Form.Item name="timeout" label={w('timeout')}>
              <InputNumber min={0.1} max={60} step={1} />
            </Form.Item>
          </>
        )}
      />
      <TryDrawer key={trying?.id ?? ''} query={trying} onClose={() => setTrying(null)} />
    </>
  );
}

/** What a person is told before something goes that flows may ask. */
function useDeleteHelp(
  unused: string,
  uses: ReadonlyMap<string, readonly { name: string }[]>,
): (row: { name: string }) => string {
  const w = useWords(sourceWords);
  return ({ name }) => {
    const flows = listed((uses.get(name) ?? []).map((one) => one.name));
    return flows ? w('deleteUsed', { flows }) : unused;
  };
}

function TryDrawer({ query, onClose }: { query: NamedQuery | null; onClose: () => void }) {
  const w = useWords(sourceWords);
  const client = useClient();
  const [values, setValues] = useState<Record<string, string>>({});
  const [types, setTypes] = useState<Record<string, As>>({});
  const [result, setResult] = useState<Result | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const run = async () => {
    if (!query) return;
    const parameters = Object.fromEntries(
      query.parameters.map((name) => [name, readValue(values[name] ?? '', types[name] ?? 'text')]),
    );
    const bad = query.parameters.find((name) => parameters[name] === undefined);
    setFailed(bad ? w('badParameter', { name: bad }) : null);
    if (bad) return;
    setBusy(true);
    const told = await client
      .query(TRY, { name: query.name, parameters }, { requestPolicy: 'network-only' })
      .toPromise();
    setBusy(false);
    setResult(told.data ? tableOf(told.data.tryQuery) : null);
    if (told.error) setFailed(refusalOf(told.error));
  };
  return (
    <Drawer open={query !== null} onClose={onClose} size={640} title={labelled(w('try'), query?.name ?? '')}>
      <form
        className="cw-fields"
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <p className="cw-quiet">{w('tryHelp')}</p>
        <pre className="cw-code cw-sql">{query?.sql}</pre>
        {query?.parameters.map((name) => (
          <div key={name} className="cw-form-row cw-try-row">
            <Field label={`:${name}`}>
              <Input
                className="cw-code"
                disabled={types[name] === 'null'}
                value={values[name] ?? ''}
                onChange={(event) => setValues((now) => ({ ...now, [name]: event.target.value }))}
              />
            </Field>
            <Select
              aria-label={`${w('valueType')} :${name}`}
              value={types[name] ?? 'text'}
              onChange={(as) => setTypes((now) => ({ ...now, [name]: as }))}
              options={TYPES.map((value) => ({ value, label: w(`as_${value}`) }))}
              style={{ minWidth: 120 }}
            />
          </div>
        ))}
        <div>
          <Button type="primary" htmlType="submit" loading={busy}>
            {w('run')}
          </Button>
        </div>
      </form>
      <div className="cw-tried" aria-live="polite">
        {failed && <Alert type="error" showIcon title={failed} role="alert" />}
        {result && (
          <>
            <p className="cw-quiet">
              {result.rows.length === 0 ? w('noRows') : w('rows', { count: result.rows.length })}
            </p>
            {result.rows.length > 0 && (
              <Table
                size="small"
                className="cw-list"
                rowKey={(row) => String(result.rows.indexOf(row))}
                dataSource={result.rows}
                pagination={false}
                scroll={{ x: 'max-content' }}
                columns={result.columns.map((name) => ({
                  title: <span className="cw-code">{name}</span>,
                  key: name,
                  render: (_: unknown, row: Record<string, unknown>) => {
                    const value = row[name];
                    if (value === null || value === undefined) return <span className="cw-quiet">null</span>;
                    return typeof value === 'object' ? JSON.stringify(value) : String(value);
                  },
                }))}
              />
            )}
          </>
        )}
      </div>
    </Drawer>
  );
}

function Sources({ sources, loading, reload }: Shared & { sources: Source[] | undefined }) {
  const w = useWords(sourceWords);
  const c = useWords(common);
  const [save] = useChange(SAVE_SOURCE);
  const [remove] = useChange(DELETE_SOURCE);
  return (
    <Crud<Source, { name: string; url: string }>
      rows={sources}
      loading={loading}
      reload={reload}
      may={useMay('sources.manage')}
      rowKey={(one) => one.id}
      nameOf={(one) => one.name}
      icon={<Database size={32} aria-hidden />}
      words={{
        add: w('newSource'),
        edit: w('editSource'),
        none: w('noSources'),
        noneHelp: w('noSourcesHelp'),
        deleteHelp: w('deleteSource'),
      }}
      blank={{ name: '', url: '' }}
      formOf={({ name }) => ({ name, url: '' })}
      save={async ({ name, url }, row) =>
        (await save({ id: row?.id ?? null, name, url: url || null }, { quiet: true })).errors
      }
      remove={async (one) => (await remove({ id: one.id })).value !== null}
      columns={[
        { title: w('name'), render: (_, one) => <strong>{one.name}</strong> },
        { title: w('created'), width: 160, render: (_, one) => <Time at={one.createdAt} /> },
      ]}
      fields={(row) => (
        <>
          <Form.Item name="name" label={w('name')} rules={[{ required: true, message: c('required') }]}>
            <Input autoFocus maxLength={100} />
          </Form.Item>
          <Form.Item
            name="url"
            label={w('url')}
            extra={row === null ? w('urlHelp') : w('urlKept')}
            rules={row === null ? [{ required: true, message: c('required') }] : []}
          >
            <Input.Password autoComplete="off" className="cw-code" />
          </Form.Item>
        </>
      )}
    />
  );
}

interface Pair {
  name: string;
  value: string;
}

function Credentials({ credentials, loading, reload }: Shared & { credentials: Credential[] | undefined }) {
  const w = useWords(sourceWords);
  const c = useWords(common);
  const uses = useUses('credential');
  const deleteHelp = useDeleteHelp(w('deleteQuery'), uses);
  const [save] = useChange(SAVE_CREDENTIAL);
  const [remove] = useChange(DELETE_CREDENTIAL);
  const pairs = (rows: Pair[] | undefined) => {
    const written = (rows ?? []).filter((row) => row?.name && row.value);
    return written.length > 0 ? written : null;
  };
  return (
    <Crud<Credential, { name: string; hosts: string[]; headers: Pair[]; query: Pair[] }>
      rows={credentials}
      loading={loading}
      reload={reload}
      may={useMay('sources.manage')}
      rowKey={(one) => one.id}
      nameOf={(one) => one.name}
      icon={<KeyRound size={32} aria-hidden />}
      words={{
        add: w('newCredential'),
        edit: w('editCredential'),
        none: w('noCredentials'),
        noneHelp: w('noCredentialsHelp'),
      }}
      deleteHelp={deleteHelp}
      blank={{ name: '', hosts: [], headers: [{ name: 'Authorization', value: '' }], query: [] }}
      formOf={({ name, hosts }) => ({ name, hosts, headers: [], query: [] })}
      save={async ({ name, hosts, headers, query }, row) => {
        const sent = { id: row?.id ?? null, name, hosts, headers: pairs(headers), query: pairs(query) };
        return (await save(sent, { quiet: true })).errors;
      }}
      remove={async (one) => (await remove({ id: one.id })).value !== null}
      width={560}
      columns={[
        { title: w('name'), render: (_, one) => <strong>{one.name}</strong> },
        {
          title: w('hosts'),
          render: (_, one) => <span className="cw-code">{one.hosts.join(' ')}</span>,
        },
        {
          title: `${w('headers')} / ${w('query')}`,
          render: (_, one) => (
            <span className="cw-code">
              {[...one.headers, ...one.query].map((name) => `${name}: ••••`).join('  ')}
            </span>
          ),
        },
        {
          title: w('usedBy'),
          width: 180,
          render: (_, one) => <UsedByList uses={uses.get(one.name)} />,
        },
        { title: w('changed'), width: 120, render: (_, one) => <Time at={one.updatedAt} /> },
      ]}
      fields={(known) => (
        <>
          <Form.Item name="name" label={w('name')} rules={[{ required: true, message: c('required') }]}>
            <Input autoFocus maxLength={100} />
          </Form.Item>
          <Form.Item name="hosts" label={w('hosts')} extra={w('hostsHelp')}>
            <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[' ', ',', '，']} />
          </Form.Item>
          {known && (
            <Alert
              type="info"
              showIcon
              className="cw-form-error"
              title={w('valuesKept', { names: listed([...known.headers, ...known.query]) || '–' })}
            />
          )}
          <Pairs name="headers" title={w('headers')} add={w('addHeader')} />
          <Pairs name="query" title={w('query')} add={w('addField')} />
        </>
      )}
    />
  );
}

function Pairs({ name, title, add }: { name: string; title: string; add: string }) {
  const w = useWords(sourceWords);
  const c = useWords(common);
  return (
    <Form.Item label={title}>
      <Form.List name={name}>
        {(rows, { add: more, remove }) => (
          <>
            {rows.map((row) => (
              <div key={row.key} className="cw-form-row">
                <Form.Item name={[row.name, 'name']} className="cw-grow">
                  <Input aria-label={`${title} ${w('headerName')}`} placeholder={w('headerName')} />
                </Form.Item>
                <Form.Item name={[row.name, 'value']} className="cw-grow">
                  <Input.Password
                    aria-label={`${title} ${w('value')}`}
                    placeholder={w('value')}
                    autoComplete="off"
                  />
                </Form.Item>
                <IconButton
                  label={`${c('delete')} ${title} ${row.name + 1}`}
                  icon={<Minus size={14} />}
                  onClick={() => remove(row.name)}
                />
              </div>
            ))}
            <Button size="small" icon={<Plus size={14} />} onClick={() => more({ name: '', value: '' })}>
              {add}
            </Button>
          </>
        )}
      </Form.List>
    </Form.Item>
  );
}
