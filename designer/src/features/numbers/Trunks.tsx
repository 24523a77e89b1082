import { App, Button, Collapse, Form, Input, InputNumber, Select, Switch } from 'antd';
import { Cable, Pencil, Plus, Trash2 } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import { useChange } from '@/graphql/useChange';
import { labelled, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, EmptyState, IconButton, Phone } from '@/ui';
import { FormDrawer } from '@/ui/forms';
import { FilterBar } from '@/ui/lists';
import { ListTable } from '@/ui/table';
import { DELETE_TRUNK, SAVE_TRUNK, type Trunk } from './data';
import { TrunkLoad, TrunkMark } from './trunkState';
import { numberWords } from './words';

interface Values {
  name: string;
  host: string;
  port: number;
  transport: string;
  encryption: string;
  verify: boolean;
  authority: string;
  username: string;
  password: string;
  registers: boolean;
  addresses: string[];
  callerId: string;
  codecs: string[];
  maxCalls: number;
  priority: number;
  enabled: boolean;
}
const LIVE = graphql(`
  query TrunksLive {
    trunksLive { id state calls maxCalls }
  }
`);
/** Milliseconds between two looks at how the trunks stand. */
const AGAIN = 5000;

const BLANK: Values = {
  name: '',
  host: '',
  port: 5060,
  transport: 'udp',
  encryption: 'off',
  verify: true,
  authority: '',
  username: '',
  password: '',
  registers: false,
  addresses: [],
  callerId: '',
  codecs: ['alaw', 'ulaw'],
  maxCalls: 100,
  priority: 10,
  enabled: true,
};

