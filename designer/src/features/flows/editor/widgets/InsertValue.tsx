/** A button that opens everything an expression may name, to put it where the cursor is. */
import { Button, Input, type InputRef, Popover } from 'antd';
import { Braces } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { useText, useWords } from '@/i18n';
import { type Entry, type Group, searched } from './scope';
import { useScope } from './useScope';
import { widgetWords } from './words';

const GROUPS: Group[] = ['variables', 'outputs', 'customer', 'caller', 'other'];

export function InsertValue({
  onPick,
  disabled,
  label,
}: {
  onPick: (path: string) => void;
  disabled?: boolean;
  label?: string;
}) {
  const w = useWords(widgetWords);
  const [open, setOpen] = useState(false);
  return (
    <Popover
      open={open}
      onOpenChange={setOpen}
      trigger="click"
      placement="bottomRight"
      arrow={false}
      destroyOnHidden
      content={
        <Values
          onPick={(path) => {
            setOpen(false);
            onPick(path);
          }}
        />
      }
    >
      <Button
        size="small"
        type="text"
        className="cw-insert"
        icon={<Braces size={14} />}
        aria-label={label ?? w('insert')}
        title={w('insert')}
        aria-haspopup="dialog"
        aria-expanded={open}
        disabled={disabled}
      />
    </Popover>
  );
}

function Values({ onPick }: { onPick: (path: string) => void }) {
  const w = useWords(widgetWords);
  const t = useText();
  const entries = useScope();
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const input = useRef<InputRef>(null);
  const ordered = useMemo(() => {
    const found = searched(entries, typed);
    return GROUPS.flatMap((group) => found.filter((one) => one.group === group));
  }, [entries, typed]);
  const active = ordered[Math.min(at, ordered.length - 1)];
  return (
    <div className="cw-insert-values">
      <Input
        ref={input}
        autoFocus
        allowClear
        placeholder={w('searchValues')}
        aria-label={w('searchValues')}
        role="combobox"
        aria-expanded
        aria-controls="cw-values-list"
        aria-activedescendant={active ? `cw-value-${active.path}` : undefined}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
          if (by !== 0) {
            event.preventDefault();
            setAt((now) => Math.max(0, Math.min(ordered.length - 1, now + by)));
          } else if (event.key === 'Enter' && active) {
            event.preventDefault();
            onPick(active.path);
          }
        }}
      />
      <div className="cw-values-list" id="cw-values-list" role="listbox" aria-label={w('insert')}>
        {ordered.length === 0 && <p className="cw-quiet">{w('noValues')}</p>}
        {GROUPS.map((group) => {
          const inGroup = ordered.filter((one) => one.group === group);
          if (inGroup.length === 0) return null;
          return (
            <div key={group} role="group" aria-label={w(group)}>
              <div className="cw-values-group" aria-hidden="true">
                {w(group)}
              </div>
              {inGroup.map((entry) => (
                <Row
                  key={entry.path}
                  entry={entry}
                  title={t(entry.title)}
                  active={entry === active}
                  first={at === 0}
                  onPick={onPick}
                />
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Row({
  entry,
  title,
  active,
  first,
  onPick,
}: {
  entry: Entry;
  title: string;
  active: boolean;
  /** The heading above it should be seen too. */
  first: boolean;
  onPick: (path: string) => void;
}) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the search box has the focus and its keys choose a row
    <div
      id={`cw-value-${entry.path}`}
      role="option"
      tabIndex={-1}
      aria-selected={active}
      data-active={active || undefined}
      className="cw-values-row"
      ref={(row) => {
        if (active) row?.scrollIntoView?.({ block: first ? 'end' : 'nearest' });
      }}
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => onPick(entry.path)}
    >
      <span>{title}</span>
      <code>{entry.path}</code>
      {entry.sample && <small className="cw-quiet">{entry.sample}</small>}
    </div>
  );
}
