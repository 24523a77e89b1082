/** Roles that a business makes beside the ready ones: a title, and rights ticked by what they are about. */
import { Checkbox, Form, Input, Radio } from 'antd';
import { UserCog } from 'lucide-react';
import { useSession } from '@/app/session';
import { graphql } from '@/gql';
import type { UserListQuery } from '@/gql/graphql';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { Crud } from '@/ui/crud';
import { byDomain } from './rights';
import { identityWords, PERMISSIONS } from './words';

const SAVE = graphql(`
  mutation SaveRole($title: String!, $permissions: [String!]!, $scope: String!, $name: String) {
    saveRole(title: $title, permissions: $permissions, scope: $scope, name: $name) {
      value { name }
      errors { ...Refusal }
    }
  }
`);
const DELETE = graphql(`
  mutation DeleteRole($name: String!) {
    deleteRole(name: $name) { value { ok } errors { ...Refusal } }
  }
`);
type Role = UserListQuery['roles'][number];
const SCOPES = ['own', 'group', 'all'] as const;

export function OwnRoles({
  roles,
  all,
  reload,
}: {
  roles: readonly Role[];
  /** Every permission there is. */
  all: readonly string[];
  reload: () => void;
}) {
  const w = useWords(identityWords);
  const c = useWords(common);
  const text = useText();
  const [save] = useChange(SAVE);
  const [remove] = useChange(DELETE);
  return (
    <Crud
      icon={<UserCog size={32} aria-hidden />}
      rows={roles}
      loading={false}
      may
      rowKey={(role) => role.name}
      nameOf={(role) => text(role.title)}
      words={{
        add: w('newRole'),
        edit: w('editRole'),
        none: w('noRoles'),
        noneHelp: w('noRolesHelp'),
        deleteHelp: w('deleteRoleHelp'),
      }}
      blank={{ title: '', permissions: [] as string[], scope: 'own' }}
      formOf={(role) => ({
        title: text(role.title),
        permissions: role.permissions.filter((name) => name !== 'signed_in'),
        scope: role.scope,
      })}
      save={async (form, role) => (await save({ ...form, name: role?.name }, { quiet: true })).errors}
      remove={async (role) => (await remove({ name: role.name })).value !== null}
      reload={reload}
      width={560}
      columns={[
        { title: w('role'), render: (_, role) => <strong>{text(role.title)}</strong> },
        {
          title: w('mayDo'),
          render: (_, role) =>
            w('rights', { count: role.permissions.filter((name) => name !== 'signed_in').length }),
        },
        {
          title: w('scope'),
          render: (_, role) => {
            const known = SCOPES.find((one) => one === role.scope);
            return known ? w(`scope_${known}`) : role.scope;
          },
        },
        { title: w('users'), width: 120, dataIndex: 'users', className: 'cw-num' },
      ]}
      fields={() => (
        <>
          <Form.Item name="title" label={c('name')} rules={[{ required: true, message: c('required') }]}>
            <Input autoFocus maxLength={60} />
          </Form.Item>
          <Form.Item name="scope" label={w('scope')} extra={w('scopeHelp')}>
            <Radio.Group options={SCOPES.map((value) => ({ value, label: w(`scope_${value}`) }))} />
          </Form.Item>
          <Form.Item name="permissions" label={w('may')} extra={w('rightsHelp')}>
            <Rights all={all} />
          </Form.Item>
        </>
      )}
    />
  );
}

/** Ticks for each right; those that the person does not have cannot be given. */
function Rights({
  all,
  value = [],
  onChange,
}: {
  all: readonly string[];
  value?: string[];
  onChange?: (names: string[]) => void;
}) {
  const text = useText();
  const { person } = useSession();
  const chosen = new Set(value);
  const put = (names: readonly string[], on: boolean) => {
    const next = new Set(chosen);
    for (const name of names) {
      if (on) next.add(name);
      else next.delete(name);
    }
    onChange?.([...next]);
  };
  return (
    <div className="cw-rights">
      {byDomain(all).map(({ key, title, names }) => {
        const mine = names.filter((name) => person.permissions.includes(name));
        const count = names.filter((name) => chosen.has(name)).length;
        return (
          <fieldset key={key}>
            <legend>
              <Checkbox
                checked={count > 0 && mine.every((name) => chosen.has(name))}
                indeterminate={count > 0 && count < names.length}
                disabled={mine.length === 0}
                onChange={(event) => put(mine, event.target.checked)}
              >
                {text(title)}
              </Checkbox>
            </legend>
            {names.map((name) => (
              <Checkbox
                key={name}
                checked={chosen.has(name)}
                disabled={!mine.includes(name) && !chosen.has(name)}
                onChange={(event) => put([name], event.target.checked)}
              >
                {PERMISSIONS[name] ? text(PERMISSIONS[name]) : name}
              </Checkbox>
            ))}
          </fieldset>
        );
      })}
    </div>
  );
}
