/** Stand-ins for values that are only known in a call, so that a prompt can be heard while it is written. */

import { isRecord } from '@/ui/json';
import type { FlowDoc } from '../model';
import type { Entry } from './scope';

const CUSTOMER: Record<string, Record<string, unknown>> = {
  zh: {
    id: 'C1001',
    name: '王芳',
    level: '金卡',
    language: 'zh',
    card: '6222',
    phones: ['13800138000'],
    fields: {},
  },
  en: {
    id: 'C1001',
    name: 'Jane Miller',
    level: 'gold',
    language: 'en',
    card: '6222',
    phones: ['13800138000'],
    fields: {},
  },
};

function sampleOf(type: string): unknown {
  switch (type) {
    case 'number':
      return 123;
    case 'boolean':
      return true;
    case 'list':
      return [];
    case 'object':
      return {};
    default:
      return '1234';
  }
}

/** `{vars, nodes, call, customer}` with every name that expressions of the flow may use. */
export function sampleValues(
  doc: FlowDoc,
  entries: readonly Entry[],
  language: string,
): Record<string, unknown> {
  const base = language.split('-')[0] ?? 'en';
  const values: Record<string, unknown> = {
    vars: {},
    nodes: {},
    call: { id: '1', caller: '+8613800138000', called: '4008001234', language, anonymous: false },
    customer: CUSTOMER[base] ?? CUSTOMER.en,
  };
  for (const entry of entries) {
    const [root, ...rest] = entry.path.split('.');
    if (root !== 'vars' && root !== 'nodes') continue;
    let at = values[root] as Record<string, unknown>;
    for (const [index, part] of rest.entries()) {
      if (index === rest.length - 1) at[part] ??= sampleOf(entry.type);
      else {
        if (!isRecord(at[part])) at[part] = {};
        at = at[part] as Record<string, unknown>;
      }
    }
  }
  const vars = values.vars as Record<string, unknown>;
  for (const one of [...doc.variables, ...doc.inputs, ...doc.outputs])
    if (one.default !== undefined && one.default !== null && one.default !== '') vars[one.name] = one.default;
  return values;
}
