import { StyleProvider } from '@ant-design/cssinjs';
import { App as AntApp, Button, ConfigProvider, Spin } from 'antd';
import en from 'antd/locale/en_US';
import zh from 'antd/locale/zh_CN';
import dayjs from 'dayjs';
import 'dayjs/locale/zh-cn';
import { Compass, LockKeyhole, Unplug } from 'lucide-react';
import { Suspense, useEffect } from 'react';
import { BrowserRouter, Navigate, Route, Routes, useLocation, useNavigate } from 'react-router';
import { Provider } from 'urql';
import { client, restartSocket } from '@/graphql/client';
import { useLanguage, useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { PageState } from '@/ui';
import { ChangePasswordForm } from './ChangePassword';
import { ErrorBoundary } from './ErrorBoundary';
import { inMenu } from './pages';
import { pages } from './registry';
import { pageAt, Shell } from './Shell';
import { OtherLanguage, SignInPage } from './SignIn';
import { SessionProvider, useSession, useSignOut } from './session';
import { themeOf, useLook } from './theme';
import { appWords } from './words';

export function App() {
  const language = useLanguage();
  const { mode } = useLook();
  dayjs.locale(language === 'zh' ? 'zh-cn' : 'en');
  return (
    <StyleProvider layer>
      <ConfigProvider
        theme={themeOf(mode)}
        locale={language === 'zh' ? zh : en}
        button={{ autoInsertSpace: false }}
        form={{ colon: false }}
      >
        <AntApp
          notification={{ placement: 'topRight', top: 60, duration: 8 }}
          message={{ maxCount: 3 }}
          className="cw-root"
        >
          <Provider value={client}>
            <BrowserRouter>
              <ErrorBoundary>
                <SessionProvider
                  waiting={<Waiting />}
                  away={(retry) => <Away retry={retry} />}
                  signIn={(done) => (
                    <SignInPage
                      done={() => {
                        restartSocket();
                        done();
                      }}
                    />
                  )}
                >
                  <Inside />
                </SessionProvider>
              </ErrorBoundary>
            </BrowserRouter>
          </Provider>
        </AntApp>
      </ConfigProvider>
    </StyleProvider>
  );
}

function Waiting() {
  return <Spin fullscreen delay={300} />;
}

function Away({ retry }: { retry: () => void }) {
  const c = useWords(common);
  useEffect(() => {
    const timer = setInterval(retry, 3000);
    return () => clearInterval(timer);
  }, [retry]);
  return (
    <main className="cw-alone">
      <PageState icon={Unplug} tone="wait" title={c('away')} help={c('awayHelp')}>
        <Button onClick={retry}>{c('retry')}</Button>
      </PageState>
    </main>
  );
}

function SignOut() {
  const t = useWords(appWords);
  const signOut = useSignOut();
  return (
    <Button type="link" size="small" onClick={() => void signOut()}>
      {t('signOut')}
    </Button>
  );
}

function Inside() {
  const t = useWords(appWords);
  const { person, reload } = useSession();
  if (person.mustChangePassword) {
    return (
      <main className="cw-signin">
        <section className="cw-signin-card">
          <h1>{t('changePassword')}</h1>
          <p>{t('mustChange')}</p>
          <ChangePasswordForm done={reload} />
          <footer>
            <SignOut />
            <OtherLanguage />
          </footer>
        </section>
      </main>
    );
  }
  return (
    <Shell>
      <Routes>
        <Route path="/" element={<Home />} />
        {pages.map((page) => (
          <Route key={page.path} path={page.path} element={<PageFrame path={page.path} />} />
        ))}
        <Route path="*" element={<NotFound />} />
      </Routes>
    </Shell>
  );
}

/** Where the day begins, by what a person may do. */
const STARTS = [
  ['system.manage', '/flows'],
  ['floor.watch', '/floor'],
  ['agent.work', '/console'],
  ['recordings.listen', '/recordings'],
] as const;

/** The start page: of the person's work, or the first page of the menu that they may see. */
function Home() {
  const { may } = useSession();
  const start = STARTS.find(([permission]) => may(permission))?.[1];
  if (start && may(pages.find((one) => one.path === start)?.permission))
    return <Navigate to={start} replace />;
  const first = inMenu(pages, may)[0];
  if (first) return <Navigate to={first.path} replace />;
  return <NotFound />;
}

function PageFrame({ path }: { path: string }) {
  const text = useText();
  const { may } = useSession();
  const location = useLocation();
  const page = pages.find((one) => one.path === path);
  const title = page ? text(page.title) : '';
  useEffect(() => {
    document.title = title ? `${title} · Callweave` : 'Callweave';
  }, [title]);
  if (!page) return <NotFound />;
  if (!may(page.permission)) return <NoPermission title={title} />;
  return (
    <ErrorBoundary key={pageAt(location.pathname)?.path}>
      <Suspense fallback={<Spin className="cw-page-spin" delay={200} />}>
        <page.component />
      </Suspense>
    </ErrorBoundary>
  );
}

function NotFound() {
  const c = useWords(common);
  const navigate = useNavigate();
  const title = c('notFound');
  useEffect(() => {
    document.title = `${title} · Callweave`;
  }, [title]);
  return (
    <PageState icon={Compass} title={title} help={c('notFoundHelp')}>
      <Button type="primary" onClick={() => void navigate('/')}>
        {c('home')}
      </Button>
    </PageState>
  );
}

function NoPermission({ title }: { title: string }) {
  const c = useWords(common);
  const navigate = useNavigate();
  return (
    <PageState icon={LockKeyhole} title={c('noPermissionTitle', { page: title })} help={c('noPermission')}>
      <Button type="primary" onClick={() => void navigate('/')}>
        {c('home')}
      </Button>
    </PageState>
  );
}
