/**
 * Reading the JSON Schema of a node's config, whoever wrote the node.
 *
 * The hints are those of `nodes/sdk/config.py`. A schema without hints, or with hints that are not known here, still
 * gives a form: what its type says decides.
 */
import type { Text } from '@/i18n';
import { isRecord } from '@/ui/json';

export type Schema = Record<string, unknown>;
export type Defs = Record<string, Schema>;

export const WIDGETS = [
  'text',
  'textarea',
  'number',
  'switch',
  'select',
  'duration',
  'prompt',
  'expression',
  'template',
  'choices',
  'keyvalue',
  'calendar',
  'list',
  'query',
  'credential',
  'secret',
  'language',
  'languages',
  'phone',
  'flow',
  'key',
  'keys',
  'words',
  'variable',
  'json',
  'object',
  'union',
] as const;
export type Widget = (typeof WIDGETS)[number];

export interface Option {
  value: unknown;
  title: Text;
}

/** One field as a form needs it: references followed, the side that may be null taken away, hints read. */
export interface Field {
  schema: Schema;
  widget: Widget;
  types: string[];
  nullable: boolean;
  title: Text;
  help: Text;
  example: unknown;
  template: boolean;
  expression: boolean;
  secret: boolean;
  port: boolean;
  unique: string[];
  when: Record<string, unknown[]>;
  options: Option[];
  hasDefault: boolean;
  default: unknown;
  /** The fields of an object, in order. */
  properties: { name: string; schema: Schema; required: boolean }[];
  /** What a list holds, or what the values of a free mapping are. */
  items: Schema | null;
  values: Schema | null;
  /** The sides of a union of objects, told apart by the constant of one property. */
  sides: { tag: string; value: unknown; schema: Schema }[];
  minimum: number | null;
  maximum: number | null;
  above: number | null;
  below: number | null;
  minLength: number | null;
  maxLength: number | null;
  minItems: number | null;
  maxItems: number | null;
  pattern: string | null;
}

/** The schema behind a reference, with what stands beside the reference on top. */
export function resolved(schema: Schema, defs: Defs, depth = 0): Schema {
  let found = schema;
  if (typeof schema.$ref === 'string' && depth < 20) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    const { $ref: _, ...beside } = schema;
    found = { ...resolved(defs[name] ?? {}, defs, depth + 1), ...beside };
  }
  if (Array.isArray(found.allOf) && depth < 20) {
    const { allOf, ...beside } = found;
    const parts = (allOf as Schema[]).map((part) => resolved(part, defs, depth + 1));
    found = { ...Object.assign({}, ...parts), ...beside };
  }
  return found;
}

export function defsOf(schema: Schema): Defs {
  return isRecord(schema.$defs) ? (schema.$defs as Defs) : {};
}

/** Hints that a mapping or list hands on to every string inside it. */
export type Inherited = Pick<Field, 'template' | 'expression' | 'secret'>;
export const NO_HINTS: Inherited = { template: false, expression: false, secret: false };

/** Read one field. `name` stands in for a title that is missing. */
export function readField(given: Schema, defs: Defs, name: string, inherited: Inherited = NO_HINTS): Field {
  const outer = resolved(given, defs);
  const { side, nullable, sides } = narrowed(outer, defs);
  const schema: Schema = side === outer ? outer : { ...side, ...withoutUnion(outer) };
  const types = typesOf(schema);
  const values = valuesOf(schema);
  const items = isRecord(schema.items) ? (schema.items as Schema) : null;
  const required = new Set(Array.isArray(schema.required) ? (schema.required as string[]) : []);
  const properties = isRecord(schema.properties)
    ? Object.entries(schema.properties as Record<string, Schema>).map(([key, part]) => ({
        name: key,
        schema: part,
        required: required.has(key),
      }))
    : [];
  const field: Field = {
    schema,
    widget: 'text',
    types,
    nullable: nullable || types.includes('null'),
    title: textOf(outer['x-title'], readable(name)),
    help: textOf(outer['x-help'], String(schema.description ?? '')),
    example: outer['x-example'] ?? (Array.isArray(schema.examples) ? schema.examples[0] : undefined),
    template: schema['x-template'] === true || (inherited.template && schema['x-expression'] !== true),
    expression: schema['x-expression'] === true || (inherited.expression && schema['x-template'] !== true),
    secret: schema['x-secret'] === true || inherited.secret,
    port: schema['x-port'] === true,
    unique: Array.isArray(schema['x-unique']) ? (schema['x-unique'] as string[]) : [],
    when: isRecord(schema['x-when']) ? (schema['x-when'] as Record<string, unknown[]>) : {},
    options: optionsOf(schema),
    hasDefault: 'default' in outer,
    default: outer.default,
    properties,
    items: items ?? (Array.isArray(schema.prefixItems) ? ((schema.prefixItems[0] as Schema) ?? null) : null),
    values,
    sides,
    minimum: numberOf(schema.minimum),
    maximum: numberOf(schema.maximum),
    above: numberOf(schema.exclusiveMinimum),
    below: numberOf(schema.exclusiveMaximum),
    minLength: numberOf(schema.minLength),
    maxLength: numberOf(schema.maxLength),
    minItems: numberOf(schema.minItems),
    maxItems: numberOf(schema.maxItems),
    pattern: typeof schema.pattern === 'string' ? schema.pattern : null,
  };
  field.widget = widgetOf(field, schema['x-widget']);
  // The unit stands beside the number, and may be another one.
  if (field.widget === 'duration')
    field.title = {
      zh: field.title.zh.replace(/（秒）$/, ''),
      en: field.title.en.replace(/ \(seconds\)$/, ''),
    };
  return field;
}

