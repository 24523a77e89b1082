/** Frames around nodes that belong together, and notes. Pure. */
import type { Size } from './geometry';
import { type Comment, type FlowDoc, type Group, type Point, positionOf } from './model';

export const FRAME_PAD = 24;
export const FRAME_HEAD = 32;
/** What the frame of a group may be coloured with; the first is meant when none is stored. */
export const COLOURS = ['blue', 'green', 'amber', 'red', 'violet', 'grey'] as const;
export type Colour = (typeof COLOURS)[number];

export const colourOf = (group: Group): Colour => COLOURS.find((one) => one === group.colour) ?? COLOURS[0];

export const NOTE: Size = { width: 208, height: 104 };

function free(taken: ReadonlySet<string>, base: string): string {
  for (let number = 1; ; number += 1) if (!taken.has(`${base}${number}`)) return `${base}${number}`;
}

export const frameId = (group: string): string => `frame:${group}`;
export const noteId = (note: string): string => `note:${note}`;

export function addGroup(doc: FlowDoc, nodes: readonly string[], name: string): { doc: FlowDoc; id: string } {
  const groups = doc.ui.groups ?? [];
  const id = free(new Set(groups.map((one) => one.id)), 'g');
  const members = new Set(nodes);
  const others = groups
    .map((group) => ({ ...group, nodes: group.nodes.filter((node) => !members.has(node)) }))
    .filter((group) => group.nodes.length > 0);
  return { doc: { ...doc, ui: { ...doc.ui, groups: [...others, { id, name, nodes: [...nodes] }] } }, id };
}

export function changeGroup(doc: FlowDoc, id: string, change: Partial<Group>): FlowDoc {
  const groups = (doc.ui.groups ?? []).map((group) => (group.id === id ? { ...group, ...change } : group));
  return { ...doc, ui: { ...doc.ui, groups } };
}

/** Take the frame away; the nodes stay. */
export function dropGroup(doc: FlowDoc, id: string): FlowDoc {
  return { ...doc, ui: { ...doc.ui, groups: (doc.ui.groups ?? []).filter((group) => group.id !== id) } };
}

/** Where the frame of a group is drawn. */
export function frameOf(
  doc: FlowDoc,
  group: Group,
  sizeOf: (node: string) => Size,
  moving?: Readonly<Record<string, Point>> | null,
): (Point & Size) | null {
  let left = Number.POSITIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (const id of group.nodes) {
    if (!(id in doc.nodes)) continue;
    const at = moving?.[id] ?? positionOf(doc, id);
    const size = sizeOf(id);
    left = Math.min(left, at.x);
    top = Math.min(top, at.y);
    right = Math.max(right, at.x + size.width);
    bottom = Math.max(bottom, at.y + size.height);
  }
  if (!Number.isFinite(left)) return null;
  return {
    x: left - FRAME_PAD,
    y: top - FRAME_PAD - FRAME_HEAD,
    width: right - left + 2 * FRAME_PAD,
    height: bottom - top + 2 * FRAME_PAD + FRAME_HEAD,
  };
}

export function addNote(doc: FlowDoc, at: Point, text = ''): { doc: FlowDoc; id: string } {
  const comments = doc.ui.comments ?? [];
  const id = free(new Set(comments.map((one) => one.id)), 'c');
  const note: Comment = { id, text, x: Math.round(at.x), y: Math.round(at.y), ...NOTE };
  return { doc: { ...doc, ui: { ...doc.ui, comments: [...comments, note] } }, id };
}

export function changeNote(doc: FlowDoc, id: string, change: Partial<Comment>): FlowDoc {
  const comments = (doc.ui.comments ?? []).map((note) => (note.id === id ? { ...note, ...change } : note));
  return { ...doc, ui: { ...doc.ui, comments } };
}

export function dropNotes(doc: FlowDoc, ids: ReadonlySet<string>): FlowDoc {
  if (ids.size === 0) return doc;
  return { ...doc, ui: { ...doc.ui, comments: (doc.ui.comments ?? []).filter((note) => !ids.has(note.id)) } };
}
