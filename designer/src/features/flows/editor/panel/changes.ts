/** Changes that the panel makes, as pure functions of the document. */

import { isRecord } from '@/ui/json';
import { changeNode, type FlowDoc, type NodeSpec, type Policy } from '../model';
import { type Path, withValue } from '../widgets/paths';
import { type Defs, defsOf, type Field, readField, type Schema } from '../widgets/schema';

/** The names of the ways out that one field makes, in order, or null when it makes none. */
function portsOf(value: unknown, field: Field, defs: Defs): string[] | null {
  if (!Array.isArray(value)) return null;
  if (field.port) return value.map(String);
  if (!field.items) return null;
  const item = readField(field.items, defs, '');
  const name = item.properties.find((one) => readField(one.schema, defs, one.name).port)?.name;
  if (!name) return null;
  return value.map((one) => (isRecord(one) ? String(one[name] ?? '') : ''));
}

/**
 * How ways out were renamed, by the change of the list that makes them: the same number of items and one of them
 * differs, or nothing but the order changed.
 */
export function renamedPorts(before: readonly string[], after: readonly string[]): Map<string, string> {
  const renamed = new Map<string, string>();
  if (before.length !== after.length) return renamed;
  const different = before.flatMap((name, index) => (name === after[index] ? [] : [index]));
  const [at] = different;
  if (different.length !== 1 || at === undefined) return renamed;
  const from = before[at]!;
  const to = after[at]!;
  // A name that another item still has, or that is empty while it is typed, is nobody's yet.
  if (from && to && !after.includes(from) && before.filter((one) => one === to).length === 0)
    renamed.set(from, to);
  return renamed;
}

/** The way out that is gone because its item was removed. */
export function removedPort(before: readonly string[], after: readonly string[]): string | null {
  if (after.length !== before.length - 1) return null;
  const at = before.findIndex((name, index) => name !== after[index]);
  const name = before[at];
  return name && !after.includes(name) ? name : null;
}

/** Set one place of a node's config. Edges follow a way out that got another name, and go with one that goes. */
export function setConfig(doc: FlowDoc, node: string, schema: Schema, path: Path, value: unknown): FlowDoc {
  const spec = doc.nodes[node];
  if (!spec) return doc;
  const config = withValue(spec.config, path, value) as Record<string, unknown>;
  const changed = changeNode(doc, node, (now) => ({ ...now, config }));
  const defs = defsOf(schema);
  const [first] = path;
  const top = readField(schema, defs, '').properties.find((one) => one.name === first);
  if (!top) return changed;
  const field = readField(top.schema, defs, top.name);
  const before = portsOf(spec.config[top.name], field, defs);
  const after = portsOf(config[top.name], field, defs);
  if (!before || !after) return changed;
  const lost = removedPort(before, after);
  if (lost !== null)
    return {
      ...changed,
      edges: changed.edges.filter((edge) => edge.from !== node || edge.port !== lost),
    };
  const renamed = renamedPorts(before, after);
  if (renamed.size === 0) return changed;
  return {
    ...changed,
    edges: changed.edges.map((edge) =>
      edge.from === node && renamed.has(edge.port) ? { ...edge, port: renamed.get(edge.port)! } : edge,
    ),
  };
}

export const DEFAULT_POLICY: Required<Policy> = { timeout: null, retries: 0, backoff: 1, on_error: 'port' };

export function policyOf(spec: NodeSpec): Required<Policy> {
  return { ...DEFAULT_POLICY, ...spec.policy };
}

/** A policy that says no more than the standard is left out of the document. */
export function setPolicy(spec: NodeSpec, change: Partial<Policy>): NodeSpec {
  const policy = { ...policyOf(spec), ...change };
  const plain = (Object.keys(DEFAULT_POLICY) as (keyof Policy)[]).every(
    (key) => policy[key] === DEFAULT_POLICY[key],
  );
  const { policy: _, ...rest } = spec;
  return plain ? rest : { ...rest, policy };
}

/** Every expression that reads results of a node, with its new id. */
function rewritten(value: unknown, from: string, to: string): unknown {
  if (typeof value === 'string') {
    const mention = new RegExp(`\\bnodes\\.${from}(?![\\w-])`, 'g');
    return mention.test(value) ? value.replace(mention, `nodes.${to}`) : value;
  }
  if (Array.isArray(value)) {
    const list = value.map((one) => rewritten(one, from, to));
    return list.some((one, index) => one !== value[index]) ? list : value;
  }
  if (isRecord(value)) {
    let changed = false;
    const entries = Object.entries(value).map(([key, part]) => {
      const next = rewritten(part, from, to);
      changed ||= next !== part;
      return [key, next];
    });
    return changed ? Object.fromEntries(entries) : value;
  }
  return value;
}

export const NODE_ID = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** Give a node another id, with everything that names it: edges, handlers, keys, expressions, places. */
export function renameNode(doc: FlowDoc, from: string, to: string): FlowDoc {
  if (from === to || !doc.nodes[from] || to in doc.nodes || !NODE_ID.test(to)) return doc;
  const id = (one: string) => (one === from ? to : one);
  const moved = <T>(record: Record<string, T> | undefined) =>
    record && Object.fromEntries(Object.entries(record).map(([key, value]) => [id(key), value]));
  return {
    ...doc,
    entry: doc.entry === null ? null : id(doc.entry),
    nodes: Object.fromEntries(
      Object.entries(doc.nodes).map(([key, spec]) => {
        const config = rewritten(spec.config, from, to) as Record<string, unknown>;
        return [id(key), config === spec.config ? spec : { ...spec, config }];
      }),
    ),
    edges: doc.edges.map((edge) =>
      edge.from === from || edge.to === from ? { ...edge, from: id(edge.from), to: id(edge.to) } : edge,
    ),
    handlers: {
      hangup: doc.handlers.hangup === null ? null : id(doc.handlers.hangup),
      error: doc.handlers.error === null ? null : id(doc.handlers.error),
    },
    shortcuts: doc.shortcuts.map((one) => (one.to === from ? { ...one, to } : one)),
    ui: {
      ...doc.ui,
      positions: moved(doc.ui.positions),
      sizes: moved(doc.ui.sizes),
      groups: doc.ui.groups?.map((group) => ({ ...group, nodes: group.nodes.map(id) })),
    },
  };
}
