/**
 * Two people changed the same draft: what each of them changed, and one document of both. Pure.
 *
 * A node is the unit: different nodes never conflict. Where things stand on the canvas never conflicts either.
 */
import { equal } from './equal';
import { type EdgeSpec, edgeKey, type FlowDoc, type NodeSpec } from './model';

/** Something that both changed, each in another way. */
export interface Conflict {
  kind: 'node' | 'wire' | 'flow';
  /** A node, the node that a wire leaves, or the name of a part of the flow. */
  id: string;
  port?: string;
}

export interface Merged {
  doc: FlowDoc;
  conflicts: Conflict[];
}

type Entries<T> = Record<string, T>;

/** One value of three; `undefined` is "not there". */
function pick<T>(base: T, mine: T, theirs: T): { value: T; conflict: boolean } {
  if (equal(mine, theirs) || equal(base, mine)) return { value: theirs, conflict: false };
  return { value: mine, conflict: !equal(base, theirs) };
}

function mergeEntries<T>(
  base: Entries<T>,
  mine: Entries<T>,
  theirs: Entries<T>,
): { value: Entries<T>; conflicts: string[] } {
  const value: Entries<T> = {};
  const conflicts: string[] = [];
  for (const id of new Set([...Object.keys(theirs), ...Object.keys(mine), ...Object.keys(base)])) {
    const chosen = pick<T | undefined>(base[id], mine[id], theirs[id]);
    if (chosen.conflict) conflicts.push(id);
    if (chosen.value !== undefined) value[id] = chosen.value;
  }
  return { value, conflicts };
}

const byId = <T extends { id: string }>(list: readonly T[]): Entries<T> =>
  Object.fromEntries(list.map((one) => [one.id, one]));
const byName = <T extends { name: string }>(list: readonly T[]): Entries<T> =>
  Object.fromEntries(list.map((one) => [one.name, one]));
const byKey = <T extends { key: string }>(list: readonly T[]): Entries<T> =>
  Object.fromEntries(list.map((one) => [one.key, one]));
const byPort = (list: readonly EdgeSpec[]): Entries<EdgeSpec> =>
  Object.fromEntries(list.map((one) => [edgeKey(one.from, one.port), one]));

/** One document of mine and theirs, both made from base. Where both changed the same thing, mine is kept. */
export function merge(base: FlowDoc, mine: FlowDoc, theirs: FlowDoc): Merged {
  const conflicts: Conflict[] = [];
  const flow = <K extends keyof FlowDoc>(part: K): FlowDoc[K] => {
    const chosen = pick(base[part], mine[part], theirs[part]);
    if (chosen.conflict) conflicts.push({ kind: 'flow', id: part });
    return chosen.value;
  };
  const list = <T>(part: string, of: (doc: FlowDoc) => Entries<T>): T[] => {
    const merged = mergeEntries(of(base), of(mine), of(theirs));
    if (merged.conflicts.length > 0) conflicts.push({ kind: 'flow', id: part });
    return Object.values(merged.value);
  };

  const nodes = mergeEntries<NodeSpec>(base.nodes, mine.nodes, theirs.nodes);
  for (const id of nodes.conflicts) conflicts.push({ kind: 'node', id });
  const there = (id: string | null) => (id !== null && id in nodes.value ? id : null);

  const wires = mergeEntries(byPort(base.edges), byPort(mine.edges), byPort(theirs.edges));
  const edges = Object.values(wires.value).filter(
    (edge) => edge.from in nodes.value && edge.to in nodes.value,
  );
  for (const id of wires.conflicts) {
    const edge = byPort(mine.edges)[id] ?? byPort(theirs.edges)[id];
    if (edge && edge.from in nodes.value) conflicts.push({ kind: 'wire', id: edge.from, port: edge.port });
  }

  const hangup = pick(base.handlers.hangup, mine.handlers.hangup, theirs.handlers.hangup);
  const error = pick(base.handlers.error, mine.handlers.error, theirs.handlers.error);
  if (hangup.conflict || error.conflict) conflicts.push({ kind: 'flow', id: 'handlers' });

  const ui = (part: 'positions' | 'sizes') =>
    mergeEntries<unknown>(base.ui[part] ?? {}, mine.ui[part] ?? {}, theirs.ui[part] ?? {}).value;
  const comments = mergeEntries(
    byId(base.ui.comments ?? []),
    byId(mine.ui.comments ?? []),
    byId(theirs.ui.comments ?? []),
  ).value;
  const groups = mergeEntries(
    byId(base.ui.groups ?? []),
    byId(mine.ui.groups ?? []),
    byId(theirs.ui.groups ?? []),
  ).value;

  const doc: FlowDoc = {
    ...theirs,
    kind: flow('kind'),
    name: flow('name'),
    description: flow('description'),
    languages: flow('languages'),
    entry: there(flow('entry')),
    inputs: list('inputs', (one) => byName(one.inputs)),
    outputs: list('outputs', (one) => byName(one.outputs)),
    variables: list('variables', (one) => byName(one.variables)),
    nodes: nodes.value,
    edges,
    handlers: { hangup: there(hangup.value), error: there(error.value) },
    shortcuts: list('shortcuts', (one) => byKey(one.shortcuts)).filter((one) => one.to in nodes.value),
    ui: {
      ...theirs.ui,
      ...mine.ui,
      positions: ui('positions') as FlowDoc['ui']['positions'],
      sizes: ui('sizes') as FlowDoc['ui']['sizes'],
      comments: Object.values(comments),
      groups: Object.values(groups)
        .map((group) => ({ ...group, nodes: group.nodes.filter((id) => id in nodes.value) }))
        .filter((group) => group.nodes.length > 0),
    },
  };
  return { doc, conflicts };
}

