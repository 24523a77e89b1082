import { App, Button, Form, Input, InputNumber, Select, Switch, Tag } from 'antd';
import { Pencil, Plus, Trash2, UsersRound } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useMay } from '@/app/session';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, EmptyState, groupedPhone, IconButton, StateTag } from '@/ui';
import { FormDrawer } from '@/ui/forms';
import { FilterBar, SearchBox } from '@/ui/lists';
import { type Agent, DELETE_AGENT, SAVE_AGENT, type Setup, type SkillRow, skillMap, skillRows } from './data';
import { SkillFields } from './SkillFields';
import './queues.css';
import { ListTable } from '@/ui/table';
import { queueWords } from './words';

interface Values {
  userId: string;
  extension: string;
  phoneKind: string;
  outsideNumber: string;
  seat: string;
  team: string;
  skillRows: SkillRow[];
  queues: string[];
  autoAnswer: boolean;
  autoRelease: boolean;
  wrapUpSeconds: number | null;
  wrapUpByHand: boolean;
  maxMisses: number;
  enabled: boolean;
}

const BLANK: Values = {
  userId: '',
  extension: '',
  phoneKind: 'browser',
  outsideNumber: '',
  seat: 'ordinary',
  team: '',
  skillRows: [],
  queues: [],
  autoAnswer: false,
  autoRelease: true,
  wrapUpSeconds: null,
  wrapUpByHand: false,
  maxMisses: 2,
  enabled: true,
};
const KINDS = ['browser', 'sip', 'outside'] as const;
const SEATS = ['ordinary', 'expert', 'supervisor'] as const;

