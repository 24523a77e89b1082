import { Alert, Button, Form, Input, Modal, Popconfirm, Select, Switch, Typography } from 'antd';
import { KeyRound, PhoneCall } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useMay } from '@/app/session';
import { useChange } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { StateTag } from '@/ui';
import { Crud } from '@/ui/crud';
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
  const [shown, setShown] = useState<{ number: string; password: string } | null>(null);
  const [save] = useChange(SAVE_EXTENSION);
  const [remove] = useChange(DELETE_EXTENSION);
  const nameOf = useMemo(
    () => new Map(users.map((user) => [user.id, user.displayName || user.name])),
    [users],
  );
  const renew = async ({ id, number, name, userId, enabled }: Extension) => {
    const password = strongPassword();
    const done = await save({ id, number, name, userId: userId ?? null, enabled, password });
    if (done.value) setShown({ number, password });
  };
  return (
    <>
      <Crud<Extension, Values>
        rows={extensions}
        loading={loading}
        reload={reload}
        may={may}
        rowKey={(one) => one.id}
        nameOf={(one) => one.number}
        icon={<PhoneCall size={32} aria-hidden />}
        words={{
          add: w('newExtension'),
          edit: w('editExtension'),
          none: w('noExtensions'),
          noneHelp: w('noExtensionsHelp'),
          deleteHelp: w('deleteExtensionHelp'),
        }}
        searched={(one) => `${one.number} ${one.name} ${nameOf.get(one.userId ?? '') ?? ''}`}
        blank={BLANK}
        formOf={({ number, name, userId, enabled }) => ({
          number,
          name,
          userId: userId ?? '',
          password: '',
          enabled,
        })}
        save={async ({ userId, password, ...rest }, one) => {
          const sent = { id: one?.id ?? null, ...rest, userId: userId || null, password: password || null };
          const done = await save(sent, { quiet: true });
          if (done.value?.password)
            setShown({ number: done.value.extension.number, password: done.value.password });
          return done.errors;
        }}
        remove={async (one) => (await remove({ id: one.id })).value !== null}
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
        ]}
        actions={(one) =>
          may && (
            <Popconfirm
              placement="topRight"
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
          )
        }
        fields={(row) => (
          <>
            <Form.Item
              name="number"
              label={w('extNumber')}
              rules={[{ required: true, message: c('required') }]}
            >
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
            <Form.Item
              name="password"
              label={w(row ? 'newPassword' : 'password')}
              extra={w(row ? 'newPasswordHelp' : 'ownPasswordHelp')}
            >
              <Input.Password autoComplete="new-password" />
            </Form.Item>
            <Form.Item name="enabled" label={w('enabled')} valuePropName="checked">
              <Switch />
            </Form.Item>
          </>
        )}
      />
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
