/**
 * Turning a selection into a flow of its own. What it reads becomes its inputs, what others read of it becomes its
 * outputs, both typed as far as known; each place it leads to becomes an end. Pure.
 */
import type { Text } from '@/i18n';
import { GRID, WIDTH } from './geometry';
import {
  type EdgeSpec,
  edgeKey,
  type FlowDoc,
  freeId,
  type NodeSpec,
  type Point,
  positionOf,
  readDoc,
  removeNodes,
  type ValueType,
  type Variable,
} from './model';
import { FOOT } from './shapes';
import { setWire, wiresOf } from './wires';

export interface Port {
  name: string;
  type: ValueType;
  /** The expression that gives it: outside for an input, inside for an output. */
  value: string;
  secret: boolean;
}

/** A place that the selection leads to; `to` is null where the flow just ends. */
export interface Exit {
  to: string | null;
  wires: EdgeSpec[];
}

export interface Extraction {
  /** The selected nodes without those that end the whole flow: these stay where they are. */
  nodes: string[];
  entry: string;
  inputs: Port[];
  outputs: Port[];
  /** Outputs that are variables of the flow: they are set again after the subflow has run. */
  changed: string[];
  /** Variables that the nodes set and nobody else reads. */
  own: Variable[];
  exits: Exit[];
  /** A way out for a caller who has hung up is wired in there: the flow goes on behind the subflow then as well. */
  goesOnHungUp: boolean;
}

export type Judged = { extraction: Extraction } | { problem: Text };

/** What must be known of the nodes. */
export interface Known {
  outputType(node: string, output: string): { type: ValueType; secret: boolean };
  /** The ports of a node, wired or not. */
  ports(node: string): readonly string[];
  /** Whether the whole flow ends there. */
  terminal(node: string): boolean;
  name(node: string): Text;
}

const said = (nodes: readonly NodeSpec[]): string => JSON.stringify(nodes.map((one) => one.config));

function mentions(text: string, owner: 'vars' | 'nodes'): string[][] {
  const pattern = owner === 'vars' ? /\bvars\.([a-z_]\w*)/g : /\bnodes\.([a-z_]\w*)\.([a-z_]\w*)/g;
  const found = new Map<string, string[]>();
  for (const match of text.matchAll(pattern)) found.set(match[0], match.slice(1));
  return [...found.values()];
}

/** Names that `logic.set` gives a value. */
function assigned(nodes: readonly NodeSpec[]): string[] {
  return [
    ...new Set(
      nodes
        .filter((one) => one.type === 'logic.set')
        .flatMap((one) => (Array.isArray(one.config.assignments) ? one.config.assignments : []))
        .map((one: { name?: unknown }) => String(one?.name ?? ''))
        .filter(Boolean),
    ),
  ];
}

const shortName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_')
    .slice(0, 60);

function freshName(wanted: string, taken: Set<string>): string {
  const base = shortName(wanted);
  let name = base;
  for (let number = 2; taken.has(name); number += 1) name = `${base}_${number}`;
  taken.add(name);
  return name;
}

/** Where edges lead from some nodes, without going on behind those where it `stops`. */
function reached(doc: FlowDoc, from: Iterable<string>, stops: (id: string) => boolean): Set<string> {
  const found = new Set<string>();
  const open = [...from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    if (stops(id)) continue;
    for (const edge of doc.edges) if (edge.from === id) open.push(edge.to);
  }
  return found;
}

const targets = (doc: FlowDoc, from: string, port?: string): string[] =>
  doc.edges
    .filter((edge) => edge.from === from && (port === undefined || edge.port === port))
    .map((edge) => edge.to);

/** Nodes that only work together and are selected without their other half. */
function torn(doc: FlowDoc, inside: ReadonlySet<string>, entry: string): string | null {
  const typeOf = (id: string) => doc.nodes[id]?.type;
  const out = (id: string) => !inside.has(id);
  for (const id of inside) {
    if (typeOf(id) === 'logic.repeat') {
      // It counts its rounds: none of them may leave and come back, as the subflow begins to count anew.
      const round = reached(doc, targets(doc, id, 'again'), (at) => at === id || out(at));
      const left = [...round].filter(out);
      if (left.length > 0 && reached(doc, left, () => false).has(entry)) return id;
    }
    if (typeOf(id) === 'logic.parallel') {
      const branches = reached(doc, targets(doc, id), (at) => typeOf(at) === 'logic.join' || out(at));
      if ([...branches].some(out)) return id;
    }
    if (typeOf(id) === 'logic.join') {
      const alone = reached(doc, [entry], (at) => typeOf(at) === 'logic.parallel' || out(at));
      if (alone.has(id)) return id;
    }
  }
  return null;
}