/** The fields of a config at the top. */
export function fieldsOf(schema: Schema): { name: string; schema: Schema; required: boolean }[] {
  return readField(schema, defsOf(schema), '').properties;
}

function withoutUnion(schema: Schema): Schema {
  const { anyOf: _a, oneOf: _o, discriminator: _d, ...rest } = schema;
  return rest;
}

function narrowed(schema: Schema, defs: Defs): { side: Schema; nullable: boolean; sides: Field['sides'] } {
  const union = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined;
  if (!Array.isArray(union)) return { side: schema, nullable: false, sides: [] };
  const all = union.map((part) => resolved(part, defs));
  const real = all.filter((part) => part.type !== 'null');
  const nullable = real.length < all.length;
  if (real.length === 1 && real[0]) return { side: real[0], nullable, sides: [] };
  const tag = tagOf(schema, real);
  if (tag) {
    return {
      side: schema,
      nullable,
      sides: real.map((part) => ({ tag, value: constantOf(part, tag), schema: part })),
    };
  }
  return { side: schema, nullable, sides: [] };
}

/** The property whose constant tells the sides of a union apart. */
function tagOf(schema: Schema, sides: Schema[]): string | null {
  const named = isRecord(schema.discriminator) ? schema.discriminator.propertyName : null;
  if (typeof named === 'string') return named;
  const first = sides[0];
  if (!first || !isRecord(first.properties)) return null;
  return (
    Object.keys(first.properties).find((name) =>
      sides.every((side) => constantOf(side, name) !== undefined),
    ) ?? null
  );
}

function constantOf(side: Schema, name: string): unknown {
  const property = isRecord(side.properties) ? side.properties[name] : undefined;
  if (!isRecord(property)) return undefined;
  if ('const' in property) return property.const;
  return Array.isArray(property.enum) && property.enum.length === 1 ? property.enum[0] : undefined;
}

/** The side of a union that a value is of; the first when none fits. */
export function sideOf(field: Field, value: unknown): Field['sides'][number] | null {
  if (field.sides.length === 0) return null;
  return (
    field.sides.find((side) => isRecord(value) && value[side.tag] === side.value) ?? field.sides[0] ?? null
  );
}

function typesOf(schema: Schema): string[] {
  if (typeof schema.type === 'string') return [schema.type];
  if (Array.isArray(schema.type)) return schema.type.filter((one) => typeof one === 'string');
  if (Array.isArray(schema.enum) || 'const' in schema) return [];
  const union = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined;
  return Array.isArray(union) ? [...new Set(union.flatMap((part) => typesOf(part)))] : [];
}

function valuesOf(schema: Schema): Schema | null {
  if (isRecord(schema.additionalProperties)) return schema.additionalProperties as Schema;
  if (isRecord(schema.patternProperties)) {
    const first = Object.values(schema.patternProperties)[0];
    if (isRecord(first)) return first as Schema;
  }
  if (schema.additionalProperties === true) return {};
  return schema.type === 'object' && !isRecord(schema.properties) && schema.additionalProperties !== false
    ? {}
    : null;
}

function optionsOf(schema: Schema): Option[] {
  const values = Array.isArray(schema.enum) ? schema.enum : 'const' in schema ? [schema.const] : [];
  const names = isRecord(schema['x-options']) ? schema['x-options'] : {};
  return values.map((value) => ({ value, title: textOf(names[String(value)], String(value)) }));
}

