import { App, Button, Form, Input, Select, Switch, Table } from 'antd';
import { Pencil, Phone as PhoneIcon, Plus, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useMay } from '@/app/session';
import type { NumberPlanFlowsQuery } from '@/gql/graphql';
import { useChange } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, EmptyState, IconButton, Phone, StateTag, useAliasName } from '@/ui';
import { FormDrawer } from '@/ui/forms';
import { FilterBar, SearchBox } from '@/ui/lists';
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
  const c = useWords(common);
  const may = useMay('numbers.manage');
  const { message } = App.useApp();
  const [editing, setEditing] = useState<Did | 'new' | null>(null);
  const [params] = useSearchParams();
  const [search, setSearch] = useState(params.get('search') ?? '');
  const [save] = useChange(SAVE_NUMBER);
  const [remove] = useChange(DELETE_NUMBER);
  const byId = useMemo(() => new Map(flows.map((flow) => [flow.id, flow])), [flows]);
  const initial = useMemo<Values>(() => {
    if (!editing || editing === 'new') return BLANK;
    return {
      number: editing.number,
      name: editing.name,
      flow: byId.get(editing.flowId ?? '')?.key ?? '',
      choice: versionChoice(editing),
      language: editing.language,
      enabled: editing.enabled,
    };
  }, [editing, byId]);
  const wanted = search.trim().toLowerCase();
  const rows = (dids ?? []).filter((did) =>
    `${did.number} ${did.name} ${byId.get(did.flowId ?? '')?.name ?? ''}`.toLowerCase().includes(wanted),
  );
  const add = may && (
    <Button type="primary" icon={<Plus size={14} />} onClick={() => setEditing('new')}>
      {w('newNumber')}
    </Button>
  );
  return (
    <>
      {dids?.length === 0 ? (
        <EmptyState
          icon={<PhoneIcon size={32} aria-hidden />}
          title={w('noNumbers')}
          help={w('noNumbersHelp')}
          action={add}
        />
      ) : (
        <>
          <FilterBar>
            <SearchBox value={search} onChange={setSearch} />
            <span className="cw-grow" />
            {add}
          </FilterBar>
          <Table
            className="cw-list"
            rowKey="id"
            size="middle"
            loading={loading}
            dataSource={rows}
            pagination={rows.length > 100 ? { pageSize: 100, showSizeChanger: false } : false}
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
                  const flow = byId.get(did.flowId ?? '');
                  if (!did.flowId) return <StateTag tone="wait">{w('noFlow')}</StateTag>;
                  return flow ? <Link to={`/flows/${flow.key}`}>{flow.name}</Link> : did.flowId;
                },
              },
              {
                title: w('version'),
                width: 180,
                render: (_, did) =>
                  did.flowId ? (
                    did.version ? (
                      w('pinned', { n: did.version })
                    ) : (
                      w('follow', { alias: aliasName(did.alias) })
                    )
                  ) : (
                    <span className="cw-quiet">–</span>
                  ),
              },
              {
                title: w('language'),
                width: 130,
                render: (_, did) => did.language || <span className="cw-quiet">{w('ofBusiness')}</span>,
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
              {
                title: <span className="cw-hidden">{c('actions')}</span>,
                width: 90,
                render: (_, did) =>
                  may && (
                    <span className="cw-row-actions">
                      <IconButton
                        label={`${c('edit')} ${did.number}`}
                        icon={<Pencil size={14} />}
                        onClick={() => setEditing(did)}
                      />
                      <ConfirmDelete
                        name={did.number}
                        help={w('deleteNumberHelp')}
                        onConfirm={async () => {
                          if ((await remove({ id: did.id })).value) reload();
                        }}
                      >
                        <Button
                          type="text"
                          danger
                          aria-label={`${c('delete')} ${did.number}`}
                          icon={<Trash2 size={14} />}
                        />
                      </ConfirmDelete>
                    </span>
                  ),
              },
            ]}
          />
        </>
      )}
      <FormDrawer<Values>
        open={editing !== null}
        title={editing === 'new' ? w('newNumber') : w('editNumber')}
        initial={initial}
        onClose={() => setEditing(null)}
        onSave={async (values) => {
          const { errors } = await save(
            {
              id: editing && editing !== 'new' ? editing.id : null,
              number: values.number,
              name: values.name,
              flow: values.flow || null,
              ...readChoice(values.choice),
              language: values.language,
              enabled: values.enabled,
            },
            { quiet: true },
          );
          if (errors.length === 0) {
            message.success(c('saved'));
            setEditing(null);
            reload();
          }
          return errors;
        }}
      >
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
              { value: 'zh', label: '中文' },
              { value: 'en', label: 'English' },
            ]}
          />
        </Form.Item>
        <Form.Item name="enabled" label={w('enabled')} valuePropName="checked">
          <Switch />
        </Form.Item>
      </FormDrawer>
    </>
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