export function judge(doc: FlowDoc, selected: Iterable<string>, known: Known): Judged {
  const chosen = [...selected].filter((id) => id in doc.nodes);
  const nodes = chosen.filter((id) => !known.terminal(id));
  const inside = new Set(nodes);
  if (chosen.length === 0) return { problem: { zh: '请先选择节点。', en: 'Select nodes first.' } };
  if (nodes.length === 0)
    return {
      problem: {
        zh: '所选节点都会结束整个流程，不能放入子流程。请一并选择它们之前的节点。',
        en: 'What is selected ends the whole flow, which a subflow cannot. Select the nodes before it as well.',
      },
    };
  const wires = wiresOf(doc);
  const entries = [
    ...new Set(wires.filter((wire) => !inside.has(wire.from) && inside.has(wire.to)).map((wire) => wire.to)),
  ];
  if (entries.length > 1) {
    const names = entries.map(known.name);
    return {
      problem: {
        zh: `所选部分有多个入口：${names.map((one) => one.zh).join('、')}。请调整选择，使连线只从一个节点进入。`,
        en: `There is more than one way in: ${names.map((one) => one.en).join(', ')}. Select so that only one node is led to from outside.`,
      },
    };
  }
  const led = new Set(doc.edges.filter((edge) => inside.has(edge.from)).map((edge) => edge.to));
  const entry = entries[0] ?? nodes.find((id) => !led.has(id)) ?? nodes[0]!;
  const half = torn(doc, inside, entry);
  if (half !== null)
    return {
      problem: {
        zh: `“${known.name(half).zh}”与未选择的节点是一个整体（重复或并行的一段）。请把整段一起选择。`,
        en: `“${known.name(half).en}” works together with nodes that are not selected (what is repeated, or runs side by side). Select all of that part.`,
      },
    };

  const specs = nodes.map((id) => doc.nodes[id]!);
  const others = Object.entries(doc.nodes).filter(([id]) => !inside.has(id));
  const text = said(specs);
  const outside = said(others.map(([, spec]) => spec));
  const declared = new Map([...doc.outputs, ...doc.variables, ...doc.inputs].map((one) => [one.name, one]));
  const sets = assigned(specs);
  const read = mentions(text, 'vars').map(([name]) => name!);
  const needed = new Set(mentions(outside, 'vars').map(([name]) => name!));
  for (const one of doc.outputs) needed.add(one.name);
  const exits: Exit[] = [];
  for (const edge of doc.edges) {
    if (!inside.has(edge.from) || inside.has(edge.to)) continue;
    const exit = exits.find((one) => one.to === edge.to);
    if (exit) exit.wires.push(edge);
    else exits.push({ to: edge.to, wires: [edge] });
  }
  // Whoever comes back finds the variables as they were left.
  const back = reached(
    doc,
    exits.map((exit) => exit.to).filter((to) => to !== null),
    () => false,
  );
  if (back.has(entry)) for (const name of read) needed.add(name);
  const changed = sets.filter((name) => needed.has(name));

  const port = (name: string): Port => {
    const variable = declared.get(name);
    return { name, type: variable?.type ?? 'any', value: `vars.${name}`, secret: variable?.secret ?? false };
  };
  const taken = new Set([...declared.keys(), ...sets, ...read, 'way']);
  // What is set on some ways only keeps its value on the others: it goes in and out.
  const inputs = [...new Set([...read, ...changed])].map(port);
  for (const [node, output] of mentions(text, 'nodes')) {
    if (inside.has(node!) || !(node! in doc.nodes)) continue;
    inputs.push({
      name: freshName(`${node}_${output}`, taken),
      // The node may not have run yet.
      value: `nodes.${node}.${output} | default(none)`,
      ...known.outputType(node!, output!),
    });
  }
  const outputs = changed.map(port);
  for (const [node, output] of mentions(outside, 'nodes')) {
    if (!inside.has(node!)) continue;
    outputs.push({
      name: freshName(`${node}_${output}`, taken),
      value: `nodes.${node}.${output} | default(none)`,
      ...known.outputType(node!, output!),
    });
  }
  const own = sets
    .filter((name) => !inputs.some((one) => one.name === name))
    .map((name): Variable => declared.get(name) ?? { name, type: 'any' });

  // Where nothing follows the flow ends, and must not go on behind the subflow.
  const wired = new Set(doc.edges.map((edge) => edgeKey(edge.from, edge.port)));
  const loose = nodes.flatMap((from) =>
    known
      .ports(from)
      .filter((name) => !FOOT.has(name) && !wired.has(edgeKey(from, name)))
      .map((name) => ({ from, port: name, to: '' })),
  );
  if (exits.length > 0 && loose.length > 0) exits.push({ to: null, wires: loose });
  const goesOnHungUp = doc.edges.some((edge) => inside.has(edge.from) && edge.port === 'hangup');
  return { extraction: { nodes, entry, inputs, outputs, changed, own, exits, goesOnHungUp } };
}

