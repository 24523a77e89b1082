import { Form, Input, InputNumber, Switch } from 'antd';
import { Coffee, UsersRound } from 'lucide-react';
import { useMay } from '@/app/session';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { StateTag } from '@/ui';
import { Crud } from '@/ui/crud';
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
  const [save] = useChange(SAVE_TEAM);
  const [remove] = useChange(DELETE_TEAM);
  const sizeOf = (key: string) => setup?.agents.filter((one) => one.team === key).length ?? 0;
  return (
    <Crud<Team, { key: string; name: string }>
      icon={<UsersRound size={32} aria-hidden />}
      rows={setup?.teams}
      loading={loading}
      reload={reload}
      may={useMay('agents.manage')}
      rowKey={(one) => one.key}
      nameOf={(one) => one.name}
      words={{
        add: w('newTeam'),
        edit: w('editTeam'),
        none: w('noTeams'),
        noneHelp: w('noTeamsHelp'),
        deleteHelp: w('deleteTeam'),
      }}
      blank={{ key: '', name: '' }}
      formOf={(one) => ({ ...one })}
      save={async (form) => (await save(form, { quiet: true })).errors}
      remove={async (one) => (await remove({ key: one.key })).value !== null}
      columns={[
        { title: w('name'), render: (_, one) => <strong>{one.name}</strong> },
        { title: w('key'), dataIndex: 'key' },
        { title: w('agents'), render: (_, one) => w('agentsCount', { count: sizeOf(one.key) }) },
      ]}
      fields={(row) => (
        <>
          <Form.Item
            name="key"
            label={w('key')}
            extra={w('nameHelp')}
            rules={[{ required: true, message: c('required') }]}
          >
            <Input autoFocus disabled={row !== null} maxLength={64} />
          </Form.Item>
          <Form.Item name="name" label={w('name')} rules={[{ required: true, message: c('required') }]}>
            <Input maxLength={100} />
          </Form.Item>
        </>
      )}
    />
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
  const [save] = useChange(SAVE_REASON);
  const [remove] = useChange(DELETE_REASON);
  const nameOf = (one: Reason) => text({ zh: one.labelZh, en: one.labelEn }) || one.key;
  return (
    <Crud<Reason, Reason>
      icon={<Coffee size={32} aria-hidden />}
      rows={setup?.agentReasons}
      loading={loading}
      reload={reload}
      may={useMay('agents.manage')}
      rowKey={(one) => one.key}
      nameOf={nameOf}
      words={{
        add: w('newReason'),
        edit: w('editReason'),
        none: w('noReasons'),
        noneHelp: w('noReasonsHelp'),
        deleteHelp: w('deleteReason'),
      }}
      blank={BLANK_REASON}
      formOf={(one) => ({ ...one })}
      save={async (reason) => (await save({ reason }, { quiet: true })).errors}
      remove={async (one) => (await remove({ key: one.key })).value !== null}
      columns={[
        { title: w('name'), render: (_, one) => <strong>{nameOf(one)}</strong> },
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
      ]}
      fields={(row) => (
        <>
          <Form.Item
            name="key"
            label={w('key')}
            extra={w('nameHelp')}
            rules={[{ required: true, message: c('required') }]}
          >
            <Input autoFocus disabled={row !== null} maxLength={64} />
          </Form.Item>
          <Form.Item name="labelZh" label={w('labelZh')} rules={[{ required: true, message: c('required') }]}>
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item name="labelEn" label={w('labelEn')} rules={[{ required: true, message: c('required') }]}>
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item name="limitMinutes" label={w('limit')} extra={w('limitHelp')}>
            <InputNumber min={0} max={1440} />
          </Form.Item>
          <Form.Item name="position" label={w('position')} extra={w('positionHelp')}>
            <InputNumber min={0} max={9999} />
          </Form.Item>
          <Form.Item name="paid" label={w('paid')} valuePropName="checked">
            <Switch />
          </Form.Item>
          <Form.Item name="enabled" label={w('enabled')} valuePropName="checked">
            <Switch />
          </Form.Item>
        </>
      )}
    />
  );
}
