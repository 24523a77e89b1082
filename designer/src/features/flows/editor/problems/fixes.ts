/** What can be done about a problem with one click. Each fix is a pure change of the document, or opens a picker. */
import type { Text } from '@/i18n';
import { isRecord } from '@/ui/json';
import type { Catalogue } from '../catalogue';
import { addNode, connect, type FlowDoc, freeId, positionOf, removeNodes } from '../model';
import { nodeName } from '../nodeName';
import { dotted, type Path, valueAt, withValue } from '../widgets/paths';
import { defsOf, readField, type Schema } from '../widgets/schema';
import type { FlowProblem } from './check';

export interface Fix {
  label: Text;
  /** A change of the document. */
  change?: (doc: FlowDoc) => FlowDoc;
  /** Choose what comes behind a port. */
  pick?: { node: string; port: string };
}

const text = (zh: string, en: string): Text => ({ zh, en });

export function fixesOf(problem: FlowProblem, doc: FlowDoc, catalogue: Catalogue): Fix[] {
  const { code, node, field } = problem;
  switch (code) {
    case 'no_entry': {
      const first = firstNode(doc);
      const name = first && nodeName(doc, first, catalogue);
      return name
        ? [
            {
              label: text(`从“${name.zh}”开始`, `Start at “${name.en}”`),
              change: (now) => ({ ...now, entry: first }),
            },
          ]
        : [];
    }
    case 'no_language':
      return [
        {
          label: text('使用中文和英文', 'Use Chinese and English'),
          change: (now) => ({ ...now, languages: ['zh', 'en'] }),
        },
      ];
    case 'edge_source':
    case 'edge_target':
    case 'edge_port':
    case 'two_edges':
      return removeEdge(field);
    case 'port_unwired':
      return node && field ? [pickNext(node, field), toEnd(doc, node, field)] : [];
    case 'dead_end': {
      const port = node ? openPort(doc, node, catalogue) : null;
      return node && port ? [pickNext(node, port), toEnd(doc, node, port)] : [];
    }
    case 'unreachable':
    case 'unknown_node':
    case 'wrong_kind':
      return node
        ? [{ label: text('删除节点', 'Delete the node'), change: (now) => removeNodes(now, [node]) }]
        : [];
    case 'unknown_target':
      return field ? [{ label: text('清除', 'Clear it'), change: (now) => cleared(now, field) }] : [];
    case 'duplicate_shortcut':
    case 'duplicate_variable':
      return removeListed(field);
    case 'unknown_variable': {
      const name = /vars\.([a-z_][a-z0-9_]{0,63})/.exec(problem.message.en)?.[1];
      return name && !doc.variables.some((one) => one.name === name)
        ? [
            {
              label: text(`新建变量“${name}”`, `Create the variable “${name}”`),
              change: (now) => ({ ...now, variables: [...now.variables, { name, type: 'any' }] }),
            },
          ]
        : [];
    }
    case 'missing_language':
      return copyLanguage(doc, node, field);
    case 'missing_alias':
      return node
        ? [
            {
              label: text('改用 live', 'Use live'),
              change: (now) =>
                inConfig(now, node, (config) => ({ ...withoutKey(config, 'version'), alias: 'live' })),
            },
          ]
        : [];
    case 'subflow_input':
      return node && field ? subflowInput(doc, node, field) : [];
    case 'bad_config':
      return node && field ? badConfig(doc, node, field, catalogue) : [];
    default:
      return [];
  }
}

/** The node nearest to the left without anything that leads to it. */
function firstNode(doc: FlowDoc): string | null {
  const led = new Set(doc.edges.map((edge) => edge.to));
  const ids = Object.keys(doc.nodes);
  const free = ids.filter((id) => !led.has(id));
  const left = (id: string) => positionOf(doc, id).x;
  return (free.length > 0 ? free : ids).sort((one, other) => left(one) - left(other))[0] ?? null;
}

function pickNext(node: string, port: string): Fix {
  return { label: text('选择下一步…', 'Choose what comes next…'), pick: { node, port } };
}

/** Lead a port to an end: one that is there already and is led to by this node, or a new one beside it. */
function toEnd(doc: FlowDoc, node: string, port: string): Fix {
  return {
    label: text('到此结束', 'End here'),
    change: (now) => {
      const own = now.edges.find((edge) => edge.from === node && now.nodes[edge.to]?.type === 'logic.end');
      if (own) return connect(now, { from: node, port, to: own.to });
      const id = freeId(now, 'logic.end');
      const at = positionOf(now, node);
      const made = addNode(now, id, {
        type: 'logic.end',
        typeVersion: 1,
        name: '',
        config: {},
        at: { x: at.x + 336, y: at.y + 24 * doc.edges.filter((edge) => edge.from === node).length },
      });
      return connect(made, { from: node, port, to: id });
    },
  };
}

function openPort(doc: FlowDoc, node: string, catalogue: Catalogue): string | null {
  const spec = doc.nodes[node];
  const ports = spec ? (catalogue.types.get(spec.type)?.ports ?? []) : [];
  return ports.find((port) => port.required)?.name ?? null;
}

