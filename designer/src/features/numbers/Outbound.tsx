/** What may be dialled out, and where emergency numbers go. */
import { App, AutoComplete, Button, Form, Input, InputNumber, Select, Table } from 'antd';
import { Pencil, Plus, Siren, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useMay } from '@/app/session';
import { useChange } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, EmptyState, IconButton, StateTag } from '@/ui';
import { FormDrawer } from '@/ui/forms';
import { FilterBar } from '@/ui/lists';
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
  const may = useMay('numbers.manage');
  const { message } = App.useApp();
  const [editing, setEditing] = useState<Rule | null>(null);
  const [save] = useChange(SAVE_RULE);
  const initial = useMemo(
    () => ({
      maxPerHour: editing?.maxPerHour ?? 0,
      fromHour: editing?.fromHour ?? 0,
      toHour: editing?.toHour ?? 24,
      trunkId: editing?.trunkId ?? '',
    }),
    [editing],
  );
  const className = (name: string) => {
    const known = CLASSES.find((one) => one === name);
    return known ? w(`cls_${known}`) : name;
  };
  return (
    <>
      <p className="cw-quiet cw-tab-help">{w('rulesHelp')}</p>
      <Table
        className="cw-list"
        rowKey="numberClass"
        size="middle"
        loading={loading}
        dataSource={rules ?? []}
        pagination={false}
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
          {
            title: <span className="cw-hidden">{c('actions')}</span>,
            width: 60,
            render: (_, rule) =>
              may && (
                <IconButton
                  label={`${c('edit')} ${className(rule.numberClass)}`}
                  icon={<Pencil size={14} />}
                  onClick={() => setEditing(rule)}
                />
              ),
          },
        ]}
      />
      <FormDrawer
        open={editing !== null}
        title={`${w('editRule')}: ${editing ? className(editing.numberClass) : ''}`}
        initial={initial}
        onClose={() => setEditing(null)}
        onSave={async (values) => {
          const { errors } = await save(
            { ...values, numberClass: editing?.numberClass ?? '', trunkId: values.trunkId || null },
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
      </FormDrawer>
    </>
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
  const may = useMay('numbers.manage');
  const { message } = App.useApp();
  const [editing, setEditing] = useState<Route | 'new' | null>(null);
  const [save] = useChange(SAVE_EMERGENCY);
  const [remove] = useChange(DELETE_EMERGENCY);
  const initial = useMemo(
    () =>
      editing && editing !== 'new'
        ? { number: editing.number, destination: editing.destination }
        : { number: '', destination: '' },
    [editing],
  );
  const add = may && (
    <Button type="primary" icon={<Plus size={14} />} onClick={() => setEditing('new')}>
      {w('newEmergency')}
    </Button>
  );
  return (
    <>
      {routes?.length === 0 ? (
        <EmptyState
          icon={<Siren size={32} aria-hidden />}
          title={w('noEmergency')}
          help={w('noEmergencyHelp')}
          action={add}
        />
      ) : (
        <>
          <FilterBar>
            <p className="cw-quiet cw-grow">{w('emergencyHelp')}</p>
            {add}
          </FilterBar>
          <Table
            className="cw-list"
            rowKey="number"
            size="middle"
            loading={loading}
            dataSource={routes ?? []}
            pagination={false}
            columns={[
              {
                title: w('emergencyNumber'),
                width: 200,
                render: (_, route) => <strong className="cw-num">{route.number}</strong>,
              },
              { title: w('destination'), dataIndex: 'destination' },
              {
                title: <span className="cw-hidden">{c('actions')}</span>,
                width: 100,
                render: (_, route) =>
                  may && (
                    <span className="cw-row-acts">
                      <IconButton
                        label={`${c('edit')} ${route.number}`}
                        icon={<Pencil size={14} />}
                        onClick={() => setEditing(route)}
                      />
                      <ConfirmDelete
                        name={route.number}
                        help={w('deleteEmergencyHelp')}
                        onConfirm={async () => {
                          if ((await remove({ number: route.number })).value) reload();
                        }}
                      >
                        <Button
                          type="text"
                          danger
                          aria-label={`${c('delete')} ${route.number}`}
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
      <FormDrawer
        open={editing !== null}
        title={w('emergency')}
        initial={initial}
        onClose={() => setEditing(null)}
        onSave={async (values) => {
          const { errors } = await save(values, { quiet: true });
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
          label={w('emergencyNumber')}
          rules={[{ required: true, message: c('required') }]}
        >
          <Input autoFocus disabled={editing !== 'new'} inputMode="tel" placeholder="110" />
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
      </FormDrawer>
    </>
  );
}