function textOf(value: unknown, otherwise: string): Text {
  if (isRecord(value)) {
    const zh = typeof value.zh === 'string' ? value.zh : '';
    const en = typeof value.en === 'string' ? value.en : '';
    if (zh || en) return { zh: zh || en, en: en || zh };
  }
  if (typeof value === 'string' && value) return { zh: value, en: value };
  return { zh: otherwise, en: otherwise };
}

/** `ring_seconds` as "Ring seconds". */
export function readable(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').trim();
  return words ? words[0]!.toUpperCase() + words.slice(1) : name;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** The widget that a hint wants when the type can be edited by it; otherwise what the type suggests. */
function widgetOf(field: Field, hint: unknown): Widget {
  const isText = field.types.length === 0 || field.types.includes('string');
  const isList = field.types.includes('array');
  const isObject = field.types.includes('object') || field.properties.length > 0;
  const isNumber = field.types.includes('number') || field.types.includes('integer');
  const wanted = WIDGETS.find((one) => one === hint);
  switch (wanted) {
    case 'number':
    case 'duration':
      if (isNumber && !field.template && !field.expression) return wanted;
      break;
    case 'switch':
      if (field.types.includes('boolean')) return wanted;
      break;
    case 'prompt':
      if (field.properties.some((one) => one.name === 'parts') || (isList && field.items)) return wanted;
      break;
    case 'choices':
    case 'languages':
    case 'keys':
      if (isList) return wanted;
      if (wanted === 'keys' && isText) return 'text';
      break;
    case 'keyvalue':
      if (isList) return 'choices';
      if (field.values) return wanted;
      break;
    case 'words':
      if (field.values) return wanted;
      break;
    case 'json':
      return wanted;
    case 'select':
      if (field.options.length > 0) return wanted;
      break;
    case 'template':
    case 'textarea':
      if (isList) return 'choices';
      if (isText && !isObject) return wanted;
      break;
    case undefined:
    case 'object':
    case 'union':
      break;
    default:
      if (isText && !isList && !isObject) return wanted;
  }
  if (field.sides.length > 0) return 'union';
  if (field.options.length > 0) return 'select';
  if (field.properties.some((one) => one.name === 'parts') && isPrompt(field.schema)) return 'prompt';
  if (field.properties.length > 0) return 'object';
  if (isList) return field.items ? 'choices' : 'json';
  if (field.values && isObject) return 'keyvalue';
  if (field.expression) return 'expression';
  if (field.template) return isText ? 'template' : 'json';
  if (field.types.length === 1 && field.types[0] === 'boolean') return 'switch';
  if (isNumber && !field.types.includes('string')) return 'number';
  if (field.types.length === 0) return 'json';
  if (field.types.includes('string') && field.types.every((one) => ['string', 'null'].includes(one)))
    return (field.maxLength ?? 0) > 300 ? 'textarea' : 'text';
  return 'json';
}

function isPrompt(schema: Schema): boolean {
  return schema.title === 'Prompt';
}

/** What a new item of a list, or an object that was missing, begins with. */
export function blankOf(given: Schema, defs: Defs, depth = 0): unknown {
  const field = readField(given, defs, '');
  if (field.hasDefault) return field.default;
  if (field.nullable) return null;
  const side = field.sides[0];
  if (side && depth < 8) return blankOf(side.schema, defs, depth + 1);
  if (field.options.length > 0) return field.options[0]!.value;
  if (field.properties.length > 0 && depth < 8) {
    return Object.fromEntries(
      field.properties
        .filter((one) => one.required || constantOf(field.schema, one.name) !== undefined)
        .map((one) => [one.name, constantOf(field.schema, one.name) ?? blankOf(one.schema, defs, depth + 1)]),
    );
  }
  if (field.types.includes('array')) return [];
  if (field.types.includes('object')) return {};
  if (field.types.includes('boolean')) return false;
  if (field.types.includes('integer') || field.types.includes('number'))
    return field.minimum ?? (field.above !== null ? field.above + 1 : 0);
  return '';
}

/** Whether a field is shown, given its siblings (`x-when`). */
export function isShown(
  field: Field,
  siblings: Record<string, unknown>,
  defaults: (name: string) => unknown,
): boolean {
  return Object.entries(field.when).every(([name, values]) =>
    values.some((value) => value === (name in siblings ? siblings[name] : defaults(name))),
  );
}

// --- constraints ----------------------------------------------------------------------------------------------------

/** What is wrong at one place, said before the server says it. */
export interface Fault {
  path: string;
  message: Text;
}

/** Everything wrong with a config that its schema can tell, place by place. Computed texts are not judged. */
export function faultsOf(config: unknown, schema: Schema): Fault[] {
  const faults: Fault[] = [];
  walk(config, readField(schema, defsOf(schema), ''), defsOf(schema), '', faults, 0);
  return faults;
}

function walk(value: unknown, field: Field, defs: Defs, path: string, faults: Fault[], depth: number): void {
  if (depth > 12) return;
  const tell = (zh: string, en: string) => faults.push({ path, message: { zh, en } });
  const hints: Inherited = field;
  if (value === undefined) return;
  if (value === null) {
    if (!field.nullable && field.types.length > 0) tell('请填写此项', 'Fill this in');
    return;
  }
  if (field.options.length > 0 && !field.options.some((one) => one.value === value)) {
    const have = field.options.map((one) => one.title.en).join(', ');
    tell(
      `请从以下各项中选择：${field.options.map((one) => one.title.zh).join('、')}`,
      `Choose one of these: ${have}`,
    );
    return;
  }
  const side = sideOf(field, value);
  if (side) {
    walk(value, readField(side.schema, defs, '', hints), defs, path, faults, depth + 1);
    return;
  }
  if (Array.isArray(value)) {
    if (field.types.length > 0 && !field.types.includes('array')) return;
    if (field.minItems !== null && value.length < field.minItems)
      tell(`至少需要 ${field.minItems} 项，请添加`, `At least ${field.minItems} needed: add more`);
    if (field.maxItems !== null && value.length > field.maxItems)
      tell(`最多 ${field.maxItems} 项，请删除一些`, `At most ${field.maxItems}: remove some`);
    for (const name of field.unique) repeated(value, name, path, faults);
    if (field.port) repeatedTexts(value, path, faults);
    const items = field.items;
    if (items)
      for (const [index, item] of value.entries())
        walk(item, readField(items, defs, '', hints), defs, join(path, index), faults, depth + 1);
    return;
  }
  if (isRecord(value)) {
    if (field.properties.length > 0) {
      for (const one of field.properties) {
        const below = readField(one.schema, defs, one.name, hints);
        const shown = isShown(below, value, (name) => defaultOf(field, name));
        if (one.required && value[one.name] === undefined && shown)
          faults.push({ path: join(path, one.name), message: NEEDED });
        if (one.required && value[one.name] === '' && below.expression)
          faults.push({ path: join(path, one.name), message: NEEDED });
        if (shown) walk(value[one.name], below, defs, join(path, one.name), faults, depth + 1);
      }
    } else if (field.values) {
      const least = numberOf(field.schema.minProperties);
      if (least !== null && Object.keys(value).length < least)
        tell(`至少需要 ${least} 项，请添加`, `At least ${least} needed: add more`);
      for (const [key, part] of Object.entries(value))
        walk(part, readField(field.values, defs, key, hints), defs, join(path, key), faults, depth + 1);
    }
    return;
  }
  if (typeof value === 'string') {
    if (field.expression || (field.template && computed(value))) return;
    textFaults(value, field, tell);
    return;
  }
  if (typeof value === 'number') numberFaults(value, field, tell);
}

const NEEDED: Text = { zh: '请填写此项', en: 'Fill this in' };

/** Whether a template holds something that is only known in a call. */
export function computed(text: string): boolean {
  return text.includes('{{') || text.includes('{%');
}

function defaultOf(field: Field, name: string): unknown {
  const found = field.properties.find((one) => one.name === name);
  return found && isRecord(found.schema) ? found.schema.default : undefined;
}

function join(path: string, key: string | number): string {
  return path ? `${path}.${key}` : String(key);
}

function textFaults(value: string, field: Field, tell: (zh: string, en: string) => void): void {
  if (field.types.length > 0 && !field.types.includes('string')) {
    if (field.types.includes('integer') || field.types.includes('number'))
      tell('请填写数字', 'Write a number');
    return;
  }
  const length = [...value].length;
  if (field.minLength !== null && length < field.minLength) {
    if (length === 0) tell(NEEDED.zh, NEEDED.en);
    else tell(`至少 ${field.minLength} 个字符`, `At least ${field.minLength} characters`);
    return;
  }
  if (field.maxLength !== null && length > field.maxLength) {
    tell(`最多 ${field.maxLength} 个字符，请缩短`, `At most ${field.maxLength} characters: shorten it`);
    return;
  }
  if (field.pattern && !matches(field.pattern, value)) {
    if (value === '') tell(NEEDED.zh, NEEDED.en);
    else tell(...patternWords(field));
  }
}

function numberFaults(value: number, field: Field, tell: (zh: string, en: string) => void): void {
  if (field.types.length === 1 && field.types[0] === 'integer' && !Number.isInteger(value)) {
    tell('请填写整数', 'Write a whole number');
    return;
  }
  const low =
    (field.minimum !== null && value < field.minimum) || (field.above !== null && value <= field.above);
  const high =
    (field.maximum !== null && value > field.maximum) || (field.below !== null && value >= field.below);
  if (!low && !high) return;
  const { zh, en } = rangeOf(field);
  tell(`应${zh}`, `It must be ${en}`);
}

/** The allowed range of a number in words. */
export function rangeOf(field: Field): Text {
  const zh: string[] = [];
  const en: string[] = [];
  if (field.minimum !== null && field.maximum !== null)
    return {
      zh: `在 ${field.minimum} 到 ${field.maximum} 之间`,
      en: `from ${field.minimum} to ${field.maximum}`,
    };
  if (field.minimum !== null) {
    zh.push(`不小于 ${field.minimum}`);
    en.push(`at least ${field.minimum}`);
  }
  if (field.above !== null) {
    zh.push(`大于 ${field.above}`);
    en.push(`more than ${field.above}`);
  }
  if (field.maximum !== null) {
    zh.push(`不大于 ${field.maximum}`);
    en.push(`at most ${field.maximum}`);
  }
  if (field.below !== null) {
    zh.push(`小于 ${field.below}`);
    en.push(`less than ${field.below}`);
  }
  return { zh: zh.join('、'), en: en.join(' and ') };
}

/** Patterns that our own nodes use, in words; a stranger's pattern is shown with an example. */
const PATTERNS: [RegExp, string, string][] = [
  [/^\^\[0-9\*#\]\??\$$/, '应为一个按键：0-9、* 或 #', 'One key: 0-9, * or #'],
  [/^\^\[a-z0-9_\]/, '只能用小写字母、数字和下划线', 'Only small letters, digits and underscores'],
  [/^\^\[a-z0-9_-\]/, '只能用小写字母、数字、下划线和 -', 'Only small letters, digits, underscores and -'],
  [
    /^\^\[a-z_\]\[a-z0-9_\]/,
    '只能用小写字母、数字和下划线，不能以数字开头',
    'Only small letters, digits and underscores, not beginning with a digit',
  ],
  [
    /^\^\[A-Z\]\{2\}\$$/,
    '应为两个大写字母的国家代码，如 CN',
    'A country code of two capital letters, such as CN',
  ],
  [
    /^\^\[A-Z\]\{3\}\$$/,
    '应为三个大写字母的货币代码，如 CNY',
    'A currency code of three capital letters, such as CNY',
  ],
  [/^\^\[a-z\]\{2,3\}/, '应为语言代码，如 zh、en', 'A language code such as zh or en'],
  [/\[01\].*\[0-5\]/, '应为 24 小时制时刻，如 09:00', 'A time on the 24-hour clock, such as 09:00'],
];

function patternWords(field: Field): [string, string] {
  const known = PATTERNS.find(([pattern]) => pattern.test(field.pattern ?? ''));
  const example =
    typeof field.example === 'string' || typeof field.example === 'number' ? field.example : null;
  const zh = example === null ? '' : `，例如 ${example}`;
  const en = example === null ? '' : `, for example ${example}`;
  if (known) return [`${known[1]}${zh}`, `${known[2]}${en}`];
  return [
    `格式不对，请改正${zh || `（${field.pattern}）`}`,
    `Not in the right form${en || `: ${field.pattern}`}`,
  ];
}

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true; // a pattern of another dialect: the server judges
  }
}

function repeated(list: unknown[], name: string, path: string, faults: Fault[]): void {
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const value = isRecord(item) ? item[name] : undefined;
    if (typeof value !== 'string' || value === '') continue;
    if (seen.has(value)) faults.push({ path: join(join(path, index), name), message: twice(value) });
    seen.add(value);
  }
}

function repeatedTexts(list: unknown[], path: string, faults: Fault[]): void {
  const seen = new Set<unknown>();
  for (const [index, item] of list.entries()) {
    if (typeof item === 'string' && seen.has(item))
      faults.push({ path: join(path, index), message: twice(item) });
    seen.add(item);
  }
}

function twice(value: string): Text {
  return { zh: `“${value}”用了两次，请改用另一个`, en: `“${value}” is used twice: choose another` };
}
