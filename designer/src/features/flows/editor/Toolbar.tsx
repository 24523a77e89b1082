/** What can be done with the canvas and with what is selected. */
import { Button, Dropdown } from 'antd';
import {
  AlignHorizontalDistributeCenter,
  AlignStartVertical,
  Copy,
  Grip,
  Group as GroupIcon,
  Keyboard,
  Search,
  Settings2,
  Sparkles,
  StickyNote,
  Trash2,
  Workflow,
} from 'lucide-react';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { IconButton } from '@/ui';
import { useActions } from './actions';
import { ALIGNMENTS, type Alignment } from './layout/align';
import { docOf, fixed, useEditor, useEditorStore } from './store';
import { eventsOf, keyOf } from './wires';
import { editorWords } from './words';

const KEYS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'];

export function Toolbar() {
  const t = useWords(editorWords);
  const actions = useActions();
  const store = useEditorStore();
  const locked = useEditor(fixed);
  const doc = useEditor(docOf);
  const used = new Set(eventsOf(doc).map(keyOf));
  return (
    <div className="cw-ed-tools" role="toolbar" aria-label={t('tools')} aria-orientation="vertical">
      {!locked && (
        <>
          <IconButton
            placement="right"
            label={t('arrangeAll')}
            shortcut="L"
            icon={<Sparkles size={16} />}
            onClick={() => void actions.arrange()}
          />
          <IconButton
            placement="right"
            label={t('addNote')}
            shortcut="M"
            icon={<StickyNote size={16} />}
            onClick={() => actions.addNote()}
          />
          {doc.kind !== 'ticket' && (
            <Dropdown
              trigger={['click']}
              menu={{
                items: KEYS.map((key) => ({ key, label: t('onKey', { key }), disabled: used.has(key) })),
                onClick: ({ key }) => actions.addKey(key),
              }}
            >
              <Button type="text" aria-label={t('addKey')} title={t('addKey')} icon={<Grip size={16} />} />
            </Dropdown>
          )}
        </>
      )}
      <IconButton
        placement="right"
        label={t('find')}
        shortcut="Ctrl F"
        icon={<Search size={16} />}
        onClick={() => store.getState().find(true)}
      />
      <IconButton
        placement="right"
        label={t('settings')}
        icon={<Settings2 size={16} />}
        onClick={() => store.getState().open('settings')}
      />
      <IconButton
        placement="right"
        label={t('keys')}
        shortcut="?"
        icon={<Keyboard size={16} />}
        onClick={() => store.getState().ask('keys')}
      />
    </div>
  );
}

/** Shown while more than one thing is selected. */
export function SelectionBar() {
  const t = useWords(editorWords);
  const c = useWords(common);
  const text = useText();
  const actions = useActions();
  const store = useEditorStore();
  const locked = useEditor(fixed);
  const count = useEditor((state) => state.selection.nodes.size + state.selection.comments.size);
  const nodes = useEditor((state) => state.selection.nodes.size);
  if (count < 2 || locked) return null;
  return (
    <div className="cw-ed-selbar" role="toolbar" aria-label={t('selected', { count })}>
      <span className="cw-num">{t('selected', { count })}</span>
      <Dropdown
        trigger={['click']}
        menu={{
          items: ALIGNMENTS.map((how) => ({ key: how, label: t(`align_${how}`) })),
          onClick: ({ key }) => actions.align(key as Alignment),
        }}
      >
        <Button type="text" size="small" icon={<AlignStartVertical size={15} />}>
          {t('align')}
        </Button>
      </Dropdown>
      <Dropdown
        trigger={['click']}
        disabled={nodes < 3}
        menu={{
          items: [
            { key: 'x', label: t('distribute_x') },
            { key: 'y', label: t('distribute_y') },
          ],
          onClick: ({ key }) => actions.distribute(key as 'x' | 'y'),
        }}
      >
        <Button type="text" size="small" icon={<AlignHorizontalDistributeCenter size={15} />}>
          {t('distribute')}
        </Button>
      </Dropdown>
      <Button type="text" size="small" icon={<Sparkles size={15} />} onClick={() => void actions.arrange()}>
        {t('arrange')}
      </Button>
      <Button
        type="text"
        size="small"
        icon={<GroupIcon size={15} />}
        onClick={() => actions.group(text({ zh: '分组', en: 'Group' }))}
      >
        {t('group')}
      </Button>
      <Button
        type="text"
        size="small"
        icon={<Workflow size={15} />}
        onClick={() => store.getState().ask('subflow')}
      >
        {t('toSubflow')}
      </Button>
      <IconButton
        size="small"
        label={t('duplicate')}
        shortcut="Ctrl D"
        icon={<Copy size={15} />}
        onClick={() => actions.duplicate()}
      />
      <IconButton
        size="small"
        label={c('delete')}
        shortcut="Del"
        icon={<Trash2 size={15} />}
        onClick={() => actions.removeSelected()}
      />
    </div>
  );
}