/** Whether what follows the subflow depends on how it was left. */
const choosing = (found: Extraction): boolean =>
  found.exits.length > 1 || (found.exits.length > 0 && found.goesOnHungUp);

const exitName = (index: number): string => `way_${index + 1}`;

/** The new flow. */
export function subflowOf(doc: FlowDoc, found: Extraction, key: string, name: string): FlowDoc {
  const inside = new Set(found.nodes);
  // Values of nodes that stay outside are inputs in here.
  const inner = (text: string): string => {
    let now = text;
    for (const port of found.inputs) {
      const outer = port.value.split(' ')[0]!;
      if (outer.startsWith('nodes.'))
        now = now.replaceAll(new RegExp(`\\b${outer.replaceAll('.', '\\.')}\\b`, 'g'), `vars.${port.name}`);
    }
    return now;
  };
  const nodes: Record<string, NodeSpec> = {};
  const positions: Record<string, Point> = {};
  for (const id of found.nodes) {
    const spec = doc.nodes[id]!;
    nodes[id] = { ...spec, config: JSON.parse(inner(JSON.stringify(spec.config))) as NodeSpec['config'] };
    positions[id] = positionOf(doc, id);
  }
  const right = Math.max(...found.nodes.map((id) => positionOf(doc, id).x)) + WIDTH + 96;
  let sub = readDoc({
    id: key,
    kind: 'subflow',
    name,
    languages: doc.languages,
    entry: found.entry,
    inputs: found.inputs.map(({ name: input, type, secret }) => ({ name: input, type, secret })),
    outputs: [
      ...found.outputs.map(({ name: output, type, secret }) => ({ name: output, type, secret })),
      ...(choosing(found) ? [{ name: 'way', type: 'string' }] : []),
    ],
    variables: found.own,
    nodes,
    edges: doc.edges.filter((edge) => inside.has(edge.from) && inside.has(edge.to)),
    ui: { positions },
  });
  found.exits.forEach((exit, index) => {
    const id = freeId(sub, 'logic.end');
    const outputs: Record<string, string> = {};
    for (const one of found.outputs) outputs[one.name] = one.value;
    if (choosing(found)) outputs.way = `'${exitName(index)}'`;
    const y = exit.wires[0] ? positionOf(doc, exit.wires[0].from).y : positionOf(doc, found.entry).y;
    sub = {
      ...sub,
      nodes: {
        ...sub.nodes,
        [id]: readDoc({
          nodes: {
            end: {
              type: 'logic.end',
              name: (exit.to !== null && doc.nodes[exit.to]?.name) || '',
              config: { outcome: 'completed', outputs },
            },
          },
        }).nodes.end!,
      },
      edges: [...sub.edges, ...exit.wires.map((edge) => ({ from: edge.from, port: edge.port, to: id }))],
      ui: { ...sub.ui, positions: { ...sub.ui.positions, [id]: { x: right, y: y + (index % 4) * 24 } } },
    };
  });
  return sub;
}

