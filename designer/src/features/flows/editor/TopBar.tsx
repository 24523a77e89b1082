/** Where one is, whether the work is saved, who else is here, and what can be done with the flow. */
import { Button, Input, Tooltip } from 'antd';
import { ChevronRight, Redo2, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { useText, useWords } from '@/i18n';
import { IconButton, StateTag, Time, useWhoName } from '@/ui';
import { Presence } from './Presence';
import { actions } from './slots';
import { docOf, fixed, useEditor, useEditorStore } from './store';
import { editorWords } from './words';

export function TopBar() {
  const t = useWords(editorWords);
  return (
    <header className="cw-ed-top">
      <nav className="cw-ed-crumbs" aria-label={t('flows')}>
        <Link to="/flows">{t('flows')}</Link>
        <ChevronRight size={14} aria-hidden />
        <Name />
      </nav>
      <SaveState />
      <History />
      <div className="cw-ed-actions">
        <Presence />
        {actions.map((action) => (
          <action.component key={action.id} />
        ))}
      </div>
    </header>
  );
}

function Name() {
  const t = useWords(editorWords);
  const store = useEditorStore();
  const name = useEditor((state) => docOf(state).name);
  const locked = useEditor(fixed);
  const [typed, setTyped] = useState<string | null>(null);
  if (typed === null || locked) {
    return (
      <h1>
        {locked ? (
          name
        ) : (
          <Tooltip title={t('rename')}>
            <Button type="text" className="cw-ed-name" onClick={() => setTyped(name)}>
              {name || store.getState().key}
            </Button>
          </Tooltip>
        )}
      </h1>
    );
  }
  const done = (keep: boolean) => {
    const wanted = typed.trim();
    if (keep && wanted && wanted !== name)
      store
        .getState()
        .apply({ zh: '修改流程名称', en: 'Rename the flow' }, (doc) => ({ ...doc, name: wanted }));
    setTyped(null);
  };
  return (
    <Input
      size="small"
      className="cw-ed-rename"
      aria-label={t('rename')}
      autoFocus
      value={typed}
      maxLength={120}
      onChange={(event) => setTyped(event.target.value)}
      onFocus={(event) => event.target.select()}
      onBlur={() => done(true)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === 'Enter') done(true);
        if (event.key === 'Escape') done(false);
      }}
    />
  );
}

function SaveState() {
  const t = useWords(editorWords);
  const text = useText();
  const whoName = useWhoName();
  const store = useEditorStore();
  const save = useEditor((state) => state.save);
  const readOnly = useEditor((state) => state.readOnly);
  const shown = useEditor((state) => state.shown !== null);
  if (readOnly) return <StateTag tone="off">{t('readOnly')}</StateTag>;
  if (shown) return <StateTag tone="off">{t('shownOnly')}</StateTag>;
  return (
    <span className="cw-ed-save" role="status">
      <span className="cw-quiet">{t('draft')}</span>{' '}
      {save.state === 'saved' && (
        <StateTag tone="good">
          <Tooltip title={save.by ? whoName(save.by) : undefined}>
            {t('saved', { time: '' }).trim()} {save.at && <Time at={save.at} />}
          </Tooltip>
        </StateTag>
      )}
      {save.state === 'saving' && <StateTag tone="act">{t('saving')}</StateTag>}
      {save.state === 'waiting' && <StateTag tone="act">{t('saving')}</StateTag>}
      {save.state === 'kept' && <StateTag tone="wait">{t('keptHere')}</StateTag>}
      {save.state === 'refused' && (
        <Tooltip title={text(save.why)}>
          <StateTag tone="bad">{t('refused', { why: text(save.why) })}</StateTag>
        </Tooltip>
      )}
      {save.state === 'conflict' && (
        <Button size="small" danger onClick={() => store.getState().ask('conflict')}>
          {t('conflict')}
        </Button>
      )}
    </span>
  );
}

function History() {
  const t = useWords(editorWords);
  const text = useText();
  const store = useEditorStore();
  const last = useEditor((state) => state.past.at(-1)?.label);
  const next = useEditor((state) => state.future[0]?.label);
  const locked = useEditor(fixed);
  if (locked) return null;
  return (
    <span className="cw-ed-history">
      <IconButton
        label={last ? t('undoOf', { what: text(last) }) : t('undo')}
        shortcut="Ctrl Z"
        icon={<Undo2 size={16} />}
        disabled={!last}
        onClick={() => store.getState().undo()}
      />
      <IconButton
        label={next ? t('redoOf', { what: text(next) }) : t('redo')}
        shortcut="Ctrl Shift Z"
        icon={<Redo2 size={16} />}
        disabled={!next}
        onClick={() => store.getState().redo()}
      />
    </span>
  );
}
