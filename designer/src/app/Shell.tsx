import { Badge, Button, Dropdown, Empty, Layout, Menu, Modal, Popover, Progress, Tooltip } from 'antd';
import {
  KeyRound,
  Languages,
  ListTodo,
  LogOut,
  Monitor,
  Moon,
  PanelLeftClose,
  PanelLeftOpen,
  Search,
  Sun,
  UserRound,
} from 'lucide-react';
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { Link, matchPath, useLocation } from 'react-router';
import { restartSocket } from '@/graphql/client';
import { useConnection } from '@/graphql/connection';
import { labelled, setLanguage, useLanguage, useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { useWhoName } from '@/ui';
import { ChangePasswordForm } from './ChangePassword';
import { CommandPalette, usePalette } from './CommandPalette';
import { groups, inMenu, type Page } from './pages';
import { pages } from './registry';
import { SignInForm } from './SignIn';
import { useSession, useSignOut } from './session';
import { useLook } from './theme';
import { useTray } from './tray';
import { appWords } from './words';

const GROUP_WORDS = {
  work: 'groupWork',
  floor: 'groupFloor',
  design: 'groupDesign',
  records: 'groupRecords',
  setup: 'groupSetup',
  system: 'groupSystem',
} as const;

const AgentRoot = lazy(() => import('@/features/console/AgentRoot'));

const KEPT = 'callweave.menu';

export function pageAt(path: string): Page | undefined {
  return pages.find((page) => matchPath({ path: page.path, end: true }, path));
}

export function Shell({ children }: { children: ReactNode }) {
  const t = useWords(appWords);
  const c = useWords(common);
  const session = useSession();
  const { online, signInAgain, signedIn } = useConnection();
  const location = useLocation();
  const current = pageAt(location.pathname);
  // Pages that fill the room (the canvas, the console) begin with a narrow menu; each kind keeps its own choice.
  const kept = current?.full ? `${KEPT}.full` : KEPT;
  const [chosen, setChosen] = useState<Record<string, string | null>>({});
  const narrow =
    (chosen[kept] ?? localStorage.getItem(kept) ?? (current?.full ? 'narrow' : 'wide')) === 'narrow';
  const palette = usePalette();

  return (
    <Layout className="cw-app">
      <a className="cw-skip" href="#content">
        {t('toContent')}
      </a>
      <Layout.Sider
        className="cw-sider"
        collapsed={narrow}
        width={208}
        collapsedWidth={52}
        trigger={null}
        aria-label={t('menu')}
      >
        <div className="cw-brand">
          <Link to="/" aria-label={t('product')}>
            <img src="/favicon.svg" alt="" width={28} height={28} />
            {!narrow && <strong>{t('product')}</strong>}
          </Link>
        </div>
        <Tooltip title={narrow ? `${t('goTo')} Ctrl K` : ''} placement="right">
          <Button className="cw-goto" onClick={palette.open} aria-label={narrow ? t('goTo') : undefined}>
            <Search size={16} aria-hidden />
            {!narrow && (
              <>
                <span>{t('goTo')}</span>
                <kbd>Ctrl K</kbd>
              </>
            )}
          </Button>
        </Tooltip>
        <MainMenu narrow={narrow} current={current} />
        <div className={narrow ? 'cw-foot narrow' : 'cw-foot'}>
          <TrayButton />
          <LanguageButton />
          <ThemeButton />
          <AccountButton />
          <Tooltip title={narrow ? t('expand') : t('collapse')} placement="right">
            <Button
              type="text"
              aria-label={narrow ? t('expand') : t('collapse')}
              icon={narrow ? <PanelLeftOpen size={16} /> : <PanelLeftClose size={16} />}
              onClick={() => {
                const next = narrow ? 'wide' : 'narrow';
                localStorage.setItem(kept, next);
                setChosen({ ...chosen, [kept]: next });
              }}
            />
          </Tooltip>
        </div>
      </Layout.Sider>
      <Layout.Content className={current?.full ? 'cw-content full' : 'cw-content'} id="content" tabIndex={-1}>
        {!online && (
          <div className="cw-offline" role="status">
            {c('offline')}
          </div>
        )}
        {children}
      </Layout.Content>
      {session.may('agent.work') && (
        <Suspense>
          <AgentRoot />
        </Suspense>
      )}
      <CommandPalette state={palette} />
      <Modal
        open={signInAgain}
        footer={null}
        closable={false}
        title={t('signIn')}
        width={400}
        destroyOnHidden
      >
        <p className="cw-session-over">{c('sessionOver')}</p>
        <SignInForm
          name={session.person.name}
          done={() => {
            restartSocket();
            signedIn();
            session.reload();
          }}
        />
      </Modal>
    </Layout>
  );
}

function MainMenu({ narrow, current }: { narrow: boolean; current: Page | undefined }) {
  const t = useWords(appWords);
  const text = useText();
  const { may } = useSession();
  const items = useMemo(
    () =>
      groups.flatMap((group) => {
        const mine = inMenu(pages, may).filter((page) => page.group === group);
        if (mine.length === 0) return [];
        return [
          {
            type: 'group' as const,
            key: group,
            label: narrow ? null : t(GROUP_WORDS[group]),
            children: mine.map((page) => ({
              key: page.path,
              icon: page.icon && <page.icon size={16} aria-hidden />,
              label: <Link to={page.path}>{text(page.title)}</Link>,
              title: text(page.title),
            })),
          },
        ];
      }),
    [may, narrow, t, text],
  );
  const root =
    current && (pages.find((page) => page.group && current.path.startsWith(page.path))?.path ?? '');
  const nav = useRef<HTMLElement>(null);
  // On a low screen the menu scrolls: the page one is on stays in view.
  useEffect(() => {
    if (root) nav.current?.querySelector('.ant-menu-item-selected')?.scrollIntoView({ block: 'nearest' });
  }, [root]);
  return (
    <nav className="cw-menu" aria-label={t('menu')} ref={nav}>
      <Menu mode="inline" inlineIndent={12} items={items} selectedKeys={root ? [root] : []} />
    </nav>
  );
}

function LanguageButton() {
  const t = useWords(appWords);
  const language = useLanguage();
  return (
    <Tooltip title={labelled(t('language'), language === 'zh' ? 'English' : '中文')}>
      <Button
        type="text"
        aria-label={t('language')}
        icon={<Languages size={16} />}
        onClick={() => setLanguage(language === 'zh' ? 'en' : 'zh')}
      />
    </Tooltip>
  );
}

// Beside a narrow menu only what has an icon is shown with its words.
const LOOKS = { light: Sun, dark: Moon, system: Monitor };

function ThemeButton() {
  const t = useWords(appWords);
  const { choice, mode, choose } = useLook();
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectable: true,
        selectedKeys: [choice],
        items: (['light', 'dark', 'system'] as const).map((one) => {
          const Icon = LOOKS[one];
          return { key: one, label: t(one), icon: <Icon size={14} aria-hidden /> };
        }),
        onClick: ({ key }) => choose(key as 'light' | 'dark' | 'system'),
      }}
    >
      <Button
        type="text"
        aria-label={t('theme')}
        icon={mode === 'dark' ? <Moon size={16} /> : <Sun size={16} />}
      />
    </Dropdown>
  );
}

