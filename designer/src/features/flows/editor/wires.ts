/**
 * Everything that leads to a node, as one kind of wire: edges between nodes, and what happens to a flow from outside
 * (it starts, the caller hangs up, something fails, a key is pressed at any time). Those have pills on the canvas
 * whose ids begin with `@`.
 */
import { connect, disconnect, type EdgeSpec, type FlowDoc } from './model';

export const START = '@start';
export const HANGUP = '@hangup';
export const ERROR = '@error';
const KEY = '@key:';
/** The one port of a pill. */
export const OUT = 'out';

export const keyEvent = (key: string): string => `${KEY}${key}`;
export const isEvent = (id: string): boolean => id.startsWith('@');
export const keyOf = (id: string): string | null => (id.startsWith(KEY) ? id.slice(KEY.length) : null);

/** Keys whose pill is on the canvas without leading anywhere yet. */
export function openKeys(doc: FlowDoc): string[] {
  const kept = doc.ui.openKeys;
  return Array.isArray(kept) ? kept.filter((key): key is string => typeof key === 'string') : [];
}

/** The pills of a flow. Work that no caller is part of has no hang-up and no keys. */
export function eventsOf(doc: FlowDoc): string[] {
  const calls = doc.kind !== 'ticket';
  const keys = [...new Set([...doc.shortcuts.map((one) => one.key), ...openKeys(doc)])].sort();
  return [START, ...(calls ? [HANGUP] : []), ERROR, ...keys.map(keyEvent)];
}

export function wiresOf(doc: FlowDoc): EdgeSpec[] {
  const wires = [...doc.edges];
  const add = (from: string, to: string | null) => {
    if (to !== null) wires.push({ from, port: OUT, to });
  };
  add(START, doc.entry);
  add(HANGUP, doc.handlers.hangup);
  add(ERROR, doc.handlers.error);
  for (const one of doc.shortcuts) add(keyEvent(one.key), one.to);
  return wires;
}

export function targetOf(doc: FlowDoc, from: string, port: string): string | null {
  if (from === START) return doc.entry;
  if (from === HANGUP) return doc.handlers.hangup;
  if (from === ERROR) return doc.handlers.error;
  const key = keyOf(from);
  if (key !== null) return doc.shortcuts.find((one) => one.key === key)?.to ?? null;
  return doc.edges.find((edge) => edge.from === from && edge.port === port)?.to ?? null;
}

/** Lead a port or a pill to a node. */
export function setWire(doc: FlowDoc, wire: EdgeSpec): FlowDoc {
  const { from, to } = wire;
  if (!(to in doc.nodes)) return doc;
  if (from === START) return { ...doc, entry: to };
  if (from === HANGUP) return { ...doc, handlers: { ...doc.handlers, hangup: to } };
  if (from === ERROR) return { ...doc, handlers: { ...doc.handlers, error: to } };
  const key = keyOf(from);
  if (key !== null) {
    const shortcuts = [...doc.shortcuts.filter((one) => one.key !== key), { key, to }];
    return { ...doc, shortcuts, ui: { ...doc.ui, openKeys: openKeys(doc).filter((one) => one !== key) } };
  }
  return connect(doc, wire);
}

export function cutWire(doc: FlowDoc, from: string, port: string): FlowDoc {
  if (from === START) return { ...doc, entry: null };
  if (from === HANGUP) return { ...doc, handlers: { ...doc.handlers, hangup: null } };
  if (from === ERROR) return { ...doc, handlers: { ...doc.handlers, error: null } };
  const key = keyOf(from);
  if (key !== null) {
    const shortcuts = doc.shortcuts.filter((one) => one.key !== key);
    return { ...doc, shortcuts, ui: { ...doc.ui, openKeys: [...new Set([...openKeys(doc), key])] } };
  }
  return disconnect(doc, from, port);
}

/** Put the pill of a key on the canvas. */
export function addKey(doc: FlowDoc, key: string, at: { x: number; y: number }): FlowDoc {
  if (doc.shortcuts.some((one) => one.key === key) || openKeys(doc).includes(key)) return doc;
  return {
    ...doc,
    ui: {
      ...doc.ui,
      openKeys: [...openKeys(doc), key],
      positions: { ...doc.ui.positions, [keyEvent(key)]: at },
    },
  };
}

/** Remove the pills of keys among these ids. The other pills stay; they lose their wire. */
export function removeEvents(doc: FlowDoc, ids: Iterable<string>): FlowDoc {
  let now = doc;
  for (const id of ids) {
    if (!isEvent(id)) continue;
    const key = keyOf(id);
    if (key === null) {
      now = cutWire(now, id, OUT);
      continue;
    }
    const { [id]: _, ...positions } = now.ui.positions ?? {};
    now = {
      ...now,
      shortcuts: now.shortcuts.filter((one) => one.key !== key),
      ui: { ...now.ui, positions, openKeys: openKeys(now).filter((one) => one !== key) },
    };
  }
  return now;
}