export function Agents({
  setup,
  users,
  extensions,
  loading,
  reload,
}: {
  setup: Setup | undefined;
  users: { id: string; name: string; displayName: string; active: boolean }[];
  extensions: { number: string; name: string; userId?: string | null }[];
  loading: boolean;
  reload: () => void;
}) {
  const w = useWords(queueWords);
  const c = useWords(common);
  const text = useText();
  const may = useMay('agents.manage');
  const { message } = App.useApp();
  const [editing, setEditing] = useState<Agent | 'new' | null>(null);
  const [search, setSearch] = useState('');
  const [save] = useChange(SAVE_AGENT);
  const [remove] = useChange(DELETE_AGENT);
  const [form] = Form.useForm<Values>();
  const phoneKind = Form.useWatch('phoneKind', form);
  const agents = setup?.agents;
  const initial = useMemo<Values>(
    () =>
      editing && editing !== 'new'
        ? {
            ...BLANK,
            ...editing,
            wrapUpSeconds: editing.wrapUpSeconds ?? null,
            skillRows: skillRows(editing.skills),
          }
        : BLANK,
    [editing],
  );
  const labelOf = (name: string) => text(setup?.queues.find((one) => one.name === name)?.label) || name;
  const teamOf = (key: string) => setup?.teams.find((one) => one.key === key)?.name ?? key;
  const wanted = search.trim().toLowerCase();
  const rows = (agents ?? []).filter((one) =>
    `${one.displayName} ${one.name} ${one.extension} ${teamOf(one.team)}`.toLowerCase().includes(wanted),
  );
  const free = users.filter((user) => user.active && !agents?.some((one) => one.userId === user.id));
  const add = may && (
    <Button type="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setEditing('new')}>
      {w('newAgent')}
    </Button>
  );
  return (
    <>
      {agents?.length === 0 ? (
        <EmptyState
          icon={<UsersRound size={32} aria-hidden />}
          title={w('noAgents')}
          help={w('noAgentsHelp')}
          action={add}
        />
      ) : (
        <>
          <FilterBar>
            <SearchBox value={search} onChange={setSearch} />
            <span className="cw-grow" />
            {add}
          </FilterBar>
          <ListTable<Agent>
            rowKey="userId"
            size="middle"
            loading={loading}
            dataSource={rows}
            pagination={rows.length > 100 ? { pageSize: 100, showSizeChanger: false } : false}
            columns={[
              {
                title: w('user'),
                render: (_, one) => (
                  <>
                    <strong>{one.displayName}</strong> <span className="cw-quiet">{one.name}</span>
                  </>
                ),
              },
              {
                title: w('extension'),
                dataIndex: 'extension',
                render: (number: string) => <span className="cw-num">{number || '–'}</span>,
              },
              {
                title: w('phoneKind'),
                render: (_, one) =>
                  w(one.phoneKind as 'browser') +
                  (one.phoneKind === 'outside' ? ` ${groupedPhone(one.outsideNumber)}` : ''),
              },
              {
                title: w('team'),
                render: (_, one) => teamOf(one.team) || <span className="cw-quiet">–</span>,
              },
              {
                title: w('queues'),
                render: (_, one) => <Tags names={one.queues.map(labelOf)} />,
              },
              {
                title: w('skills'),
                render: (_, one) => (
                  <Tags names={skillRows(one.skills).map((row) => `${row.skill} ${row.level}`)} />
                ),
              },
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
                        label={`${c('edit')} ${one.displayName}`}
                        icon={<Pencil size={14} />}
                        onClick={() => setEditing(one)}
                      />
                      <ConfirmDelete
                        name={one.displayName}
                        help={w('deleteAgentHelp')}
                        onConfirm={async () => {
                          if ((await remove({ user: one.userId })).value) reload();
                        }}
                      >
                        <Button
                          type="text"
                          danger
                          aria-label={`${c('delete')} ${one.displayName}`}
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
        title={
          editing && editing !== 'new'
            ? c('named', { what: w('editAgent'), name: editing.displayName })
            : w('newAgent')
        }
        initial={initial}
        form={form}
        onClose={() => setEditing(null)}
        onSave={async (values) => {
          const done = await save(
            {
              user: values.userId,
              agent: {
                extension: values.extension,
                phoneKind: values.phoneKind,
                outsideNumber: values.outsideNumber,
                seat: values.seat,
                team: values.team,
                skills: skillMap(values.skillRows),
                queues: values.queues,
                autoAnswer: values.autoAnswer,
                autoRelease: values.autoRelease,
                wrapUpSeconds: values.wrapUpSeconds,
                wrapUpByHand: values.wrapUpByHand,
                maxMisses: values.maxMisses,
                enabled: values.enabled,
              },
            },
            { quiet: true },
          );
          if (done.errors.length === 0) {
            void message.success(c('saved'));
            setEditing(null);
            reload();
          }
          return done.errors;
        }}
      >
        <Form.Item name="userId" label={w('user')} rules={[{ required: true, message: c('required') }]}>
          <Select
            autoFocus
            showSearch={{ optionFilterProp: 'label' }}
            disabled={editing !== 'new'}
            options={
              editing && editing !== 'new'
                ? [{ value: editing.userId, label: editing.displayName }]
                : free.map((user) => ({ value: user.id, label: user.displayName || user.name }))
            }
          />
        </Form.Item>
        <Form.Item name="phoneKind" label={w('phoneKind')}>
          <Select options={KINDS.map((value) => ({ value, label: w(value) }))} />
        </Form.Item>
        {phoneKind === 'outside' && (
          <Form.Item
            name="outsideNumber"
            label={w('outsideNumber')}
            rules={[{ required: true, message: c('required') }]}
          >
            <Input inputMode="tel" />
          </Form.Item>
        )}
        <Form.Item
          name="extension"
          label={w('extension')}
          extra={w('extensionHelp')}
          rules={[{ required: phoneKind !== 'outside', message: c('required') }]}
        >
          <Select
            allowClear
            showSearch={{ optionFilterProp: 'label' }}
            options={extensions.map((one) => ({
              value: one.number,
              label: `${one.number} ${one.name}`.trim(),
            }))}
          />
        </Form.Item>
        <Form.Item name="queues" label={w('queues')}>
          <Select
            mode="multiple"
            options={(setup?.queues ?? []).map((one) => ({ value: one.name, label: labelOf(one.name) }))}
          />
        </Form.Item>
        <Form.Item name="team" label={w('team')}>
          <Select
            options={[
              { value: '', label: w('noTeam') },
              ...(setup?.teams ?? []).map((one) => ({ value: one.key, label: one.name })),
            ]}
          />
        </Form.Item>
        <Form.Item name="seat" label={w('seat')} extra={w('seatHelp')}>
          <Select options={SEATS.map((value) => ({ value, label: w(value) }))} />
        </Form.Item>
        <SkillFields name="skillRows" label={w('skills')} />
        <div className="cw-two">
          <Form.Item name="wrapUpSeconds" label={w('wrapUp')} extra={w('wrapUpHelp')}>
            <InputNumber min={0} max={3600} />
          </Form.Item>
          <Form.Item name="maxMisses" label={w('maxMisses')} extra={w('maxMissesHelp')}>
            <InputNumber min={0} max={20} />
          </Form.Item>
        </div>
        {(['wrapUpByHand', 'autoAnswer', 'autoRelease', 'enabled'] as const).map((name) => (
          <Form.Item key={name} name={name} label={w(name)} valuePropName="checked" layout="horizontal">
            <Switch />
          </Form.Item>
        ))}
      </FormDrawer>
    </>
  );
}

function Tags({ names }: { names: string[] }) {
  if (names.length === 0) return <span className="cw-quiet">–</span>;
  return (
    <span className="cw-tags">
      {names.map((name) => (
        <Tag key={name}>{name}</Tag>
      ))}
    </span>
  );
}
