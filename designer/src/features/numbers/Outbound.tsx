/** What may be dialled out, and where emergency numbers go. */
import { AutoComplete, Form, Input, InputNumber, Select } from 'antd';
import { Siren } from 'lucide-react';
import { useMay } from '@/app/session';
import { useChange } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { StateTag } from '@/ui';
import { Crud } from '@/ui/crud';
import {
  DELETE_EMERGENCY,
  type Extension,
  type Route,
  type Rule,
  SAVE_EMERGENCY,
  SAVE_RULE,
  type Trunk,
} from './data';
import { numberWords } from './words';

const CLASSES = [
  'national',
  'mobile',
  'toll_free',
  'service',
  'premium',
  'international',
  'internal',
  'emergency',
] as const;

export function Rules({
  rules,
  trunks,
  loading,
  reload,
}: {
  rules: Rule[] | undefined;
  trunks: Trunk[];
  loading: boolean;
  reload: () => void;
}) {
  const w = useWords(numberWords);
  const c = useWords(common);
  const [save] = useChange(SAVE_RULE);
  const className = (name: string) => {
    const known = CLASSES.find((one) => one === name);
    return known ? w(`cls_${known}`) : name;
  };
  return (
    <Crud<Rule, { maxPerHour: number; fromHour: number; toHour: number; trunkId: string }>
      rows={rules}
      loading={loading}
      reload={reload}
      may={useMay('numbers.manage')}
      rowKey={(rule) => rule.numberClass}
      nameOf={(rule) => className(rule.numberClass)}
      help={w('rulesHelp')}
      words={{ edit: w('editRule'), none: '' }}
      formOf={({ maxPerHour, fromHour, toHour, trunkId }) => ({
        maxPerHour,
        fromHour,
        toHour,
        trunkId: trunkId ?? '',
      })}
      save={async ({ trunkId, ...rest }, rule) => {
        const sent = { ...rest, numberClass: rule?.numberClass ?? '', trunkId: trunkId || null };
        return (await save(sent, { quiet: true })).errors;
      }}
      columns={[
        { title: w('class'), render: (_, rule) => <strong>{className(rule.numberClass)}</strong> },
        {
          title: w('perHour'),
          width: 180,
          render: (_, rule) =>
            rule.maxPerHour === 0 ? (
              <StateTag tone="bad">{w('refused')}</StateTag>
            ) : (
              <span className="cw-num">{rule.maxPerHour}</span>
            ),
        },
        {
          title: w('hours'),
          width: 180,
          render: (_, rule) =>
            rule.fromHour === 0 && rule.toHour === 24 ? (
              <span className="cw-quiet">{w('allDay')}</span>
            ) : (
              <span className="cw-num">
                {String(rule.fromHour).padStart(2, '0')}:00 – {String(rule.toHour).padStart(2, '0')}:00
              </span>
            ),
        },
        {
          title: w('trunk'),
          render: (_, rule) =>
            trunks.find((trunk) => trunk.id === rule.trunkId)?.name ?? (
              <span className="cw-quiet">{w('anyTrunk')}</span>
            ),
        },
      ]}
      fields={() => (
        <>
          <Form.Item
            name="maxPerHour"
            label={w('perHour')}
            rules={[{ required: true, message: c('required') }]}
          >
            <InputNumber min={0} max={100000} autoFocus />
          </Form.Item>
          <div className="cw-form-row">
            <Form.Item name="fromHour" label={w('fromHour')}>
              <InputNumber min={0} max={23} />
            </Form.Item>
            <Form.Item name="toHour" label={w('toHour')}>
              <InputNumber min={1} max={24} />
            </Form.Item>
          </div>
          <Form.Item name="trunkId" label={w('trunk')}>
            <Select
              options={[
                { value: '', label: w('anyTrunk') },
                ...trunks.map((trunk) => ({ value: trunk.id, label: trunk.name })),
              ]}
            />
          </Form.Item>
        </>
      )}
    />
  );
}

export function Emergency({
  routes,
  extensions,
  trunks,
  loading,
  reload,
}: {
  routes: Route[] | undefined;
  extensions: Extension[];
  trunks: Trunk[];
  loading: boolean;
  reload: () => void;
}) {
  const w = useWords(numberWords);
  const c = useWords(common);
  const [save] = useChange(SAVE_EMERGENCY);
  const [remove] = useChange(DELETE_EMERGENCY);
  return (
    <Crud<Route, { number: string; destination: string }>
      rows={routes}
      loading={loading}
      reload={reload}
      may={useMay('numbers.manage')}
      rowKey={(route) => route.number}
      nameOf={(route) => route.number}
      icon={<Siren size={32} aria-hidden />}
      help={w('emergencyHelp')}
      words={{
        add: w('newEmergency'),
        edit: w('emergency'),
        none: w('noEmergency'),
        noneHelp: w('noEmergencyHelp'),
        deleteHelp: w('deleteEmergencyHelp'),
      }}
      blank={{ number: '', destination: '' }}
      formOf={({ number, destination }) => ({ number, destination })}
      save={async (values) => (await save(values, { quiet: true })).errors}
      remove={async (route) => (await remove({ number: route.number })).value !== null}
      columns={[
        {
          title: w('emergencyNumber'),
          width: 200,
          render: (_, route) => <strong className="cw-num">{route.number}</strong>,
        },
        { title: w('destination'), dataIndex: 'destination' },
      ]}
      fields={(route) => (
        <>
          <Form.Item
            name="number"
            label={w('emergencyNumber')}
            rules={[{ required: true, message: c('required') }]}
          >
            <Input autoFocus disabled={route !== null} inputMode="tel" placeholder="110" />
          </Form.Item>
          <Form.Item
            name="destination"
            label={w('destination')}
            extra={w('destinationHelp')}
            rules={[{ required: true, message: c('required') }]}
          >
            <AutoComplete
              options={[
                ...extensions.map((one) => ({ value: one.number, label: `${one.number} ${one.name}` })),
                ...trunks.map((one) => ({ value: one.name, label: one.name })),
              ]}
            />
          </Form.Item>
        </>
      )}
    />
  );
}
