import { Alert, App, Button, Form, Input, Modal, Popconfirm, Select, Switch, Table, Typography } from 'antd';
import { KeyRound, Pencil, PhoneCall, Plus, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useMay } from '@/app/session';
import { useChange } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, EmptyState, IconButton, StateTag } from '@/ui';
import { FormDrawer } from '@/ui/forms';
import { FilterBar, SearchBox } from '@/ui/lists';
import { DELETE_EXTENSION, type Extension, SAVE_EXTENSION } from './data';
import { numberWords } from './words';

interface User {
  id: string;
  name: string;
  displayName: string;
}
interface Values {
  number: string;
  name: string;
  userId: string;
  password: string;
  enabled: boolean;
}
const BLANK: Values = { number: '', name: '', userId: '', password: '', enabled: true };

/** A password that nobody guesses, in signs that people can read from a screen and type into a phone. */
export function strongPassword(): string {
  const signs = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
  const drawn = crypto.getRandomValues(new Uint32Array(16));
  return [...drawn].map((value) => signs[value % signs.length]).join('');
}

export function Extensions({
  extensions,
  users,
  loading,
  reload,
}: {
  extensions: Extension[] | undefined;
  users: User[];
  loading: boolean;
  reload: () => void;
}) {
  const w = useWords(numberWords);
  const c = useWords(common);
  const may = useMay('numbers.manage');
  const { message } = App.useApp();
  const [editing, setEditing] = useState<Extension | 'new' | null>(null);
  const [shown, setShown] = useState<{ number: string; password: string } | null>(null);
  const [search, setSearch] = useState('');
  const [save] = useChange(SAVE_EXTENSION);
  const [remove] = useChange(DELETE_EXTENSION);
  const nameOf = useMemo(
    () => new Map(users.map((user) => [user.id, user.displayName || user.name])),
    [users],
  );
  const initial = useMemo<Values>(
    () =>
      editing && editing !== 'new'
        ? {
            number: editing.number,
            name: editing.name,
            userId: editing.userId ?? '',
            password: '',
            enabled: editing.enabled,
          }
        : BLANK,
    [editing],
  );
  const wanted = search.trim().toLowerCase();
  const rows = (extensions ?? []).filter((one) =>
    `${one.number} ${one.name} ${nameOf.get(one.userId ?? '') ?? ''}`.toLowerCase().includes(wanted),
  );
  const renew = async (one: Extension) => {
    const password = strongPassword();
    const done = await save({
      id: one.id,
      number: one.number,
      name: one.name,
      userId: one.userId ?? null,
      enabled: one.enabled,
      password,
    });
    if (done.value) setShown({ number: one.number, password });
  };
  const add = may && (
    <Button type="primary" icon={<Plus size={14} />} onClick={() => setEditing('new')}>
      {w('newExtension')}
    </Button>
  );
  return (
    <>
      {extensions?.length === 0 ? (
        <EmptyState
          icon={<PhoneCall size={32} aria-hidden />}
          title={w('noExtensions')}
          help={w('noExtensionsHelp')}
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
                title: w('extNumber'),
                width: 140,
                render: (_, one) => <strong className="cw-num">{one.number}</strong>,
              },
              { title: w('extName'), dataIndex: 'name' },
              {
                title: w('user'),
                render: (_, one) =>
                  one.userId ? (nameOf.get(one.userId) ?? one.userId) : <span className="cw-quiet">–</span>,
              },
              {
                title: c('state'),
                width: 120,
                render: (_, one) => (
                  <StateTag tone={one.enabled ? 'good' : 'off'}>
                    {one.enabled ? w('enabled') : w('disabled')}
                  </StateTag>
                ),
              },
              {
                title: <span className="cw-hidden">{c('actions')}</span>,
                width: 126,
                render: (_, one) =>
                  may && (
                    <span className="cw-row-actions">
                      <IconButton
                        label={`${c('edit')} ${one.number}`}
                        icon={<Pencil size={14} />}
                        onClick={() => setEditing(one)}
                      />
                      <Popconfirm
                        title={w('renew')}
                        description={w('renewHelp')}
                        okText={w('renew')}
                        onConfirm={() => renew(one)}
                      >
                        <Button
                          type="text"
                          aria-label={`${w('renew')} ${one.number}`}
                          title={w('renew')}
                          icon={<KeyRound size={14} />}
                        />
                      </Popconfirm>
                      <ConfirmDelete
                        name={one.number}
                        help={w('deleteExtensionHelp')}
                        onConfirm={async () => {
                          if ((await remove({ id: one.id })).value) reload();
                        }}
                      >
                        <Button
                          type="text"
                          danger
                          aria-label={`${c('delete')} ${one.number}`}
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
        title={editing === 'new' ? w('newExtension') : w('editExtension')}
        initial={initial}
        onClose={() => setEditing(null)}
        onSave={async (values) => {
          const done = await save(
            {
              id: editing && editing !== 'new' ? editing.id : null,
              number: values.number,
              name: values.name,
              userId: values.userId || null,
              enabled: values.enabled,
              password: values.password || null,
            },
            { quiet: true },
          );
          if (done.errors.length === 0) {
            message.success(c('saved'));
            setEditing(null);
            reload();
            if (done.value?.password)
              setShown({ number: done.value.extension.number, password: done.value.password });
          }
          return done.errors;
        }}
      >
        <Form.Item name="number" label={w('extNumber')} rules={[{ required: true, message: c('required') }]}>
          <Input autoFocus maxLength={16} inputMode="numeric" />
        </Form.Item>
        <Form.Item name="name" label={w('extName')}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="userId" label={w('user')} extra={w('userHelp')}>
          <Select
            showSearch={{ optionFilterProp: 'label' }}
            options={[
              { value: '', label: w('nobody') },
              ...users.map((user) => ({ value: user.id, label: user.displayName || user.name })),
            ]}
          />
        </Form.Item>
        <Form.Item name="password" label={w('newPassword')} extra={w('newPasswordHelp')}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Form.Item name="enabled" label={w('enabled')} valuePropName="checked">
          <Switch />
        </Form.Item>
      </FormDrawer>
      <Modal
        open={shown !== null}
        title={`${w('editExtension')} ${shown?.number ?? ''}`}
        closable={false}
        onCancel={() => undefined}
        footer={
          <Button type="primary" onClick={() => setShown(null)}>
            {w('noted')}
          </Button>
        }
      >
        <Alert type="warning" showIcon title={w('passwordOnce')} description={w('passwordOnceHelp')} />
        <Typography.Paragraph className="cw-secret" copyable={{ text: shown?.password }}>
          <code>{shown?.password}</code>
        </Typography.Paragraph>
      </Modal>
    </>
  );
}