function Who({ name, called }: { name: string; called: string }) {
  return (
    <>
      {called} {called !== name && <small>{name}</small>}
    </>
  );
}

function AccountButton() {
  const t = useWords(appWords);
  const signOut = useSignOut();
  const whoName = useWhoName();
  const { person } = useSession();
  const [changing, setChanging] = useState(false);
  return (
    <>
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            {
              key: 'who',
              type: 'group' as const,
              label: <Who name={person.name} called={whoName(person.name)} />,
            },
            { key: 'password', label: t('changePassword'), icon: <KeyRound size={14} /> },
            { key: 'out', label: t('signOut'), icon: <LogOut size={14} /> },
          ],
          onClick: ({ key }) => {
            if (key === 'password') setChanging(true);
            if (key === 'out') void signOut();
          },
        }}
      >
        <Button type="text" aria-label={t('account')} icon={<UserRound size={16} />} />
      </Dropdown>
      <Modal
        open={changing}
        onCancel={() => setChanging(false)}
        footer={null}
        title={t('changePassword')}
        width={400}
        destroyOnHidden
      >
        <ChangePasswordForm done={() => setChanging(false)} />
      </Modal>
    </>
  );
}

function TrayButton() {
  const t = useWords(appWords);
  const { jobs } = useTray();
  const running = jobs.filter((job) => job.state === 'running').length;
  return (
    <Popover
      trigger="click"
      placement="rightBottom"
      title={t('tray')}
      content={
        jobs.length === 0 ? (
          <Empty
            image={Empty.PRESENTED_IMAGE_SIMPLE}
            description={t('trayEmpty')}
            style={{ maxWidth: 280 }}
          />
        ) : (
          <ul className="cw-jobs">
            {jobs.slice(0, 12).map((job) => (
              <li key={job.id}>
                {job.title}
                <Progress
                  size="small"
                  percent={job.progress === null ? 50 : Math.round(job.progress * 100)}
                  showInfo={job.progress !== null}
                  status={job.state === 'failed' ? 'exception' : job.state === 'done' ? 'success' : 'active'}
                />
                {job.message && <div role="alert">{job.message}</div>}
              </li>
            ))}
          </ul>
        )
      }
    >
      <Button
        type="text"
        aria-label={t('tray')}
        icon={
          <Badge count={running} size="small">
            <ListTodo size={16} />
          </Badge>
        }
      />
    </Popover>
  );
}
