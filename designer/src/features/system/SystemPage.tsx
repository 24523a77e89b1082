/** Health of every part, the business, and the settings. */
import { Alert, App, Button, Checkbox, Form, Input, Select, Spin } from 'antd';
import { ExternalLink, RefreshCw } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { useSession } from '@/app/session';
import { graphql } from '@/gql';
import { useChange } from '@/graphql/useChange';
import { listed, remarked, useLanguage, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { PageHeader, StateTag, type Tone } from '@/ui';
import { useLanguageNames } from '@/ui/languages';
import { Card, Failure, FilterBar, SearchBox } from '@/ui/lists';
import { ListTable } from '@/ui/table';
import { healthZh } from './health';
import './system.css';
import { SETTINGS_ZH } from './settings';
import { systemWords } from './words';

const SYSTEM = graphql(`
  query SystemPage {
    health { ok components { name state message milliseconds details } }
    settings { name value description isDefault }
  }
`);
const SAVE = graphql(`
  mutation SaveBusiness($name: String, $timezone: String, $language: String) {
    updateBusiness(name: $name, timezone: $timezone, language: $language) {
      value { id name timezone language }
      errors { ...Refusal }
    }
  }
`);
const TONES: Record<string, Tone> = { ok: 'good', degraded: 'wait', down: 'bad', off: 'off' };
const STATES = ['ok', 'degraded', 'down', 'off'] as const;
const DETAILS = ['version', 'kind', 'queues', 'calls', 'languages'] as const;
const PARTS = ['api', 'database', 'temporal', 'worker', 'gateway', 'asterisk', 'tts', 'asr'] as const;

export default function SystemPage() {
  const w = useWords(systemWords);
  const c = useWords(common);
  const [answer, ask] = useQuery({ query: SYSTEM, requestPolicy: 'cache-and-network' });
  const [search, setSearch] = useState('');
  const [changedOnly, setChangedOnly] = useState(false);
  const reload = () => ask({ requestPolicy: 'network-only' });
  // biome-ignore lint/correctness/useExhaustiveDependencies: looks again by itself while the page is open
  useEffect(() => {
    const timer = setInterval(reload, 15_000);
    return () => clearInterval(timer);
  }, []);
  const language = useLanguage();
  const languageName = useLanguageNames();
  const meaningOf = (one: { name: string; description: string }) =>
    (language === 'zh' && SETTINGS_ZH[one.name]) || one.description;
  const health = answer.data?.health;
  const settings = answer.data?.settings ?? [];
  const settingOf = (name: string) => settings.find((one) => one.name === name)?.value ?? '';
  const wanted = search.trim().toLowerCase();
  const rows = settings.filter(
    (one) =>
      (!changedOnly || !one.isDefault) &&
      `${one.name} ${one.description} ${meaningOf(one)} ${one.value}`.toLowerCase().includes(wanted),
  );
  const port = settingOf('CALLWEAVE_TEMPORAL_UI_PORT');
  return (
    <>
      <PageHeader title={w('title')} help={w('help')}>
        {port && !settingOf('CALLWEAVE_TEMPORAL_ADDRESS') && (
          <Button
            icon={<ExternalLink size={14} />}
            href={`http://${location.hostname}:${port}`}
            target="_blank"
            rel="noreferrer"
            title={w('temporalHelp')}
          >
            {w('temporal')}
          </Button>
        )}
        <Button
          icon={<ExternalLink size={14} />}
          href="/graphql"
          target="_blank"
          rel="noreferrer"
          title={w('graphiqlHelp')}
        >
          {w('graphiql')}
        </Button>
        <Button icon={<RefreshCw size={14} />} loading={answer.fetching} onClick={reload}>
          {c('refresh')}
        </Button>
      </PageHeader>
      <Failure error={answer.error} retry={reload} />
      <div className="cw-rows">
        <Card title={w('health')}>
          {!health && answer.error ? (
            <p className="cw-quiet">{w('notKnown')}</p>
          ) : health ? (
            <>
              <Alert
                showIcon
                className="cw-form-error"
                type={health.ok ? 'success' : 'error'}
                title={health.ok ? w('allWell') : w('notWell')}
              />
              <ul className="cw-parts">
                {health.components.map((part) => {
                  const name = PARTS.find((one) => one === part.name);
                  const state = STATES.find((one) => one === part.state);
                  const details = Object.entries((part.details ?? {}) as Record<string, unknown>);
                  return (
                    <li key={part.name} data-state={part.state}>
                      <strong>{name ? w(`c_${name}`) : part.name}</strong>
                      <StateTag tone={TONES[part.state] ?? 'off'}>{state ? w(state) : part.state}</StateTag>
                      {part.message && <p>{language === 'zh' ? healthZh(part.message) : part.message}</p>}
                      <small className="cw-quiet cw-num">
                        {[
                          ...details.map(([key, value]) => {
                            const known = DETAILS.find((one) => one === key);
                            const said =
                              value === 'none'
                                ? c('none')
                                : key === 'languages'
                                  ? listed(String(value).split(', ').map(languageName))
                                  : String(value);
                            return `${known ? w(`d_${known}`) : key} ${said}`;
                          }),
                          part.state !== 'off' && w('checked', { ms: part.milliseconds }),
                        ]
                          .filter(Boolean)
                          .join(' · ')}
                      </small>
                    </li>
                  );
                })}
              </ul>
            </>
          ) : (
            <Spin />
          )}
        </Card>
        <BusinessCard />
        <Card title={w('settings')}>
          <p className="cw-quiet cw-tab-help">{w('settingsHelp')}</p>
          <FilterBar>
            <SearchBox value={search} onChange={setSearch} label={w('search')} width={280} />
            <Checkbox checked={changedOnly} onChange={(event) => setChangedOnly(event.target.checked)}>
              {w('changedOnly')}
            </Checkbox>
          </FilterBar>
          <ListTable
            rowKey="name"
            size="small"
            loading={!answer.data && !answer.error}
            dataSource={rows}
            locale={{ emptyText: answer.data ? c('noMatch') : ' ' }}
            pagination={false}
            columns={[
              {
                title: w('name'),
                width: 300,
                render: (_, one) => <span className="cw-code cw-break">{one.name}</span>,
              },
              {
                title: w('value'),
                width: 280,
                render: (_, one) => (
                  <span className="cw-code cw-break">
                    {one.value || <span className="cw-quiet">–</span>}
                    {one.isDefault && <span className="cw-quiet">{remarked('', w('isDefault'))}</span>}
                  </span>
                ),
              },
              { title: w('meaning'), render: (_, one) => meaningOf(one) },
            ]}
          />
        </Card>
      </div>
    </>
  );
}

function BusinessCard() {
  const languageName = useLanguageNames();
  const w = useWords(systemWords);
  const c = useWords(common);
  const { message } = App.useApp();
  const { person, reload } = useSession();
  const [save, busy] = useChange(SAVE);
  const [form] = Form.useForm();
  const zones = useMemo(() => Intl.supportedValuesOf('timeZone'), []);
  return (
    <Card title={w('business')}>
      <Form
        form={form}
        layout="vertical"
        className="cw-business"
        initialValues={person.business}
        onFinish={async (values: { name: string; timezone: string; language: string }) => {
          const done = await save(values);
          if (done.value) {
            message.success(c('saved'));
            reload();
          }
        }}
      >
        <Form.Item name="name" label={w('name')} rules={[{ required: true, message: c('required') }]}>
          <Input maxLength={200} />
        </Form.Item>
        <Form.Item name="timezone" label={w('timezone')} extra={w('timezoneHelp')}>
          <Select showSearch options={zones.map((value) => ({ value, label: value }))} />
        </Form.Item>
        <Form.Item name="language" label={w('language')} extra={w('languageHelp')}>
          <Select
            options={[
              { value: 'zh', label: languageName('zh') },
              { value: 'en', label: languageName('en') },
            ]}
          />
        </Form.Item>
        <Form.Item label=" " colon={false}>
          <Button type="primary" htmlType="submit" loading={busy}>
            {c('save')}
          </Button>
        </Form.Item>
      </Form>
    </Card>
  );
}
