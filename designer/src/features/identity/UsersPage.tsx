/** Users, and what their roles may do. */
import { App, Button, Dropdown, Form, Input, Select, Table, Tabs } from 'antd';
import { Check, Ellipsis, Minus, Plus } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { useQuery } from 'urql';
import { useSession } from '@/app/session';
import { graphql } from '@/gql';
import type { UserListQuery } from '@/gql/graphql';
import { useChange } from '@/graphql/useChange';
import { labelled, remarked, useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { absolute, PageHeader, StateTag, Time } from '@/ui';
import { useFilters } from '@/ui/filters';
import { FormDrawer } from '@/ui/forms';
import { Failure, FilterBar, SearchBox } from '@/ui/lists';
import './identity.css';
import { ListTable } from '@/ui/table';
import { OwnRoles } from './OwnRoles';
import { identityWords, PERMISSIONS } from './words';

const LIST = graphql(`
  query UserList {
    users { id name displayName role active mustChangePassword lockedUntil createdAt signedInAt }
    roles { name title { zh en } permissions own users scope }
  }
`);
const CREATE = graphql(`
  mutation CreateUser($name: String!, $password: String!, $role: String!, $displayName: String!) {
    createUser(name: $name, password: $password, role: $role, displayName: $displayName) {
      value { id }
      errors { ...Refusal }
    }
  }
`);
const UPDATE = graphql(`
  mutation UpdateUser($id: String!, $displayName: String, $role: String, $active: Boolean, $unlock: Boolean!) {
    updateUser(id: $id, displayName: $displayName, role: $role, active: $active, unlock: $unlock) {
      value { id }
      errors { ...Refusal }
    }
  }
`);
const PASSWORD = graphql(`
  mutation SetUserPassword($id: String!, $password: String!) {
    setPassword(id: $id, password: $password) {
      value { id }
      errors { ...Refusal }
    }
  }
`);
type User = UserListQuery['users'][number];
type Role = UserListQuery['roles'][number];

/** Twelve signs that can be read aloud, never two alike to the eye. */
export function suggestion(): string {
  const signs = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
  const drawn = crypto.getRandomValues(new Uint32Array(12));
  const text = [...drawn].map((value) => signs[value % signs.length]).join('');
  return `${text.slice(0, 4)}-${text.slice(4, 8)}-${text.slice(8)}`;
}

export default function UsersPage() {
  const w = useWords(identityWords);
  const [filters, setFilters] = useFilters('users', ['tab'] as const);
  const [answer, ask] = useQuery({ query: LIST, requestPolicy: 'cache-and-network' });
  const reload = () => ask({ requestPolicy: 'network-only' });
  return (
    <>
      <PageHeader title={w('title')} help={w('help')} />
      <Failure error={answer.error} retry={reload} />
      <Tabs
        activeKey={filters.tab || 'users'}
        onChange={(tab) => setFilters({ tab: tab === 'users' ? '' : tab })}
        items={[
          {
            key: 'users',
            label: w('users'),
            children: (
              <UserTable
                users={answer.data?.users ?? []}
                roles={answer.data?.roles ?? []}
                loading={answer.fetching && !answer.data}
                reload={reload}
              />
            ),
          },
          {
            key: 'roles',
            label: w('roles'),
            children: (
              <>
                <OwnRoles
                  roles={(answer.data?.roles ?? []).filter((role) => role.own)}
                  all={answer.data?.roles.find((role) => role.name === 'admin')?.permissions ?? []}
                  reload={reload}
                />
                <div className="cw-matrix">
                  <Matrix roles={answer.data?.roles ?? []} />
                </div>
              </>
            ),
          },
        ]}
      />
    </>
  );
}

function UserTable({
  users,
  roles,
  loading,
  reload,
}: {
  users: User[];
  roles: Role[];
  loading: boolean;
  reload: () => void;
}) {
  const w = useWords(identityWords);
  const c = useWords(common);
  const text = useText();
  const { modal, message } = App.useApp();
  const { person } = useSession();
  const [params] = useSearchParams();
  const [search, setSearch] = useState(params.get('search') ?? '');
  const [role, setRole] = useState('');
  const [making, setMaking] = useState(false);
  const [editing, setEditing] = useState<User | null>(null);
  const [resetting, setResetting] = useState<User | null>(null);
  const [create] = useChange(CREATE);
  const [update] = useChange(UPDATE);
  const [setPassword] = useChange(PASSWORD);
  const titles = useMemo(() => new Map(roles.map((one) => [one.name, text(one.title)])), [roles, text]);
  const options = roles.map((one) => ({ value: one.name, label: text(one.title) }));
  const blank = useMemo(
    () => ({ name: '', displayName: '', role: 'agent', password: making ? suggestion() : '' }),
    [making],
  );
  const edit = useMemo(
    () => ({ displayName: editing?.displayName ?? '', role: editing?.role ?? '' }),
    [editing],
  );
  const fresh = useMemo(() => ({ password: resetting ? suggestion() : '' }), [resetting]);
  const wanted = search.trim().toLowerCase();
  const rows = users.filter(
    (user) =>
      (!role || user.role === role) && `${user.name} ${user.displayName}`.toLowerCase().includes(wanted),
  );
  const isLocked = (user: User) => Boolean(user.lockedUntil && Date.parse(user.lockedUntil) > Date.now());
  const done = () => {
    message.success(c('saved'));
    reload();
  };
  const act = async (key: string, user: User) => {
    if (key === 'edit') setEditing(user);
    if (key === 'password') setResetting(user);
    if (key === 'unlock' && (await update({ id: user.id, unlock: true })).value) done();
    if (key === 'on' && (await update({ id: user.id, active: true, unlock: false })).value) done();
    if (key === 'off')
      modal.confirm({
        title: w('offAsk', { name: user.displayName || user.name }),
        content: w('offHelp'),
        okText: w('switchOff'),
        cancelText: c('cancel'),
        okButtonProps: { danger: true },
        onOk: async () => {
          if ((await update({ id: user.id, active: false, unlock: false })).value) done();
        },
      });
  };
  return (
    <>
      <FilterBar>
        <SearchBox value={search} onChange={setSearch} />
        <Select
          aria-label={w('role')}
          value={role}
          style={{ minWidth: 150 }}
          onChange={setRole}
          options={[{ value: '', label: w('anyRole') }, ...options]}
        />
        <span className="cw-grow" />
        <Button type="primary" icon={<Plus size={14} />} onClick={() => setMaking(true)}>
          {w('newUser')}
        </Button>
      </FilterBar>
      <ListTable
        rowKey="id"
        size="middle"
        tall
        loading={loading}
        dataSource={rows}
        pagination={rows.length > 100 ? { pageSize: 100, showSizeChanger: false } : false}
        columns={[
          {
            title: w('editUser'),
            render: (_, user) => (
              <span className="cw-two-line">
                <span>
                  <strong>{user.displayName || user.name}</strong>
                  {user.id === person.id && <span className="cw-quiet">{remarked('', w('you'))}</span>}
                </span>
                {user.displayName && user.displayName !== user.name && <small>{user.name}</small>}
              </span>
            ),
          },
          { title: w('role'), width: 180, render: (_, user) => titles.get(user.role) ?? user.role },
          {
            title: w('state'),
            width: 260,
            render: (_, user) => (
              <span className="cw-two-line">
                {!user.active ? (
                  <StateTag tone="off">{w('inactive')}</StateTag>
                ) : isLocked(user) ? (
                  <StateTag tone="bad">{w('locked')}</StateTag>
                ) : (
                  <StateTag tone="good">{w('active')}</StateTag>
                )}
                {isLocked(user) && (
                  <small>{w('lockedUntil', { at: absolute(user.lockedUntil ?? '') })}</small>
                )}
                {user.mustChangePassword && <small>{w('mustChange')}</small>}
              </span>
            ),
          },
          {
            title: w('signedIn'),
            width: 160,
            render: (_, user) =>
              user.signedInAt ? (
                <Time at={user.signedInAt} />
              ) : (
                <span className="cw-quiet">{w('never')}</span>
              ),
          },
          {
            title: <span className="cw-hidden">{c('actions')}</span>,
            width: 56,
            render: (_, user) => (
              <Dropdown
                trigger={['click']}
                menu={{
                  items: [
                    { key: 'edit', label: c('edit') },
                    { key: 'password', label: w('newPassword') },
                    ...(isLocked(user) ? [{ key: 'unlock', label: w('unlock') }] : []),
                    ...(user.id === person.id
                      ? []
                      : [
                          { type: 'divider' as const },
                          user.active
                            ? { key: 'off', label: w('switchOff'), danger: true }
                            : { key: 'on', label: w('switchOn') },
                        ]),
                  ],
                  onClick: ({ key }) => void act(key, user),
                }}
              >
                <Button
                  type="text"
                  aria-label={`${c('actions')}: ${user.name}`}
                  icon={<Ellipsis size={16} />}
                />
              </Dropdown>
            ),
          },
        ]}
      />
      <FormDrawer
        open={making}
        title={w('newUser')}
        initial={blank}
        onClose={() => setMaking(false)}
        onSave={async (values) => {
          const { errors } = await create(values, { quiet: true });
          if (errors.length === 0) {
            setMaking(false);
            done();
          }
          return errors;
        }}
      >
        <Form.Item name="name" label={w('signInName')} rules={[{ required: true, message: c('required') }]}>
          <Input autoFocus maxLength={64} autoComplete="off" />
        </Form.Item>
        <Form.Item name="displayName" label={w('displayName')}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="role" label={w('role')}>
          <Select options={options} />
        </Form.Item>
        <PasswordField />
      </FormDrawer>
      <FormDrawer
        open={editing !== null}
        title={labelled(w('editUser'), editing?.name ?? '')}
        initial={edit}
        onClose={() => setEditing(null)}
        onSave={async (values) => {
          const { errors } = await update(
            { id: editing?.id ?? '', ...values, unlock: false },
            { quiet: true },
          );
          if (errors.length === 0) {
            setEditing(null);
            done();
          }
          return errors;
        }}
      >
        <Form.Item name="displayName" label={w('displayName')}>
          <Input autoFocus maxLength={100} />
        </Form.Item>
        <Form.Item name="role" label={w('role')}>
          <Select options={options} />
        </Form.Item>
      </FormDrawer>
      <FormDrawer
        open={resetting !== null}
        title={labelled(w('newPassword'), resetting?.name ?? '')}
        initial={fresh}
        onClose={() => setResetting(null)}
        onSave={async (values) => {
          const { errors } = await setPassword(
            { id: resetting?.id ?? '', password: values.password },
            { quiet: true },
          );
          if (errors.length === 0) {
            setResetting(null);
            done();
          }
          return errors;
        }}
      >
        <p className="cw-quiet cw-tab-help">{w('newPasswordHelp')}</p>
        <PasswordField />
      </FormDrawer>
    </>
  );
}

function PasswordField() {
  const w = useWords(identityWords);
  const c = useWords(common);
  const form = Form.useFormInstance();
  return (
    <Form.Item
      name="password"
      label={w('password')}
      extra={
        <span>
          {w('passwordHelp')}{' '}
          <Button type="link" size="small" onClick={() => form.setFieldValue('password', suggestion())}>
            {w('generate')}
          </Button>
        </span>
      }
      rules={[{ required: true, message: c('required') }]}
    >
      <Input className="cw-code" autoComplete="off" maxLength={200} />
    </Form.Item>
  );
}

function Matrix({ roles }: { roles: Role[] }) {
  const w = useWords(identityWords);
  const text = useText();
  const permissions = useMemo(() => {
    const all = new Set(roles.flatMap((role) => role.permissions));
    all.delete('signed_in');
    const known = Object.keys(PERMISSIONS).filter((name) => all.has(name));
    return [...known, ...[...all].filter((name) => !PERMISSIONS[name]).sort()];
  }, [roles]);
  return (
    <>
      <p className="cw-quiet cw-tab-help">{w('rolesHelp')}</p>
      <Table
        className="cw-list"
        scroll={{ x: 260 + 150 * roles.length }}
        sticky={{
          // The page's own edge is above it.
          offsetHeader: -20,
          getContainer: () => document.getElementById('content') ?? document.body,
        }}
        rowKey={(name) => name}
        size="small"
        pagination={false}
        dataSource={permissions}
        columns={[
          {
            title: w('may'),
            render: (_, name) => (
              <span className="cw-two-line">
                {PERMISSIONS[name] && <span>{text(PERMISSIONS[name])}</span>}
                <small className="cw-code">{name}</small>
              </span>
            ),
          },
          ...roles.map((role) => ({
            title: text(role.title),
            key: role.name,
            width: 150,
            align: 'center' as const,
            render: (_: unknown, name: string) =>
              role.permissions.includes(name) ? (
                <span role="img" aria-label={w('yes')} style={{ color: 'var(--good)' }}>
                  <Check size={16} aria-hidden />
                </span>
              ) : (
                <span role="img" aria-label={w('no')} className="cw-quiet">
                  <Minus size={16} aria-hidden />
                </span>
              ),
          })),
        ]}
      />
    </>
  );
}