function removeEdge(field: string | null): Fix[] {
  const index = Number(/^edges\.(\d+)/.exec(field ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(index)) return [];
  return [
    {
      label: text('删除连线', 'Remove the edge'),
      change: (now) => ({ ...now, edges: now.edges.filter((_, at) => at !== index) }),
    },
  ];
}

function removeListed(field: string | null): Fix[] {
  const found = /^(shortcuts|variables|inputs|outputs)\.(\d+)/.exec(field ?? '');
  if (!found) return [];
  const list = found[1] as 'shortcuts' | 'variables' | 'inputs' | 'outputs';
  const index = Number(found[2]);
  return [
    {
      label: text('删除重复项', 'Remove the second'),
      change: (now) => ({ ...now, [list]: (now[list] as unknown[]).filter((_, at) => at !== index) }),
    },
  ];
}

function cleared(doc: FlowDoc, field: string): FlowDoc {
  if (field === 'entry') return { ...doc, entry: null };
  if (field === 'handlers.hangup') return { ...doc, handlers: { ...doc.handlers, hangup: null } };
  if (field === 'handlers.error') return { ...doc, handlers: { ...doc.handlers, error: null } };
  const shortcut = /^shortcuts\.(\d+)/.exec(field);
  if (shortcut) return { ...doc, shortcuts: doc.shortcuts.filter((_, at) => at !== Number(shortcut[1])) };
  return doc;
}

function inConfig(
  doc: FlowDoc,
  node: string,
  change: (config: Record<string, unknown>) => Record<string, unknown>,
): FlowDoc {
  const spec = doc.nodes[node];
  return spec ? { ...doc, nodes: { ...doc.nodes, [node]: { ...spec, config: change(spec.config) } } } : doc;
}

function withoutKey(config: Record<string, unknown>, key: string): Record<string, unknown> {
  const { [key]: _, ...rest } = config;
  return rest;
}

/** A dotted place as keys and indexes, as the config has them. */
export function pathIn(config: unknown, field: string): Path {
  const path: (string | number)[] = [];
  let value = config;
  for (const part of field.split('.')) {
    const key = Array.isArray(value) && /^\d+$/.test(part) ? Number(part) : part;
    path.push(key);
    value = valueAt(value, [key]);
  }
  return path;
}

function copyLanguage(doc: FlowDoc, node: string | null, field: string | null): Fix[] {
  const spec = node ? doc.nodes[node] : undefined;
  if (!spec || !node || !field) return [];
  const path = pathIn(spec.config, field);
  const texts = valueAt(spec.config, path.slice(0, -1));
  if (!isRecord(texts)) return [];
  const missing = String(path.at(-1));
  const from = Object.keys(texts).find((tag) => tag !== missing && String(texts[tag] ?? '').trim() !== '');
  if (!from) return [];
  return [
    {
      label: text(`先复制 ${from} 的内容`, `Begin with what ${from} says`),
      change: (now) =>
        inConfig(now, node, (config) => withValue(config, path, texts[from]) as Record<string, unknown>),
    },
  ];
}

function subflowInput(doc: FlowDoc, node: string, field: string): Fix[] {
  const spec = doc.nodes[node];
  if (!spec) return [];
  const path = pathIn(spec.config, field);
  const name = String(path.at(-1));
  const given = valueAt(spec.config, path) !== undefined;
  const known = doc.variables.some((one) => one.name === name) || doc.inputs.some((one) => one.name === name);
  const set = (value: unknown) => (now: FlowDoc) =>
    inConfig(now, node, (config) => withValue(config, path, value) as Record<string, unknown>);
  if (given) return [{ label: text('删除此输入', 'Remove the input'), change: set(undefined) }];
  return known
    ? [{ label: text(`使用变量 ${name}`, `Use the variable ${name}`), change: set(`vars.${name}`) }]
    : [];
}

function badConfig(doc: FlowDoc, node: string, field: string, catalogue: Catalogue): Fix[] {
  const spec = doc.nodes[node];
  const schema = spec ? (catalogue.types.get(spec.type)?.definition.schema as Schema | undefined) : undefined;
  if (!spec || !schema) return [];
  const path = pathIn(spec.config, field);
  const set = (value: unknown) => (now: FlowDoc) =>
    inConfig(now, node, (config) => withValue(config, path, value) as Record<string, unknown>);
  const [first] = path;
  const top = readField(schema, defsOf(schema), '').properties.find((one) => one.name === first);
  if (!top && path.length === 1 && valueAt(spec.config, path) !== undefined)
    return [{ label: text('删除此项', 'Remove it'), change: set(undefined) }];
  if (top && path.length === 1) {
    const one = readField(top.schema, defsOf(schema), dotted(path));
    if (one.hasDefault && valueAt(spec.config, path) !== undefined)
      return [{ label: text('恢复默认值', 'Use the default'), change: set(undefined) }];
  }
  return [];
}
