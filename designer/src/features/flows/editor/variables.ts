/** Changes of a flow's variables, inputs and outputs. Pure. */
import type { FlowDoc, NodeSpec, Variable } from './model';

export type Side = 'inputs' | 'outputs' | 'variables';

export const NAME = /^[a-z_][a-z0-9_]{0,63}$/;

export function freeName(doc: FlowDoc): string {
  const taken = new Set([...doc.inputs, ...doc.outputs, ...doc.variables].map((one) => one.name));
  for (let number = 1; ; number += 1) if (!taken.has(`value_${number}`)) return `value_${number}`;
}

export function addVariable(doc: FlowDoc, side: Side): FlowDoc {
  const made: Variable = {
    name: freeName(doc),
    type: 'string',
    default: null,
    required: false,
    secret: false,
    title: '',
  };
  return { ...doc, [side]: [...doc[side], made] };
}

export function changeVariable(doc: FlowDoc, side: Side, at: number, change: Partial<Variable>): FlowDoc {
  return { ...doc, [side]: doc[side].map((one, index) => (index === at ? { ...one, ...change } : one)) };
}

export function removeVariable(doc: FlowDoc, side: Side, at: number): FlowDoc {
  return { ...doc, [side]: doc[side].filter((_, index) => index !== at) };
}

/** Another name for a variable, wherever nodes mention it. */
export function renameVariable(doc: FlowDoc, side: Side, at: number, name: string): FlowDoc {
  const old = doc[side][at]?.name;
  const next = changeVariable(doc, side, at, { name });
  if (!old || old === name) return next;
  const others = (['inputs', 'outputs', 'variables'] as const).flatMap((each) =>
    doc[each].filter((_, index) => each !== side || index !== at),
  );
  // An input and an output of the same name are one variable: the other one keeps it.
  if (others.some((one) => one.name === old)) return next;
  const pattern = new RegExp(`\\bvars\\.${old}\\b`, 'g');
  const follow = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') return value.replace(pattern, `vars.${name}`);
    if (Array.isArray(value)) {
      if (key === 'assignments')
        return value.map((one) => {
          const changed = follow(one, '') as { name?: unknown };
          return changed?.name === old ? { ...changed, name } : changed;
        });
      return value.map((one) => follow(one, ''));
    }
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([each, one]) => [each, follow(one, each)]));
    return value;
  };
  const nodes = Object.fromEntries(
    Object.entries(next.nodes).map(([id, spec]): [string, NodeSpec] => {
      const text = JSON.stringify(spec.config);
      if (!text.includes(old)) return [id, spec];
      const config = follow(spec.config, '') as NodeSpec['config'];
      return [id, JSON.stringify(config) === text ? spec : { ...spec, config }];
    }),
  );
  return { ...next, nodes };
}

/** A default as typed, in the variable's type; undefined when it is not one. */
export function readDefault(typed: string, type: Variable['type']): unknown {
  const text = typed.trim();
  if (text === '') return null;
  switch (type) {
    case 'string':
      return typed;
    case 'number': {
      const number = Number(text);
      return Number.isFinite(number) ? number : undefined;
    }
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    default:
      try {
        const value: unknown = JSON.parse(text);
        if (type === 'list') return Array.isArray(value) ? value : undefined;
        if (type === 'object')
          return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
        return value;
      } catch {
        return type === 'any' ? typed : undefined;
      }
  }
}

export function writeDefault(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
