/** Small pieces that all pages share. */
import { Button, Popconfirm, Tooltip } from 'antd';
import type { TooltipPlacement } from 'antd/es/tooltip';
import type { LucideIcon } from 'lucide-react';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import { useLanguage, useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { absolute, ago, duration, groupedPhone } from './format';

export { absolute, ago, duration, groupedPhone } from './format';

/** Title of a page, one sentence of what it is for, and its main actions. */
export function PageHeader({
  title,
  help,
  children,
}: {
  title: ReactNode;
  help?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <header className="cw-header">
      <div className="cw-header-text">
        <h1>{title}</h1>
        {help && <p>{help}</p>}
      </div>
      {children && <div className="cw-header-actions">{children}</div>}
    </header>
  );
}

/** An empty page teaches the next step with one button. */
export function EmptyState({
  title,
  help,
  action,
  icon,
}: {
  title: ReactNode;
  help?: ReactNode;
  action?: ReactNode;
  icon?: ReactNode;
}) {
  return (
    <div className="cw-empty">
      {icon}
      <h2>{title}</h2>
      {help && <p>{help}</p>}
      {action && <div className="cw-header-actions">{action}</div>}
    </div>
  );
}

export type Tone = 'act' | 'good' | 'wait' | 'bad' | 'outbound' | 'off';

/** What a whole page says when there is nothing to show on it: why, and the way on. */
export function PageState({
  icon: Icon,
  tone = 'off',
  title,
  help,
  children,
}: {
  icon: LucideIcon;
  tone?: Tone;
  title: ReactNode;
  help?: ReactNode;
  /** Its buttons. */
  children?: ReactNode;
}) {
  return (
    <div className="cw-page-state" role={tone === 'bad' || tone === 'wait' ? 'alert' : undefined}>
      <span className="cw-page-state-icon" style={{ color: `var(--${tone})` }}>
        <Icon size={28} aria-hidden />
      </span>
      <h1>{title}</h1>
      {help && <p>{help}</p>}
      {children && <div className="cw-header-actions">{children}</div>}
    </div>
  );
}

const SHAPES: Record<Tone, string> = {
  act: 'circle',
  good: 'circle',
  wait: 'diamond',
  bad: 'square',
  outbound: 'diamond',
  off: 'ring',
};

/** A state as a coloured shape and a word, so that nobody needs to tell colours apart. */
export function StateTag({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span
      className="cw-state"
      data-shape={SHAPES[tone]}
      style={{ '--tone': `var(--${tone})` } as React.CSSProperties}
    >
      {children}
    </span>
  );
}

/** An alias by the trade's own word; one of somebody's making by its name. */
export function useAliasName(): (alias: string) => string {
  const c = useWords(common);
  return (alias) => (alias === 'live' || alias === 'test' ? c(`alias_${alias}`) : alias);
}

const NAMES = graphql(`
  query PeopleNames {
    peopleNames { id name displayName }
  }
`);

/** Who did it, by id or sign-in name, as people are called; what the installation did by itself by a word. */
export function useWhoName(): (name: string) => string {
  const c = useWords(common);
  const [answer] = useQuery({ query: NAMES });
  const found = answer.data?.peopleNames;
  return useMemo(() => {
    const called = new Map(
      found?.flatMap((one) => [
        [one.name, one.displayName],
        [one.id, one.displayName],
      ]),
    );
    return (name) => (name === 'system' || name === 'cli' ? c(`who_${name}`) : (called.get(name) ?? name));
  }, [found, c]);
}

/** A moment: relative and live, absolute on hover. */
export function Time({ at, exact }: { at: string | null | undefined; exact?: boolean }) {
  const language = useLanguage();
  useTick(exact ? null : 15_000);
  if (!at) return <span className="cw-quiet">–</span>;
  if (exact) return <time dateTime={at}>{absolute(at)}</time>;
  return (
    <Tooltip title={absolute(at)}>
      <time dateTime={at}>{ago(at, language)}</time>
    </Tooltip>
  );
}

/** Seconds as "2 min 05 s"; with `since` it runs live. */
export function Duration({ seconds, since }: { seconds?: number | null; since?: string | null }) {
  const language = useLanguage();
  useTick(since ? 1000 : null);
  const shown = since ? (Date.now() - Date.parse(since)) / 1000 : seconds;
  if (shown === null || shown === undefined) return <span className="cw-quiet">–</span>;
  return <span className="cw-num">{duration(Math.max(0, shown), language)}</span>;
}

/** A mark that appears when a moment has passed, such as the end of a break. */
export function Past({ at, children }: { at: string | null | undefined; children: ReactNode }) {
  useTick(at ? 1000 : null);
  return at && isPast(at) ? <StateTag tone="bad">{children}</StateTag> : null;
}

export const isPast = (at: string, now = Date.now()): boolean => Date.parse(at) <= now;

/** Renders again every so many milliseconds; null for never. */
export function useTick(milliseconds: number | null): void {
  const [, tick] = useState(0);
  useEffect(() => {
    if (milliseconds === null) return;
    const timer = setInterval(() => tick((now) => now + 1), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}

/** A phone number in groups, with the place that it belongs to; what the phone engine calls a browser's phone or a test
 * call, by its word. */
export function Phone({
  number,
  region,
}: {
  number: string | null | undefined;
  region?: { zh: string; en: string } | null;
}) {
  const c = useWords(common);
  const text = useText();
  const own = /^(user|test)-[0-9a-f]{8,}$/.exec(number ?? '');
  if (own) return <span title={number ?? ''}>{c(own[1] === 'user' ? 'browserPhone' : 'testCall')}</span>;
  const place = number ? text(region) : '';
  return (
    <span className="cw-phone">
      <span className="cw-num">{number ? groupedPhone(number) : '–'}</span>
      {place && <span className="cw-quiet cw-place"> {place}</span>}
    </span>
  );
}

/** A button with only a picture: it always has a name, shown on hover and read aloud. */
export function IconButton({
  label,
  icon,
  onClick,
  danger,
  disabled,
  placement,
  shortcut,
  active,
  size,
}: {
  label: string;
  icon: ReactNode;
  onClick?: () => void;
  danger?: boolean;
  disabled?: boolean;
  placement?: TooltipPlacement;
  shortcut?: string;
  active?: boolean;
  size?: 'small' | 'middle' | 'large';
}) {
  return (
    <Tooltip title={shortcut ? `${label}  ${shortcut}` : label} placement={placement}>
      <Button
        type={active ? 'primary' : 'text'}
        size={size}
        aria-label={label}
        aria-pressed={active}
        icon={icon}
        danger={danger}
        disabled={disabled}
        onClick={onClick}
      />
    </Tooltip>
  );
}

/** Asks before something is deleted, and says what it touches. */
export function ConfirmDelete({
  name,
  help,
  onConfirm,
  children,
}: {
  name: string;
  help?: string;
  onConfirm: () => unknown;
  children: ReactNode;
}) {
  const c = useWords(common);
  return (
    <Popconfirm
      placement="topRight"
      title={c('confirmDelete', { name })}
      description={help}
      okText={c('delete')}
      cancelText={c('cancel')}
      okButtonProps={{ danger: true }}
      onConfirm={() => void onConfirm()}
    >
      {children}
    </Popconfirm>
  );
}
