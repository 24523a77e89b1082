import { App, Button, Form, Input, InputNumber, Switch, Table } from 'antd';
import { Pencil, Plus, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useMay } from '@/app/session';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, EmptyState, IconButton, StateTag } from '@/ui';
import { FormDrawer } from '@/ui/forms';
import { FilterBar } from '@/ui/lists';
import {
  DELETE_REASON,
  DELETE_TEAM,
  type Reason,
  SAVE_REASON,
  SAVE_TEAM,
  type Setup,
  type Team,
} from './data';
import { queueWords } from './words';

interface Shared {
  setup: Setup | undefined;
  loading: boolean;
  reload: () => void;
}

export function Teams({ setup, loading, reload }: Shared) {
  const w = useWords(queueWords);
  const c = useWords(common);
  const may = useMay('agents.manage');
  const { message } = App.useApp();
  const [editing, setEditing] = useState<Team | 'new' | null>(null);
  const [save] = useChange(SAVE_TEAM);
  const [remove] = useChange(DELETE_TEAM);
  const initial = useMemo(
    () => (editing && editing !== 'new' ? { ...editing } : { key: '', name: '' }),
    [editing],
  );
  const teams = setup?.teams;
  const sizeOf = (key: string) => setup?.agents.filter((one) => one.team === key).length ?? 0;
  const add = may && (
    <Button type="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setEditing('new')}>
      {w('newTeam')}
    </Button>
  );
  return (
    <>
      {teams?.length === 0 ? (
        <EmptyState title={w('noTeams')} help={w('noTeamsHelp')} action={add} />
      ) : (
        <>
          <FilterBar>
            <span className="cw-grow" />
            {add}
          </FilterBar>
          <Table<Team>
            className="cw-list"
            rowKey="key"
            size="middle"
            loading={loading}
            dataSource={teams ?? []}
            pagination={false}
            columns={[
              { title: w('name'), render: (_, one) => <strong>{one.name}</strong> },
              { title: w('key'), dataIndex: 'key' },
              { title: w('agents'), render: (_, one) => w('agentsCount', { count: sizeOf(one.key) }) },
              {
                title: <span className="cw-hidden">{c('actions')}</span>,
                width: 90,
                render: (_, one) =>
                  may && (
                    <span className="cw-row-actions">
                      <IconButton
                        label={`${c('edit')} ${one.name}`}
                        icon={<Pencil size={14} />}
                        onClick={() => setEditing(one)}
                      />
                      <ConfirmDelete
                        name={one.name}
                        onConfirm={async () => {
                          if ((await remove({ key: one.key })).value) reload();
                        }}
                      >
                        <Button
                          type="text"
                          danger
                          aria-label={`${c('delete')} ${one.name}`}
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
        title={editing === 'new' ? w('newTeam') : w('editTeam')}
        initial={initial}
        onClose={() => setEditing(null)}
        onSave={async (values) => {
          const done = await save(values, { quiet: true });
          if (done.errors.length === 0) {
            void message.success(c('saved'));
            setEditing(null);
            reload();
          }
          return done.errors;
        }}
      >
        <Form.Item
          name="key"
          label={w('key')}
          extra={w('nameHelp')}
          rules={[{ required: true, message: c('required') }]}
        >
          <Input autoFocus disabled={editing !== 'new'} maxLength={64} />
        </Form.Item>
        <Form.Item name="name" label={w('name')} rules={[{ required: true, message: c('required') }]}>
          <Input maxLength={100} />
        </Form.Item>
      </FormDrawer>
    </>
  );
}

const BLANK_REASON: Reason = {
  key: '',
  labelZh: '',
  labelEn: '',
  paid: true,
  limitMinutes: 0,
  position: 0,
  enabled: true,
};

export function Reasons({ setup, loading, reload }: Shared) {
  const w = useWords(queueWords);
  const c = useWords(common);
  const text = useText();
  const may = useMay('agents.manage');
  const { message } = App.useApp();
  const [editing, setEditing] = useState<Reason | 'new' | null>(null);
  const [save] = useChange(SAVE_REASON);
  const [remove] = useChange(DELETE_REASON);
  const initial = useMemo(() => (editing && editing !== 'new' ? { ...editing } : BLANK_REASON), [editing]);
  const reasons = setup?.agentReasons;
  const add = may && (
    <Button type="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setEditing('new')}>
      {w('newReason')}
    </Button>
  );
  return (
    <>
      {reasons?.length === 0 ? (
        <EmptyState title={w('noReasons')} help={w('noReasonsHelp')} action={add} />
      ) : (
        <>
          <FilterBar>
            <span className="cw-grow" />
            {add}
          </FilterBar>
          <Table<Reason>
            className="cw-list"
            rowKey="key"
            size="middle"
            loading={loading}
            dataSource={reasons ?? []}
            pagination={false}
            columns={[
              {
                title: w('name'),
                render: (_, one) => <strong>{text({ zh: one.labelZh, en: one.labelEn }) || one.key}</strong>,
              },
              { title: w('paid'), render: (_, one) => (one.paid ? c('yes') : c('no')) },
              { title: w('limit'), render: (_, one) => one.limitMinutes || '–' },
              {
                title: c('state'),
                render: (_, one) => (
                  <StateTag tone={one.enabled ? 'good' : 'off'}>
                    {one.enabled ? w('enabled') : w('disabled')}
                  </StateTag>
                ),
              },
              {
                title: <span className="cw-hidden">{c('actions')}</span>,
                width: 90,
                render: (_, one) =>
                  may && (
                    <span className="cw-row-actions">
                      <IconButton
                        label={`${c('edit')} ${one.key}`}
                        icon={<Pencil size={14} />}
                        onClick={() => setEditing(one)}
                      />
                      <ConfirmDelete
                        name={one.key}
                        onConfirm={async () => {
                          if ((await remove({ key: one.key })).value) reload();
                        }}
                      >
                        <Button
                          type="text"
                          danger
                          aria-label={`${c('delete')} ${one.key}`}
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
      <FormDrawer<Reason>
        open={editing !== null}
        title={editing === 'new' ? w('newReason') : w('editReason')}
        initial={initial}
        onClose={() => setEditing(null)}
        onSave={async (values) => {
          const done = await save({ reason: values }, { quiet: true });
          if (done.errors.length === 0) {
            void message.success(c('saved'));
            setEditing(null);
            reload();
          }
          return done.errors;
        }}
      >
        <Form.Item
          name="key"
          label={w('key')}
          extra={w('nameHelp')}
          rules={[{ required: true, message: c('required') }]}
        >
          <Input autoFocus disabled={editing !== 'new'} maxLength={64} />
        </Form.Item>
        <Form.Item name="labelZh" label={w('labelZh')} rules={[{ required: true, message: c('required') }]}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="labelEn" label={w('labelEn')} rules={[{ required: true, message: c('required') }]}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="limitMinutes" label={w('limit')}>
          <InputNumber min={0} max={1440} />
        </Form.Item>
        <Form.Item name="paid" label={w('paid')} valuePropName="checked">
          <Switch />
        </Form.Item>
        <Form.Item name="enabled" label={w('enabled')} valuePropName="checked">
          <Switch />
        </Form.Item>
      </FormDrawer>
    </>
  );
}
