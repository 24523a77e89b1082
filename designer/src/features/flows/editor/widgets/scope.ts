/**
 * What expressions may name: the flow's variables, the call, the customer, results of nodes, and the filters.
 *
 * The server knows best (`expressionScope`); what is worked out here shows at once and while there is no connection.
 */
import type { Text } from '@/i18n';
import { isRecord } from '@/ui/json';
import type { FlowDoc, NodeSpec } from '../model';

export type Group = 'variables' | 'caller' | 'customer' | 'outputs' | 'other';

export interface Entry {
  /** As it is written: `vars.amount`. */
  path: string;
  title: Text;
  type: string;
  group: Group;
  secret?: boolean;
  /** Its value in the last run, as text. */
  sample?: string;
}

const text = (zh: string, en: string): Text => ({ zh, en });

const CALL: [string, Text, string][] = [
  ['call.caller', text('主叫号码', "Caller's number"), 'string'],
  ['call.called', text('被叫号码', 'Number that was called'), 'string'],
  ['call.language', text('通话语言', 'Language of the call'), 'string'],
  ['call.anonymous', text('号码隐藏', 'Number is hidden'), 'boolean'],
  ['call.id', text('通话编号', 'Id of the call'), 'string'],
];

const CUSTOMER: [string, Text, string][] = [
  ['customer.name', text('姓名', 'Name'), 'string'],
  ['customer.level', text('级别', 'Level'), 'string'],
  ['customer.id', text('客户编号', 'Customer id'), 'string'],
  ['customer.language', text('语言', 'Language'), 'string'],
  ['customer.card', text('卡号', 'Card number'), 'string'],
  ['customer.fields', text('自定义字段', "The business's own fields"), 'object'],
];

const TIME: [string, Text, string][] = [
  ['now', text('现在', 'Now'), 'time'],
  ['now.hour', text('现在几点（0-23）', 'Hour now (0-23)'), 'number'],
  ['now.weekday', text('星期几（1-7）', 'Day of the week (1-7)'), 'number'],
  ['now.date', text('今天的日期', "Today's date"), 'string'],
];

export interface Filter {
  name: string;
  title: Text;
  /** What stands in the brackets when it is inserted. */
  arguments?: string;
}

export const FILTERS: Filter[] = [
  { name: 'money', title: text('金额，如 ¥1,234.50', 'Money, as ¥1,234.50'), arguments: "'CNY'" },
  { name: 'number', title: text('数字，带千位分隔', 'A number with separators') },
  { name: 'date', title: text('日期', 'A date') },
  { name: 'time', title: text('时刻', 'A time of day') },
  { name: 'datetime', title: text('日期和时间', 'Date and time') },
  { name: 'digits', title: text('逐位读出', 'Digit by digit') },
  { name: 'default', title: text('没有值时使用', 'Used when there is no value'), arguments: "''" },
  { name: 'round', title: text('四舍五入', 'Rounded'), arguments: '2' },
  { name: 'int', title: text('整数', 'A whole number') },
  { name: 'float', title: text('小数', 'A number with decimals') },
  { name: 'number_of', title: text('文本转为数字', 'The number that a text holds') },
  { name: 'string', title: text('转为文本', 'As text') },
  { name: 'length', title: text('长度', 'Length') },
  { name: 'upper', title: text('大写', 'Capital letters') },
  { name: 'lower', title: text('小写', 'Small letters') },
  { name: 'trim', title: text('去除首尾空格', 'Without spaces around it') },
  { name: 'replace', title: text('替换', 'With one text replaced'), arguments: "'', ''" },
  { name: 'slice', title: text('截取一段', 'A piece'), arguments: '0, 4' },
  { name: 'first', title: text('第一个', 'The first') },
  { name: 'last', title: text('最后一个', 'The last') },
  { name: 'join', title: text('连接成文本', 'A list as one text'), arguments: "', '" },
  { name: 'min', title: text('最小值', 'The smallest') },
  { name: 'max', title: text('最大值', 'The largest') },
  { name: 'sum', title: text('总和', 'The sum') },
  { name: 'abs', title: text('绝对值', 'Without its sign') },
  { name: 'shift', title: text('推移时间', 'A time moved'), arguments: 'days=1' },
];

export interface OutputInfo {
  name: string;
  type: string;
  title: Text;
  secret: boolean;
}

/** The results of a node as its definition or shape tells them. */
export function readOutputs(value: unknown): OutputInfo[] {
  return (Array.isArray(value) ? value : []).filter(isRecord).map((one) => ({
    name: String(one.name ?? ''),
    type: String(one.type ?? 'any'),
    title: isRecord(one.title) ? (one.title as unknown as Text) : text(String(one.name), String(one.name)),
    secret: one.secret === true,
  }));
}

export function localScope(
  doc: FlowDoc,
  outputsOf: (spec: NodeSpec, id: string) => OutputInfo[],
  nameOf: (spec: NodeSpec, id: string) => Text,
): Entry[] {
  const found: Entry[] = [];
  for (const variable of [...doc.variables, ...doc.inputs, ...doc.outputs]) {
    const path = `vars.${variable.name}`;
    if (!variable.name || found.some((one) => one.path === path)) continue;
    const title = variable.title || variable.name;
    found.push({
      path,
      title: text(title, title),
      type: variable.type,
      group: 'variables',
      secret: variable.secret,
    });
  }
  const add = (entries: [string, Text, string][], group: Group) =>
    found.push(...entries.map(([path, title, type]) => ({ path, title, type, group })));
  if (doc.kind !== 'ticket') add(CALL, 'caller');
  add(CUSTOMER, 'customer');
  for (const [id, spec] of Object.entries(doc.nodes)) {
    const name = nameOf(spec, id);
    for (const output of outputsOf(spec, id))
      found.push({
        path: `nodes.${id}.${output.name}`,
        title: text(`${name.zh}：${output.title.zh}`, `${name.en}: ${output.title.en}`),
        type: output.type,
        group: 'outputs',
        secret: output.secret,
      });
  }
  add(TIME, 'other');
  return found;
}

/** The entries that a person looks for, by name in either language or by path. */
export function searched(entries: readonly Entry[], typed: string): Entry[] {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return [...entries];
  return entries.filter((one) =>
    `${one.path} ${one.title.zh} ${one.title.en}`.toLowerCase().includes(wanted),
  );
}

/** A value as it is shown beside a field: short, on one line. */
export function shown(value: unknown): string {
  const words = typeof value === 'string' ? `“${value}”` : JSON.stringify(value);
  if (words === undefined) return '';
  return words.length > 120 ? `${words.slice(0, 117)}…` : words;
}
