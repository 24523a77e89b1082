/** Ctrl-K: open everything by name. */
import { Input, type InputRef, Modal } from 'antd';
import { FileText, type LucideIcon, Search } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { inMenu } from './pages';
import { pages } from './registry';
import { type Found, searchers } from './searchers';
import { useSession } from './session';
import { appWords } from './words';

export interface PaletteState {
  shown: boolean;
  open(): void;
  close(): void;
}

export function usePalette(): PaletteState {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setShown((now) => !now);
      }
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, []);
  return { shown, open: () => setShown(true), close: () => setShown(false) };
}

interface Entry {
  id: string;
  label: string;
  hint: string;
  to: string;
  icon: LucideIcon;
}

export function CommandPalette({ state }: { state: PaletteState }) {
  const t = useWords(appWords);
  const c = useWords(common);
  const text = useText();
  const navigate = useNavigate();
  const { may } = useSession();
  const [typed, setTyped] = useState('');
  const [{ found, of }, setFound] = useState<{ found: Found[]; of: string | null }>({ found: [], of: null });
  const [at, setAt] = useState(0);
  const input = useRef<InputRef>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is found is named in the person's language
  useEffect(() => {
    if (!state.shown) return;
    let stale = false;
    const timer = setTimeout(async () => {
      const answers = await Promise.all(
        searchers.filter((one) => may(one.permission)).map((one) => one.search(typed).catch(() => [])),
      );
      if (!stale) setFound({ found: answers.flat(), of: typed });
    }, 120);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [typed, state.shown, may, text]);

  const entries = useMemo<Entry[]>(() => {
    const wanted = typed.trim().toLowerCase();
    const own = inMenu(pages, may)
      .filter((page) => !wanted || `${page.title.zh} ${page.title.en}`.toLowerCase().includes(wanted))
      .map((page) => ({
        id: `page:${page.path}`,
        label: text(page.title),
        hint: t('pages'),
        to: page.path,
        icon: page.icon ?? FileText,
      }));
    const others = found.map((one) => ({ ...one, hint: text(one.kind) }));
    return (wanted ? [...others, ...own] : [...own, ...others]).slice(0, 40);
  }, [typed, found, may, text, t]);

  // What the arrow keys choose stays in view.
  useEffect(() => {
    if (state.shown) document.getElementById(`cw-palette-${at}`)?.scrollIntoView({ block: 'nearest' });
  }, [at, state.shown]);

  const go = (entry: Entry | undefined) => {
    if (!entry) return;
    state.close();
    setTyped('');
    void navigate(entry.to);
  };

  return (
    <Modal
      open={state.shown}
      onCancel={state.close}
      footer={null}
      closable={false}
      width={560}
      destroyOnHidden
      title={null}
      aria-label={t('goTo')}
      afterOpenChange={(open) => {
        if (open) input.current?.focus();
      }}
      styles={{ container: { padding: 8 } }}
    >
      <Input
        ref={input}
        size="large"
        variant="borderless"
        prefix={<Search size={16} aria-hidden />}
        placeholder={t('paletteHint')}
        aria-label={t('goTo')}
        role="combobox"
        aria-expanded
        aria-controls="cw-palette"
        aria-activedescendant={entries[at] ? `cw-palette-${at}` : undefined}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt((now) => Math.min(now + 1, entries.length - 1));
          else if (event.key === 'ArrowUp') setAt((now) => Math.max(now - 1, 0));
          else if (event.key === 'Enter') go(entries[at]);
          else return;
          event.preventDefault();
        }}
      />
      <div id="cw-palette" role="listbox" className="cw-palette" aria-label={t('goTo')}>
        {entries.map((entry, index) => (
          <div
            key={entry.id}
            id={`cw-palette-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            className={index === at ? 'cw-palette-row on' : 'cw-palette-row'}
            onMouseMove={() => setAt(index)}
            onClick={() => go(entry)}
            onKeyDown={(event) => event.key === 'Enter' && go(entry)}
          >
            <entry.icon size={16} aria-hidden />
            <span>{entry.label}</span>
            <small>{entry.hint}</small>
          </div>
        ))}
        {entries.length === 0 && (
          <div className="cw-palette-none" role="option" aria-selected={false} tabIndex={-1}>
            {of === typed ? t('nothingFound') : c('loading')}
          </div>
        )}
      </div>
    </Modal>
  );
}
