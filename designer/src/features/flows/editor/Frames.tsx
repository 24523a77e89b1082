/** A named frame around nodes, and a note. */
import { type NodeProps, NodeResizer } from '@xyflow/react';
import { Dropdown } from 'antd';
import { Check, Palette, Ungroup } from 'lucide-react';
import { memo, useEffect, useRef, useState } from 'react';
import { useWords } from '@/i18n';
import { useActions } from './actions';
import { COLOURS, type Colour, colourOf } from './frames';
import { docOf, fixed, useEditor, useEditorStore } from './store';
import { editorWords } from './words';

export const Frame = memo(function Frame({ id }: NodeProps) {
  const t = useWords(editorWords);
  const actions = useActions();
  const store = useEditorStore();
  const group = useEditor((state) => docOf(state).ui.groups?.find((one) => `frame:${one.id}` === id));
  const locked = useEditor(fixed);
  const [typed, setTyped] = useState<string | null>(null);
  if (!group) return null;
  const done = (keep: boolean) => {
    if (keep && typed !== null && typed.trim() !== group.name) actions.renameGroup(group.id, typed.trim());
    setTyped(null);
  };
  return (
    <div className="cw-frame" data-colour={colourOf(group)}>
      <div className="cw-frame-head">
        {typed === null ? (
          <button
            type="button"
            title={t('renameGroup')}
            onClick={() => store.getState().select({ nodes: new Set(group.nodes) })}
            onDoubleClick={() => !locked && setTyped(group.name)}
            onKeyDown={(event) => {
              if (event.key !== 'F2' || locked) return;
              event.stopPropagation();
              setTyped(group.name);
            }}
          >
            {group.name || t('group')}
          </button>
        ) : (
          <input
            className="nodrag"
            // biome-ignore lint/a11y/noAutofocus: the person asked to rename
            autoFocus
            aria-label={t('renameGroup')}
            value={typed}
            maxLength={80}
            onChange={(event) => setTyped(event.target.value)}
            onBlur={() => done(true)}
            onKeyDown={(event) => {
              event.stopPropagation();
              if (event.key === 'Enter') done(true);
              if (event.key === 'Escape') done(false);
            }}
          />
        )}
        {!locked && (
          <Dropdown
            trigger={['click']}
            menu={{
              items: [
                ...COLOURS.map((colour) => ({
                  key: colour,
                  label: <GroupColour colour={colour} chosen={colourOf(group) === colour} />,
                })),
                { type: 'divider' },
                { key: 'ungroup', label: t('ungroup'), icon: <Ungroup size={14} aria-hidden /> },
              ],
              onClick: ({ key }) =>
                key === 'ungroup' ? actions.ungroup(group.id) : actions.colourGroup(group.id, key as Colour),
            }}
          >
            <button
              type="button"
              className="cw-frame-off"
              aria-label={`${t('groupActions')} ${group.name}`}
              title={t('groupActions')}
            >
              <Palette size={14} aria-hidden />
            </button>
          </Dropdown>
        )}
      </div>
    </div>
  );
});

/** A colour that a group may have, by its name. */
export function GroupColour({ colour, chosen }: { colour: Colour; chosen: boolean }) {
  const t = useWords(editorWords);
  return (
    <span className="cw-frame-colour" data-colour={colour}>
      <i aria-hidden="true" />
      {t(`colour_${colour}`)}
      {chosen && <Check size={14} aria-label={t('chosen')} />}
    </span>
  );
}

export const Note = memo(function Note({ id, selected }: NodeProps) {
  const t = useWords(editorWords);
  const actions = useActions();
  const note = useEditor((state) => docOf(state).ui.comments?.find((one) => `note:${one.id}` === id));
  const locked = useEditor(fixed);
  const [editing, setEditing] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const empty = note?.text === '';
  useEffect(() => {
    if (selected && empty && !locked) setEditing(true);
  }, [selected, empty, locked]);
  useEffect(() => {
    if (editing) area.current?.focus({ preventScroll: true });
  }, [editing]);
  if (!note) return null;
  return (
    <div className="cw-note" data-selected={selected || undefined}>
      {selected && !locked && (
        <NodeResizer
          minWidth={120}
          minHeight={56}
          onResizeEnd={(_, { x, y, width, height }) =>
            actions.changeNote(note.id, {
              x: Math.round(x),
              y: Math.round(y),
              width: Math.round(width),
              height: Math.round(height),
            })
          }
        />
      )}
      {editing && !locked ? (
        <textarea
          ref={area}
          className="nodrag nowheel"
          aria-label={t('note')}
          value={note.text}
          maxLength={2000}
          onChange={(event) => actions.changeNote(note.id, { text: event.target.value }, `note:${note.id}`)}
          onBlur={() => setEditing(false)}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === 'Escape') {
              setEditing(false);
              document.querySelector<HTMLElement>('.cw-ed-canvas .react-flow')?.focus();
            }
          }}
        />
      ) : (
        // biome-ignore lint/a11y/noStaticElementInteractions: Enter on the selected note edits it as well
        <div onDoubleClick={() => setEditing(true)}>{note.text || t('note')}</div>
      )}
    </div>
  );
});