/** The flow from which the nodes were taken, with the new subflow in their place. */
export function replaced(
  doc: FlowDoc,
  found: Extraction,
  key: string,
  name: string,
): { doc: FlowDoc; id: string } {
  const into = wiresOf(doc).filter(
    (wire) => found.nodes.includes(wire.to) && !found.nodes.includes(wire.from),
  );
  const entries = new Map(into.map((wire) => [edgeKey(wire.from, wire.port), wire]));
  const places = found.nodes.map((id) => positionOf(doc, id));
  const middle = {
    x: Math.round(Math.min(...places.map((at) => at.x)) / GRID) * GRID,
    y: Math.round(places.reduce((sum, at) => sum + at.y, 0) / places.length / GRID) * GRID,
  };
  let next = removeNodes(doc, found.nodes);
  const spec = (given: Partial<NodeSpec>) => readDoc({ nodes: { one: given } }).nodes.one!;
  const put = (id: string, given: Partial<NodeSpec>, at: Point) => {
    next = {
      ...next,
      nodes: { ...next.nodes, [id]: spec(given) },
      ui: { ...next.ui, positions: { ...next.ui.positions, [id]: at } },
    };
  };
  const id = freeId(next, 'logic.subflow');
  const inputs = Object.fromEntries(found.inputs.map((one) => [one.name, one.value]));
  put(id, { type: 'logic.subflow', name, config: { flow: key, alias: 'live', inputs } }, middle);
  for (const wire of entries.values()) next = setWire(next, { from: wire.from, port: wire.port, to: id });

  const ended = (at: Point): string => {
    const end = freeId(next, 'logic.end');
    put(end, { type: 'logic.end', name: '', config: { outcome: 'completed', outputs: {} } }, at);
    return end;
  };
  /** What follows the subflow: variables are set again, and each way it was left by leads where it led. */
  const follow = (port: string, y: number, switched: boolean, otherwise: string | null) => {
    let last = { from: id, port };
    let x = middle.x + WIDTH + 64;
    if (found.changed.length > 0) {
      const set = freeId(next, 'logic.set');
      const assignments = found.changed.map((one) => ({ name: one, value: `nodes.${id}.${one}` }));
      put(set, { type: 'logic.set', name: '', config: { assignments } }, { x, y });
      next = setWire(next, { ...last, to: set });
      last = { from: set, port: 'next' };
      x += WIDTH + 64;
    }
    const [only] = found.exits;
    if (!switched) {
      if (only && only.to !== null) next = setWire(next, { ...last, to: only.to });
      return;
    }
    const choose = freeId(next, 'logic.switch');
    // All that leave by no way of their own take the last one, unless they go elsewhere.
    const listed = otherwise === null ? found.exits.slice(0, -1) : found.exits;
    const cases = listed.map((exit, index) => ({
      name: exitName(index),
      value: exitName(index),
      label: (exit.to !== null && next.nodes[exit.to]?.name) || '',
    }));
    put(choose, { type: 'logic.switch', name: '', config: { value: `nodes.${id}.way`, cases } }, { x, y });
    next = setWire(next, { ...last, to: choose });
    found.exits.forEach((exit, index) => {
      const way = index < listed.length ? exitName(index) : 'other';
      const to = exit.to ?? ended({ x: x + WIDTH + 64, y: y + 120 });
      next = setWire(next, { from: choose, port: way, to });
    });
    if (otherwise !== null) next = setWire(next, { from: choose, port: 'other', to: otherwise });
  };
  follow('next', middle.y, found.exits.length > 1, null);
  if (found.exits.length > 0 && found.goesOnHungUp) {
    const y = middle.y + 240;
    const handler = next.handlers.hangup ?? ended({ x: middle.x + 3 * (WIDTH + 64), y: y + 120 });
    follow('hangup', y, true, handler);
  }
  // What others read of the nodes, they now read of the subflow.
  const outer = (text: string): string => {
    let now = text;
    for (const port of found.outputs) {
      const inner = port.value.split(' ')[0]!;
      if (!inner.startsWith('nodes.')) continue;
      now = now.replaceAll(
        new RegExp(`\\b${inner.replaceAll('.', '\\.')}\\b`, 'g'),
        `nodes.${id}.${port.name}`,
      );
    }
    return now;
  };
  const nodes = Object.fromEntries(
    Object.entries(next.nodes).map(([one, given]) => {
      if (one === id) return [one, given];
      const before = JSON.stringify(given.config);
      const after = outer(before);
      return [one, before === after ? given : { ...given, config: JSON.parse(after) as NodeSpec['config'] }];
    }),
  );
  return { doc: { ...next, nodes }, id };
}
