import { Form, Input, Select, Switch } from 'antd';
import { Phone as PhoneIcon } from 'lucide-react';
import { useMemo } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useMay } from '@/app/session';
import type { NumberPlanFlowsQuery } from '@/gql/graphql';
import { useChange } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { groupedPhone, Phone, StateTag, useAliasName } from '@/ui';
import { Crud } from '@/ui/crud';
import { useLanguageNames } from '@/ui/languages';
import { DELETE_NUMBER, type Did, readChoice, SAVE_NUMBER, versionChoice } from './data';
import { numberWords } from './words';

type Flow = NumberPlanFlowsQuery['flows'][number];
interface Values {
  number: string;
  name: string;
  flow: string;
  choice: string;
  language: string;
  enabled: boolean;
}
const BLANK: Values = { number: '', name: '', flow: '', choice: 'live', language: '', enabled: true };

export function Dids({
  dids,
  flows,
  loading,
  reload,
}: {
  dids: Did[] | undefined;
  flows: Flow[];
  loading: boolean;
  reload: () => void;
}) {
  const w = useWords(numberWords);
  const aliasName = useAliasName();
  const languageName = useLanguageNames();
  const c = useWords(common);
  const [params] = useSearchParams();
  const [save] = useChange(SAVE_NUMBER);
  const [remove] = useChange(DELETE_NUMBER);
  const byId = useMemo(() => new Map(flows.map((flow) => [flow.id, flow])), [flows]);
  const flowOf = (did: Did) => byId.get(did.flowId ?? '');
  return (
    <Crud<Did, Values>
      rows={dids}
      tall
      loading={loading}
      reload={reload}
      may={useMay('numbers.manage')}
      rowKey={(did) => did.id}
      nameOf={(did) => groupedPhone(did.number)}
      icon={<PhoneIcon size={32} aria-hidden />}
      words={{
        add: w('newNumber'),
        edit: w('editNumber'),
        none: w('noNumbers'),
        noneHelp: w('noNumbersHelp'),
        deleteHelp: w('deleteNumberHelp'),
      }}
      search={params.get('search') ?? ''}
      searched={(did) => `${did.number} ${did.name} ${flowOf(did)?.name ?? ''}`}
      blank={BLANK}
      formOf={(did) => ({
        number: did.number,
        name: did.name,
        flow: flowOf(did)?.key ?? '',
        choice: versionChoice(did),
        language: did.language,
        enabled: did.enabled,
      })}
      save={async ({ flow, choice, ...rest }, did) => {
        const sent = { id: did?.id ?? null, ...rest, flow: flow || null, ...readChoice(choice) };
        return (await save(sent, { quiet: true })).errors;
      }}
      remove={async (did) => (await remove({ id: did.id })).value !== null}
      columns={[
        {
          title: w('number'),
          width: 220,
          render: (_, did) => (
            <span className="cw-two-line">
              <strong>
                <Phone number={did.number} />
              </strong>
              {did.name && <small>{did.name}</small>}
            </span>
          ),
        },
        {
          title: w('flow'),
          render: (_, did) => {
            const flow = flowOf(did);
            if (!did.flowId) return <StateTag tone="wait">{w('noFlow')}</StateTag>;
            return flow ? <Link to={`/flows/${flow.key}`}>{flow.name}</Link> : did.flowId;
          },
        },
        {
          title: w('version'),
          width: 180,
          render: (_, did) => {
            if (!did.flowId) return <span className="cw-quiet">–</span>;
            return did.version
              ? w('pinned', { n: did.version })
              : w('follow', { alias: aliasName(did.alias) });
          },
        },
        {
          title: w('language'),
          width: 130,
          render: (_, did) =>
            did.language ? languageName(did.language) : <span className="cw-quiet">{w('ofBusiness')}</span>,
        },
        {
          title: c('state'),
          width: 120,
          render: (_, did) => (
            <StateTag tone={did.enabled ? 'good' : 'off'}>
              {did.enabled ? w('enabled') : w('disabled')}
            </StateTag>
          ),
        },
      ]}
      fields={() => (
        <>
          <Form.Item
            name="number"
            label={w('number')}
            extra={w('numberHelp')}
            rules={[{ required: true, message: c('required') }]}
          >
            <Input autoFocus maxLength={40} inputMode="tel" />
          </Form.Item>
          <Form.Item name="name" label={w('label')} extra={w('labelHelp')}>
            <Input maxLength={200} />
          </Form.Item>
          <Form.Item name="flow" label={w('flow')} extra={w('flowHelp')}>
            <Select
              showSearch={{ optionFilterProp: 'label' }}
              options={[
                { value: '', label: w('noFlow') },
                ...flows.map((flow) => ({ value: flow.key, label: flow.name })),
              ]}
            />
          </Form.Item>
          <Form.Item noStyle shouldUpdate={(before, after) => before.flow !== after.flow}>
            {({ getFieldValue }) => {
              const flow = flows.find((one) => one.key === getFieldValue('flow'));
              if (!flow) return null;
              return <ChoiceField flow={flow} />;
            }}
          </Form.Item>
          <Form.Item name="language" label={w('language')} extra={w('languageHelp')}>
            <Select
              options={[
                { value: '', label: w('ofBusiness') },
                { value: 'zh', label: languageName('zh') },
                { value: 'en', label: languageName('en') },
              ]}
            />
          </Form.Item>
          <Form.Item name="enabled" label={w('enabled')} valuePropName="checked">
            <Switch />
          </Form.Item>
        </>
      )}
    />
  );
}

function ChoiceField({ flow }: { flow: Flow }) {
  const w = useWords(numberWords);
  const aliasName = useAliasName();
  const form = Form.useFormInstance<Values>();
  const newest = Math.max(0, ...flow.aliases.map((alias) => alias.version));
  const kept = form.getFieldValue('choice') as string;
  const aliases = new Map<string, string>([
    ['live', w('followLive')],
    ['test', w('followTest')],
  ]);
  for (const alias of flow.aliases)
    if (!aliases.has(alias.name)) aliases.set(alias.name, w('follow', { alias: aliasName(alias.name) }));
  const versions = Array.from({ length: newest }, (_, index) => newest - index).slice(0, 50);
  const pinned = versions.map((n) => ({ value: `v${n}`, label: w('pinned', { n }) }));
  if (/^v\d+$/.test(kept) && !pinned.some((one) => one.value === kept))
    pinned.unshift({ value: kept, label: w('pinned', { n: kept.slice(1) }) });
  return (
    <Form.Item name="choice" label={w('which')}>
      <Select options={[...[...aliases].map(([value, label]) => ({ value, label })), ...pinned]} />
    </Form.Item>
  );
}
