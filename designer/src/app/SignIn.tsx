import { Alert, Button, Form, Input } from 'antd';
import { LockKeyhole, UserRound } from 'lucide-react';
import { useState } from 'react';
import { graphql } from '@/gql';
import { useChange, wordsOf } from '@/graphql/useChange';
import { setLanguage, useLanguage, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { appWords } from './words';

const LOGIN = graphql(`
  mutation Login($name: String!, $password: String!) {
    login(name: $name, password: $password) {
      value { id name }
      errors { ...Refusal }
    }
  }
`);

/** The form by itself: on the sign-in page, and in the dialog when a sign-in has ended while somebody works. */
export function SignInForm({ name, done }: { name?: string; done: () => void }) {
  const t = useWords(appWords);
  const c = useWords(common);
  const [login, busy] = useChange(LOGIN);
  const [problem, setProblem] = useState('');
  return (
    <Form
      layout="vertical"
      requiredMark={false}
      initialValues={{ name }}
      onFinish={async (values: { name: string; password: string }) => {
        setProblem('');
        const answer = await login(values, { quiet: true });
        if (answer.value) done();
        else setProblem(answer.errors.map(wordsOf).join(' ') || t('wrong'));
      }}
    >
      {problem && <Alert type="error" showIcon title={problem} style={{ marginBottom: 16 }} />}
      <Form.Item name="name" label={t('name')} rules={[{ required: true, message: c('required') }]}>
        <Input
          prefix={<UserRound size={16} aria-hidden />}
          autoFocus={!name}
          autoComplete="username"
          size="large"
        />
      </Form.Item>
      <Form.Item name="password" label={t('password')} rules={[{ required: true, message: c('required') }]}>
        <Input.Password
          prefix={<LockKeyhole size={16} aria-hidden />}
          autoFocus={Boolean(name)}
          autoComplete="current-password"
          size="large"
        />
      </Form.Item>
      <Button type="primary" htmlType="submit" size="large" block loading={busy}>
        {t('signIn')}
      </Button>
    </Form>
  );
}

/** The way to the other language, before anybody knows who looks. */
export function OtherLanguage() {
  const language = useLanguage();
  return (
    <Button type="link" size="small" onClick={() => setLanguage(language === 'zh' ? 'en' : 'zh')}>
      {language === 'zh' ? 'English' : '中文'}
    </Button>
  );
}

export function SignInPage({ done }: { done: () => void }) {
  const t = useWords(appWords);
  return (
    <main className="cw-signin">
      <section className="cw-signin-card" aria-label={t('signIn')}>
        <header>
          <img src="/favicon.svg" alt="" width={40} height={40} />
          <div>
            <h1>{t('product')}</h1>
            <p>{t('claim')}</p>
          </div>
        </header>
        <SignInForm done={done} />
        <footer>
          <span>{t('forgotten')}</span>
          <OtherLanguage />
        </footer>
      </section>
    </main>
  );
}
