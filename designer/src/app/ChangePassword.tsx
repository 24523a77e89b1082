import { Alert, Button, Form, Input } from 'antd';
import { useState } from 'react';
import { graphql } from '@/gql';
import { useChange, wordsOf } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { appWords } from './words';

const CHANGE = graphql(`
  mutation ChangePassword($old: String!, $new: String!) {
    changePassword(old: $old, new: $new) {
      value { ok }
      errors { ...Refusal }
    }
  }
`);

export function ChangePasswordForm({ done }: { done: () => void }) {
  const t = useWords(appWords);
  const c = useWords(common);
  const [change, busy] = useChange(CHANGE);
  const [problem, setProblem] = useState('');
  const needed = { required: true, message: c('required') };
  return (
    <Form
      layout="vertical"
      requiredMark={false}
      onFinish={async (values: { old: string; new: string }) => {
        setProblem('');
        const answer = await change({ old: values.old, new: values.new }, { quiet: true });
        if (answer.value) done();
        else setProblem(answer.errors.map(wordsOf).join(' '));
      }}
    >
      {problem && <Alert type="error" showIcon title={problem} style={{ marginBottom: 16 }} />}
      <Form.Item name="old" label={t('oldPassword')} rules={[needed]}>
        <Input.Password autoComplete="current-password" autoFocus />
      </Form.Item>
      <Form.Item name="new" label={t('newPassword')} extra={t('passwordRule')} rules={[needed]}>
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Form.Item
        name="again"
        label={t('repeat')}
        dependencies={['new']}
        rules={[
          needed,
          ({ getFieldValue }) => ({
            validator: (_, value) =>
              !value || value === getFieldValue('new')
                ? Promise.resolve()
                : Promise.reject(new Error(t('notSame'))),
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Button type="primary" htmlType="submit" block loading={busy}>
        {t('changePassword')}
      </Button>
    </Form>
  );
}
