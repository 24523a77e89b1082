/** What pages with lists share. */
import { Alert, Button, Input } from 'antd';
import { Search } from 'lucide-react';
import type { ReactNode } from 'react';
import type { CombinedError } from 'urql';
import { refusalOf } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import './lists.css';

/** Why nothing could be read, and a button to try again. */
export function Failure({ error, retry }: { error: CombinedError | undefined; retry: () => void }) {
  const c = useWords(common);
  if (!error) return null;
  return (
    <Alert
      type="error"
      showIcon
      className="cw-failure"
      title={refusalOf(error)}
      action={
        <Button size="small" onClick={retry}>
          {c('retry')}
        </Button>
      }
    />
  );
}

export function SearchBox({
  value,
  onChange,
  label,
  width = 220,
}: {
  value: string;
  onChange: (value: string) => void;
  label?: string;
  width?: number;
}) {
  const c = useWords(common);
  return (
    <Input
      allowClear
      prefix={<Search size={14} aria-hidden />}
      style={{ width }}
      value={value}
      aria-label={label ?? c('search')}
      placeholder={label ?? c('search')}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

/** The row of filters above a list. */
export function FilterBar({ children }: { children: ReactNode }) {
  return (
    <div className="cw-filters" role="search">
      {children}
    </div>
  );
}

/** Hand a text to the person as a file. */
export function saveFile(name: string, content: string, type = 'application/json'): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Label and value, one below the other, as many beside each other as fit. */
export function Facts({ items }: { items: { label: ReactNode; value: ReactNode; key: string }[] }) {
  return (
    <dl className="cw-facts">
      {items.map((item) => (
        <div key={item.key}>
          <dt>{item.label}</dt>
          <dd>{item.value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Card({
  title,
  children,
  actions,
  className,
}: {
  title?: ReactNode;
  children: ReactNode;
  actions?: ReactNode;
  className?: string;
}) {
  return (
    <section className={className ? `cw-box ${className}` : 'cw-box'}>
      {(title || actions) && (
        <header>
          <h2>{title}</h2>
          {actions}
        </header>
      )}
      {children}
    </section>
  );
}

/** A label above whatever control is inside it, outside of a form. */
export function Field({ label, children }: { label: ReactNode; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label className="cw-labelled">
      <span>{label}</span>
      {children}
    </label>
  );
}

/** A customer's level; those that go first in queues stand out. */
export function LevelTag({ vip, children }: { vip: boolean; children: string }) {
  return (
    <span className="cw-level-tag" data-vip={vip || undefined}>
      {children}
    </span>
  );
}

/** The button below a list that goes on. */
export function LoadMore({
  pages,
}: {
  pages: { hasNext: boolean; loading: boolean; loadMore: () => Promise<void> };
}) {
  const c = useWords(common);
  if (!pages.hasNext) return null;
  return (
    <div className="cw-more">
      <Button loading={pages.loading} onClick={() => void pages.loadMore()}>
        {c('loadMore')}
      </Button>
    </div>
  );
}
