/** The node types by family: drag one onto the canvas or an edge, or press Enter to add it after what is selected. */
import { Input } from 'antd';
import { PanelLeftClose, PanelLeftOpen, Search } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useText, useWords } from '@/i18n';
import { IconButton } from '@/ui';
import { useActions } from './actions';
import { type NodeTypeInfo, useCatalogue } from './catalogue';
import { NodeIcon } from './icons';
import { docOf, fixed, useEditor } from './store';
import { editorWords } from './words';

export const DRAGGED = 'application/x-callweave-node';
const KEPT = 'callweave.editor.palette';

export function familyTitle(t: (key: never) => string, family: string): string {
  return t(family as never) || family;
}

/** Whether what was typed is in a node type's names, in either language. */
export function matches(type: NodeTypeInfo, typed: string): boolean {
  const words = typed.trim().toLowerCase().split(/\s+/);
  const said = `${type.title.zh} ${type.title.en} ${type.type} ${type.help.zh} ${type.help.en}`.toLowerCase();
  return words.every((word) => said.includes(word));
}

/** How well it fits what was typed: 0 its name begins so, 1 its name has it, 2 only its help. */
export function distance(type: NodeTypeInfo, typed: string): number {
  const wanted = typed.trim().toLowerCase();
  const names = [type.title.zh, type.title.en, type.type].map((name) => name.toLowerCase());
  if (names.some((name) => name.startsWith(wanted))) return 0;
  return names.some((name) => name.includes(wanted)) ? 1 : 2;
}

export function Palette() {
  const t = useWords(editorWords);
  const text = useText();
  const catalogue = useCatalogue();
  const actions = useActions();
  const locked = useEditor(fixed);
  const kind = useEditor((state) => docOf(state).kind);
  const [typed, setTyped] = useState('');
  const [narrow, setNarrow] = useState(() => localStorage.getItem(KEPT) === 'narrow');
  const families = useMemo(
    () =>
      catalogue.families
        .map((one) => ({
          ...one,
          types: one.types.filter(
            (type) => (type.kinds.length === 0 || type.kinds.includes(kind)) && matches(type, typed),
          ),
        }))
        .filter((one) => one.types.length > 0),
    [catalogue, kind, typed],
  );
  const show = (next: boolean) => {
    localStorage.setItem(KEPT, next ? 'narrow' : 'wide');
    setNarrow(next);
  };
  if (locked) return null;
  if (narrow) {
    return (
      <div className="cw-ed-collapsed left">
        <IconButton
          label={`${t('expand')} ${t('palette')}`}
          icon={<PanelLeftOpen size={16} />}
          placement="right"
          onClick={() => show(false)}
        />
      </div>
    );
  }
  return (
    <aside className="cw-ed-palette" aria-label={t('palette')}>
      <div className="cw-ed-palette-head">
        <Input
          size="small"
          allowClear
          prefix={<Search size={14} aria-hidden />}
          placeholder={t('searchNodes')}
          aria-label={t('searchNodes')}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onKeyDown={(event) => {
            event.stopPropagation();
            const [first] = families
              .flatMap((one) => one.types)
              .sort((a, b) => distance(a, typed) - distance(b, typed));
            if (event.key === 'Enter' && first) actions.addType(first.type);
            if (event.key === 'Escape') setTyped('');
          }}
        />
        <IconButton
          label={t('collapse')}
          icon={<PanelLeftClose size={16} />}
          size="small"
          onClick={() => show(true)}
        />
      </div>
      <div className="cw-ed-palette-list">
        {families.map((one) => (
          <section key={one.family} aria-label={familyTitle(t as never, one.family)}>
            <h2>{familyTitle(t as never, one.family)}</h2>
            {one.types.map((type) => (
              <button
                key={type.type}
                type="button"
                draggable
                className="cw-ed-item"
                data-family={type.family}
                data-type={type.type}
                title={text(type.help)}
                onDragStart={(event) => {
                  event.dataTransfer.setData(DRAGGED, type.type);
                  event.dataTransfer.effectAllowed = 'copy';
                }}
                onClick={() => actions.addType(type.type)}
              >
                <NodeIcon name={type.icon} size={15} />
                <span>{text(type.title)}</span>
              </button>
            ))}
          </section>
        ))}
        {families.length === 0 && <p className="cw-quiet">{t('noNodes')}</p>}
      </div>
    </aside>
  );
}
