/** Permissions by the part of the product that they are about. Pure. */
import type { Text } from '@/i18n';

export const DOMAINS = [
  {
    key: 'flows',
    title: { zh: '流程', en: 'Flows' },
    of: ['flows', 'flow_rules', 'prompts', 'calendars', 'lists', 'sources', 'numbers'],
  },
  {
    key: 'calls',
    title: { zh: '通话与录音', en: 'Calls and recordings' },
    of: ['calls', 'recordings', 'voicemails', 'phone', 'messages'],
  },
  {
    key: 'centre',
    title: { zh: '坐席与现场', en: 'Agents and the floor' },
    of: ['agent', 'agents', 'floor', 'queues', 'tasks', 'wrap_up', 'dispositions', 'chat', 'announcements'],
  },
  { key: 'customers', title: { zh: '客户', en: 'Customers' }, of: ['customers'] },
  { key: 'system', title: { zh: '维护', en: 'Maintenance' }, of: ['users', 'system', 'audit'] },
] as const satisfies readonly { key: string; title: Text; of: readonly string[] }[];

/** Every permission in exactly one part; what no part knows stands in the last but one. */
export function byDomain(permissions: readonly string[]): { key: string; title: Text; names: string[] }[] {
  const partOf = (name: string) => {
    const first = name.split('.')[0]!;
    return DOMAINS.find((one) => (one.of as readonly string[]).includes(first))?.key ?? 'centre';
  };
  return DOMAINS.map(({ key, title }) => ({
    key,
    title,
    names: permissions.filter((name) => name !== 'signed_in' && partOf(name) === key),
  })).filter((one) => one.names.length > 0);
}
