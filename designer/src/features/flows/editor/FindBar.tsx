/** Finding in the flow: names, texts, settings. Enter goes to the next hit. */
import { Input } from 'antd';
import { ChevronDown, ChevronUp, X } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { IconButton } from '@/ui';
import { useActions } from './actions';
import { useCatalogue } from './catalogue';
import { find, type Hit } from './finding';
import { docOf, useEditor, useEditorStore } from './store';
import { useNodeName } from './useNodeName';
import { editorWords } from './words';

export function FindBar() {
  const finding = useEditor((state) => state.finding);
  return finding ? <Open /> : null;
}

function Open() {
  const t = useWords(editorWords);
  const c = useWords(common);
  const store = useEditorStore();
  const actions = useActions();
  const catalogue = useCatalogue();
  const doc = useEditor(docOf);
  const nameOf = useNodeName();
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(-1);
  const hits = useMemo(() => find(doc, typed, catalogue), [doc, typed, catalogue]);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
  });
  const close = () => {
    store.getState().find(false);
    document.querySelector<HTMLElement>('.cw-ed-canvas .react-flow')?.focus();
  };
  const go = (index: number) => {
    const hit = hits[(index + hits.length) % hits.length];
    if (!hit) return;
    setAt((index + hits.length) % hits.length);
    show(hit);
  };
  const show = (hit: Hit) => {
    if (hit.node.startsWith('note:')) store.getState().select({ comments: new Set([hit.node.slice(5)]) });
    else store.getState().focus(hit.node, hit.field || null);
    actions.reveal([hit.node]);
  };
  return (
    <div className="cw-ed-find" role="search" aria-label={t('find')}>
      <div className="cw-ed-row">
        <Input
          autoFocus
          size="small"
          placeholder={t('findHint')}
          aria-label={t('find')}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(-1);
          }}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === 'Escape') close();
            else if (event.key === 'Enter') go(at + (event.shiftKey ? -1 : 1));
            else if (event.key === 'ArrowDown') go(at + 1);
            else if (event.key === 'ArrowUp') go(at - 1);
            else return;
            event.preventDefault();
          }}
        />
        <span className="cw-num cw-quiet" role="status">
          {typed && (hits.length === 0 ? t('none') : `${Math.max(at + 1, 0)}/${hits.length}`)}
        </span>
        <IconButton
          size="small"
          label={t('previous')}
          icon={<ChevronUp size={15} />}
          onClick={() => go(at - 1)}
        />
        <IconButton
          size="small"
          label={t('next')}
          icon={<ChevronDown size={15} />}
          onClick={() => go(at + 1)}
        />
        <IconButton size="small" label={c('close')} icon={<X size={15} />} onClick={close} />
      </div>
      {hits.length > 0 && (
        <ol ref={list}>
          {hits.slice(0, 60).map((hit, index) => (
            <li key={`${hit.node}/${hit.field}`}>
              <button type="button" aria-current={index === at || undefined} onClick={() => go(index)}>
                <b>{hit.node.startsWith('note:') ? t('note') : nameOf(hit.node)}</b>
                <span>
                  {hit.before}
                  <mark>{hit.found}</mark>
                  {hit.after}
                </span>
              </button>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
