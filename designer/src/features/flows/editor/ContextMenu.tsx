/** The menu of a right click, or of the menu key: what can be done with what is under it. */
import { useReactFlow } from '@xyflow/react';
import { Dropdown, type MenuProps } from 'antd';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { useActions } from './actions';
import { GroupColour } from './Frames';
import { COLOURS, type Colour, colourOf } from './frames';
import { ALIGNMENTS, type Alignment } from './layout/align';
import { type Act, actsOf, type Menu } from './menu';
import { simulations } from './simulator/simulation';
import { focusCanvas, useSteps } from './steps';
import { fixed, useEditor, useEditorStore } from './store';
import { useMenuClipboard } from './useClipboard';
import { OUT, START } from './wires';
import { editorWords } from './words';

const KEYS: Partial<Record<Act, string>> = {
  properties: 'Enter',
  edit: 'Enter',
  continue: 'N',
  insert: 'N',
  addNode: 'N',
  addNote: 'M',
  cut: 'Ctrl X',
  copy: 'Ctrl C',
  paste: 'Ctrl V',
  duplicate: 'Ctrl D',
  delete: 'Del',
  disconnect: 'Del',
  removeKey: 'Del',
  group: 'Ctrl G',
  subflow: 'Ctrl Shift G',
  arrange: 'L',
  arrangeAll: 'L',
  selectAll: 'Ctrl A',
  fit: 'Shift 1',
  find: 'Ctrl F',
  undo: 'Ctrl Z',
  redo: 'Ctrl Shift Z',
};
const DANGER: ReadonlySet<Act> = new Set(['delete', 'removeKey']);

export function ContextMenu() {
  const menu = useEditor((state) => state.menu);
  return menu && <Open key={`${menu.at.x}|${menu.at.y}`} menu={menu} />;
}

function Open({ menu: { at, on, place } }: { menu: Menu }) {
  const t = useWords(editorWords);
  const c = useWords(common);
  const store = useEditorStore();
  const doing = useDoing(on, place);
  const actions = useActions();
  const locked = useEditor(fixed);
  const { doc, selection, past, future } = store.getState();
  const id = 'id' in on ? on.id : '';
  const group = on.kind === 'group' ? doc.ui.groups?.find((one) => one.id === id) : undefined;
  const words: Record<Act, string> = {
    properties: t('properties'),
    continue: t('continueFrom'),
    tryHere: t('tryHere'),
    entry: t('entry'),
    insert: t('insertNode'),
    disconnect: t('disconnect'),
    removeKey: t('removeKey'),
    edit: c('edit'),
    cut: t('cut'),
    copy: t('copy'),
    paste: t('pasteHere'),
    duplicate: t('duplicate'),
    delete: c('delete'),
    group: t('group'),
    members: t('selectMembers'),
    colour: t('colour'),
    ungroup: t('ungroup'),
    subflow: t('toSubflow'),
    align: t('align'),
    arrange: t('arrange'),
    arrangeAll: t('arrangeFlow'),
    addNode: t('addNodeHere'),
    addNote: t('addNote'),
    selectAll: t('selectAll'),
    fit: t('fit'),
    find: t('find'),
    undo: t('undo'),
    redo: t('redo'),
  };
  const item = (act: Act): NonNullable<MenuProps['items']>[number] => {
    if (act === 'align')
      return {
        key: act,
        label: words[act],
        children: ALIGNMENTS.map((how) => ({ key: `align.${how}`, label: t(`align_${how}`) })),
      };
    if (act === 'colour')
      return {
        key: act,
        label: words[act],
        children: COLOURS.map((colour) => ({
          key: `colour.${colour}`,
          label: <GroupColour colour={colour} chosen={group !== undefined && colourOf(group) === colour} />,
        })),
      };
    return { key: act, label: words[act], extra: KEYS[act], danger: DANGER.has(act) };
  };
  const situation = { doc, selection, locked, undoable: past.length > 0, redoable: future.length > 0 };
  const close = () => {
    store.getState().showMenu(null);
    focusCanvas();
  };
  return (
    <Dropdown
      open
      autoFocus
      trigger={['click']}
      onOpenChange={(open) => !open && close()}
      menu={{
        'aria-label': t('menu'),
        className: 'cw-ed-menu',
        items: actsOf(on, situation).flatMap((acts, row) => [
          ...(row > 0 ? [{ type: 'divider' as const, key: `line${row}` }] : []),
          ...acts.map(item),
        ]),
        onClick: ({ key }) => {
          close();
          const [act, how] = key.split('.');
          if (act === 'align') actions.align(how as Alignment);
          else if (act === 'colour') actions.colourGroup(id, how as Colour);
          else doing(act as Act);
        },
      }}
    >
      <i className="cw-ed-menu-at" style={{ left: at.x, top: at.y }} />
    </Dropdown>
  );
}

/** Does what was chosen. */
function useDoing(on: Menu['on'], place: Menu['place']): (act: Act) => void {
  const t = useWords(editorWords);
  const store = useEditorStore();
  const actions = useActions();
  const steps = useSteps();
  const flow = useReactFlow();
  const clipboard = useMenuClipboard();
  const id = 'id' in on ? on.id : '';
  const state = store.getState();
  const doing: Record<Exclude<Act, 'align' | 'colour'>, () => void> = {
    properties: steps.toProperties,
    edit: steps.toProperties,
    continue: () => steps.pick(id),
    tryHere: () => {
      if (state.drawer !== 'simulator') state.open('simulator');
      simulations.setState({ from: { key: state.key, node: id } });
    },
    entry: () => actions.wire({ from: START, port: OUT, to: id }),
    insert: () => steps.insertInto(id),
    disconnect: () => {
      if (on.kind === 'event') actions.cut(id, OUT);
      else actions.removeSelected();
    },
    removeKey: actions.removeSelected,
    cut: clipboard.cut,
    copy: clipboard.copy,
    paste: () => void clipboard.paste(place),
    duplicate: () => actions.duplicate(),
    delete: actions.removeSelected,
    group: () => actions.group(t('group')),
    members: () => {
      const group = state.doc.ui.groups?.find((one) => one.id === id);
      if (group) state.select({ nodes: new Set(group.nodes) });
    },
    ungroup: () => actions.ungroup(id),
    subflow: () => state.ask('subflow'),
    arrange: () => void actions.arrange(),
    arrangeAll: () => void actions.arrange(),
    addNode: () => state.pick({ at: flow.flowToScreenPosition(place), place: actions.freePlace(place) }),
    addNote: () => actions.addNote(on.kind === 'canvas' ? place : undefined),
    selectAll: actions.selectAll,
    fit: actions.fit,
    find: () => state.find(true),
    undo: state.undo,
    redo: state.redo,
  };
  return (act) => {
    if (act !== 'align' && act !== 'colour') doing[act]();
  };
}