/** Parts of a flow besides its nodes and wires. */
export const FLOW_PARTS = [
  'name',
  'description',
  'kind',
  'languages',
  'entry',
  'inputs',
  'outputs',
  'variables',
  'handlers',
  'shortcuts',
] as const;

export type ChangeKind = 'added' | 'removed' | 'changed' | 'wired';

/** What somebody did to one node, or to the flow around it (id ''). */
export interface Change {
  id: string;
  kind: ChangeKind;
  /** Parts of the node, or of the flow, that are not what they were. */
  fields: string[];
}

/** What differs between two documents, a line each. Places on the canvas do not count. */
export function changes(before: FlowDoc, after: FlowDoc): Change[] {
  const found: Change[] = [];
  const wires = (doc: FlowDoc, id: string) => doc.edges.filter((edge) => edge.from === id);
  const sorted = (edges: EdgeSpec[]) => [...edges].sort((a, b) => (a.port < b.port ? -1 : 1));
  for (const id of new Set([...Object.keys(before.nodes), ...Object.keys(after.nodes)])) {
    const old = before.nodes[id];
    const now = after.nodes[id];
    if (!old) found.push({ id, kind: 'added', fields: [] });
    else if (!now) found.push({ id, kind: 'removed', fields: [] });
    else if (!equal(old, now)) found.push({ id, kind: 'changed', fields: differingFields(old, now) });
    else if (!equal(sorted(wires(before, id)), sorted(wires(after, id))))
      found.push({ id, kind: 'wired', fields: [] });
  }
  const parts = FLOW_PARTS.filter((part) => !equal(before[part], after[part]));
  if (parts.length > 0) found.push({ id: '', kind: 'changed', fields: [...parts] });
  return found;
}

function differingFields(old: NodeSpec, now: NodeSpec): string[] {
  const fields: string[] = [];
  if (old.type !== now.type) fields.push('type');
  if ((old.name ?? '') !== (now.name ?? '')) fields.push('name');
  for (const field of new Set([...Object.keys(old.config), ...Object.keys(now.config)]))
    if (!equal(old.config[field], now.config[field])) fields.push(field);
  if (!equal(old.policy, now.policy)) fields.push('policy');
  return fields;
}
