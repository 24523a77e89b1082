/** What a context menu offers for what is under it. Pure; `ContextMenu.tsx` shows and does it. */
import type { FlowDoc, Point } from './model';
import { NOTHING, type Selection } from './store';
import { keyOf, OUT, targetOf } from './wires';

export type On =
  | { kind: 'node' | 'event' | 'edge' | 'note' | 'group'; id: string }
  | { kind: 'many' }
  | { kind: 'canvas' };

/** An open context menu. */
export interface Menu {
  /** On the screen, in pixels. */
  at: Point;
  /** The same place on the canvas. */
  place: Point;
  on: On;
}

export type Act =
  | 'properties'
  | 'continue'
  | 'tryHere'
  | 'entry'
  | 'insert'
  | 'disconnect'
  | 'removeKey'
  | 'edit'
  | 'cut'
  | 'copy'
  | 'paste'
  | 'duplicate'
  | 'delete'
  | 'group'
  | 'members'
  | 'colour'
  | 'ungroup'
  | 'subflow'
  | 'align'
  | 'arrange'
  | 'arrangeAll'
  | 'addNode'
  | 'addNote'
  | 'selectAll'
  | 'fit'
  | 'find'
  | 'undo'
  | 'redo';

const ONLY_LOOKS: ReadonlySet<Act> = new Set(['properties', 'copy', 'members', 'selectAll', 'fit', 'find']);

export interface Situation {
  doc: FlowDoc;
  selection: Selection;
  /** Nothing can be changed now. */
  locked: boolean;
  undoable: boolean;
  redoable: boolean;
}

/** The sections of the menu, in their order. */
export function actsOf(on: On, now: Situation): Act[][] {
  const { doc, selection } = now;
  const wanted = ((): Act[][] => {
    switch (on.kind) {
      case 'node':
        return [
          ['properties', 'continue', 'tryHere'],
          ['cut', 'copy', 'duplicate', 'delete'],
          ['group', 'subflow', ...(doc.entry === on.id ? [] : (['entry'] as const))],
        ];
      case 'event':
        return [
          ['properties', 'continue'],
          [
            ...(targetOf(doc, on.id, OUT) === null ? [] : (['disconnect'] as const)),
            ...(keyOf(on.id) === null ? [] : (['removeKey'] as const)),
          ],
        ];
      case 'edge':
        return [['properties', 'insert'], ['disconnect']];
      case 'note':
        return [['edit'], ['cut', 'copy', 'duplicate', 'delete']];
      case 'group':
        return [['members', 'colour'], ['ungroup']];
      case 'many': {
        const nodes = [...selection.nodes].some((id) => id in doc.nodes);
        return [
          ['cut', 'copy', 'duplicate', 'delete'],
          nodes ? ['align', 'arrange', 'group', 'subflow'] : ['align'],
        ];
      }
      case 'canvas':
        return [
          ['addNode', 'paste', 'addNote'],
          ['selectAll', 'arrangeAll', 'fit', 'find'],
          [...(now.undoable ? (['undo'] as const) : []), ...(now.redoable ? (['redo'] as const) : [])],
        ];
    }
  })();
  return wanted
    .map((section) => (now.locked ? section.filter((act) => ONLY_LOOKS.has(act)) : section))
    .filter((section) => section.length > 0);
}

/** What is selected while the menu is open: it stays when the menu was opened on a part of it. */
export function selectionFor(on: On, selection: Selection): Selection {
  switch (on.kind) {
    case 'node':
    case 'event':
      return selection.nodes.has(on.id) ? selection : { ...NOTHING, nodes: new Set([on.id]) };
    case 'edge':
      return selection.edges.has(on.id) ? selection : { ...NOTHING, edges: new Set([on.id]) };
    case 'note':
      return selection.comments.has(on.id) ? selection : { ...NOTHING, comments: new Set([on.id]) };
    case 'canvas':
    case 'group':
      return NOTHING;
    case 'many':
      return selection;
  }
}

/** What a menu is about that was opened by a key: whatever is selected. */
export function onSelected(selection: Selection): On {
  const [node] = selection.nodes;
  const [note] = selection.comments;
  const [edge] = selection.edges;
  if (selection.nodes.size + selection.comments.size > 1) return { kind: 'many' };
  if (node !== undefined) return { kind: node.startsWith('@') ? 'event' : 'node', id: node };
  if (note !== undefined) return { kind: 'note', id: note };
  if (edge !== undefined) return { kind: 'edge', id: edge };
  return { kind: 'canvas' };
}

/** What a menu is about that was opened on something: all of the selection when that is a part of it. */
export function widened(on: On, selection: Selection): On {
  const part =
    ((on.kind === 'node' || on.kind === 'event') && selection.nodes.has(on.id)) ||
    (on.kind === 'note' && selection.comments.has(on.id));
  return part ? onSelected(selection) : on;
}