export function Trunks({
  trunks,
  loading,
  reload,
}: {
  trunks: Trunk[] | undefined;
  loading: boolean;
  reload: () => void;
}) {
  const w = useWords(numberWords);
  const c = useWords(common);
  const may = useMay('numbers.manage');
  const { message } = App.useApp();
  const [editing, setEditing] = useState<Trunk | 'new' | null>(null);
  const [save] = useChange(SAVE_TRUNK);
  const [remove] = useChange(DELETE_TRUNK);
  const initial = useMemo<Values>(
    () => (editing && editing !== 'new' ? { ...BLANK, ...editing, password: '' } : BLANK),
    [editing],
  );
  const [live, ask] = useQuery({ query: LIVE, requestPolicy: 'network-only' });
  useEffect(() => {
    const timer = setInterval(() => ask({ requestPolicy: 'network-only' }), AGAIN);
    return () => clearInterval(timer);
  }, [ask]);
  const stand = (id: string) => live.data?.trunksLive.find((one) => one.id === id);
  const add = may && (
    <Button type="primary" icon={<Plus size={14} />} onClick={() => setEditing('new')}>
      {w('newTrunk')}
    </Button>
  );
  return (
    <>
      {trunks?.length === 0 ? (
        <EmptyState
          icon={<Cable size={32} aria-hidden />}
          title={w('noTrunks')}
          help={w('noTrunksHelp')}
          action={add}
        />
      ) : (
        <>
          <FilterBar>
            <span className="cw-grow" />
            {add}
          </FilterBar>
          <ListTable
            rowKey="id"
            size="middle"
            loading={loading}
            dataSource={trunks ?? []}
            pagination={false}
            columns={[
              { title: w('trunkName'), render: (_, trunk) => <strong>{trunk.name}</strong> },
              {
                title: w('host'),
                render: (_, trunk) => (
                  <span className="cw-code">
                    {trunk.host}:{trunk.port} {trunk.transport}
                  </span>
                ),
              },
              { title: w('callerId'), render: (_, trunk) => <Phone number={trunk.callerId} /> },
              {
                title: w('maxCalls'),
                width: 190,
                align: 'right',
                render: (_, trunk) => {
                  const now = stand(trunk.id);
                  return now ? <TrunkLoad trunk={now} /> : <span className="cw-num">{trunk.maxCalls}</span>;
                },
              },
              { title: w('priority'), width: 90, align: 'right', dataIndex: 'priority' },
              {
                title: c('state'),
                width: 140,
                render: (_, trunk) => (
                  <TrunkMark state={trunk.enabled ? (stand(trunk.id)?.state ?? 'unknown') : 'off'} />
                ),
              },
              {
                title: <span className="cw-hidden">{c('actions')}</span>,
                width: 90,
                render: (_, trunk) =>
                  may && (
                    <span className="cw-row-actions">
                      <IconButton
                        label={`${c('edit')} ${trunk.name}`}
                        icon={<Pencil size={14} />}
                        onClick={() => setEditing(trunk)}
                      />
                      <ConfirmDelete
                        name={trunk.name}
                        help={w('trunkDeleteHelp')}
                        onConfirm={async () => {
                          if ((await remove({ id: trunk.id })).value) reload();
                        }}
                      >
                        <Button
                          type="text"
                          danger
                          aria-label={`${c('delete')} ${trunk.name}`}
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
        title={editing === 'new' ? w('newTrunk') : labelled(w('editTrunk'), editing?.name ?? '')}
        initial={initial}
        width={520}
        onClose={() => setEditing(null)}
        onSave={async (values) => {
          const { password, ...rest } = values;
          const input = {
            name: rest.name,
            host: rest.host,
            port: rest.port,
            transport: rest.transport,
            encryption: rest.transport === 'tls' ? rest.encryption : 'off',
            verify: rest.verify,
            authority: rest.authority,
            username: rest.username,
            registers: rest.registers,
            addresses: rest.addresses,
            callerId: rest.callerId,
            codecs: rest.codecs,
            maxCalls: rest.maxCalls,
            priority: rest.priority,
            enabled: rest.enabled,
            password: password || null,
          };
          const { errors } = await save(
            { id: editing && editing !== 'new' ? editing.id : null, input },
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
        <Form.Item name="name" label={w('trunkName')} rules={[{ required: true, message: c('required') }]}>
          <Input autoFocus maxLength={32} />
        </Form.Item>
        <div className="cw-form-row">
          <Form.Item
            name="host"
            label={w('host')}
            extra={w('hostHelp')}
            className="cw-grow"
            rules={[{ required: true, message: c('required') }]}
          >
            <Input />
          </Form.Item>
          <Form.Item name="port" label={w('port')}>
            <InputNumber min={1} max={65535} />
          </Form.Item>
          <Form.Item name="transport" label={w('transport')}>
            <Select options={['udp', 'tcp', 'tls'].map((value) => ({ value, label: value.toUpperCase() }))} />
          </Form.Item>
        </div>
        <Form.Item noStyle shouldUpdate={(before, now) => before.transport !== now.transport}>
          {({ getFieldValue }) => (
            <div hidden={getFieldValue('transport') !== 'tls'}>
              <Form.Item name="encryption" label={w('encryption')}>
                <Select
                  options={[
                    { value: 'off', label: w('encryptionOff') },
                    { value: 'srtp', label: 'SRTP' },
                  ]}
                />
              </Form.Item>
              <Form.Item name="verify" label={w('verify')} extra={w('verifyHelp')} valuePropName="checked">
                <Switch />
              </Form.Item>
              <Form.Item name="authority" label={w('authority')} extra={w('authorityHelp')}>
                <Input.TextArea rows={3} spellCheck={false} />
              </Form.Item>
            </div>
          )}
        </Form.Item>
        <div className="cw-form-row">
          <Form.Item name="username" label={w('username')} className="cw-grow">
            <Input autoComplete="off" />
          </Form.Item>
          <Form.Item
            name="password"
            label={w('password')}
            className="cw-grow"
            extra={editing !== 'new' ? w('passwordKept') : undefined}
          >
            <Input.Password autoComplete="new-password" />
          </Form.Item>
        </div>
        <Form.Item name="registers" label={w('registers')} extra={w('registersHelp')} valuePropName="checked">
          <Switch />
        </Form.Item>
        <Form.Item name="callerId" label={w('callerId')}>
          <Input inputMode="tel" />
        </Form.Item>
        <Form.Item name="enabled" label={w('enabled')} valuePropName="checked">
          <Switch />
        </Form.Item>
        <Collapse
          ghost
          items={[
            {
              key: 'more',
              label: w('more'),
              forceRender: true,
              children: (
                <>
                  <Form.Item name="addresses" label={w('addresses')} extra={w('addressesHelp')}>
                    <Select mode="tags" open={false} tokenSeparators={[' ', ',', '，']} suffixIcon={null} />
                  </Form.Item>
                  <Form.Item name="codecs" label={w('codecs')}>
                    <Select
                      mode="multiple"
                      options={['alaw', 'ulaw', 'g722', 'opus', 'g729', 'gsm'].map((value) => ({
                        value,
                        label: value,
                      }))}
                    />
                  </Form.Item>
                  <div className="cw-form-row">
                    <Form.Item name="maxCalls" label={w('maxCalls')}>
                      <InputNumber min={1} max={10000} />
                    </Form.Item>
                    <Form.Item name="priority" label={w('priority')} extra={w('priorityHelp')}>
                      <InputNumber min={0} max={1000} />
                    </Form.Item>
                  </div>
                </>
              ),
            },
          ]}
        />
      </FormDrawer>
    </>
  );
}
