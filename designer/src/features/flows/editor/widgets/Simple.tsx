/** Widgets of single values: text, numbers, switches, choices, keys, languages. */
import { Input, InputNumber, Select, Space, Switch } from 'antd';
import { useMemo, useState } from 'react';
import { remarked, useText, useWords } from '@/i18n';
import { isRecord } from '@/ui/json';
import { useLanguageNames } from '@/ui/languages';
import { useForm, type WidgetProps } from './form';
import { valueAt } from './paths';
import { widgetWords } from './words';

const textOf = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);

function aria({ label, invalid, describedBy }: WidgetProps) {
  return {
    'aria-label': label,
    'aria-invalid': invalid || undefined,
    'aria-describedby': describedBy,
  };
}

export function TextWidget(props: WidgetProps) {
  const { field, path, value, id, invalid } = props;
  const form = useForm();
  return (
    <Input
      id={id}
      {...aria(props)}
      value={textOf(value)}
      status={invalid ? 'error' : undefined}
      disabled={form.readOnly}
      placeholder={placeholderOf(field.example)}
      onChange={(event) => form.set(path, event.target.value, field.title, true)}
    />
  );
}

export function TextAreaWidget(props: WidgetProps) {
  const { field, path, value, id, invalid } = props;
  const form = useForm();
  return (
    <Input.TextArea
      id={id}
      {...aria(props)}
      autoSize={{ minRows: 2, maxRows: 12 }}
      value={textOf(value)}
      status={invalid ? 'error' : undefined}
      disabled={form.readOnly}
      placeholder={placeholderOf(field.example)}
      onChange={(event) => form.set(path, event.target.value, field.title, true)}
    />
  );
}

export function placeholderOf(example: unknown): string | undefined {
  return typeof example === 'string' || typeof example === 'number' ? String(example) : undefined;
}

/** A number as it is, however many decimals its steps have. */
export function plainNumber(
  value: unknown,
  { userTyping, input }: { userTyping: boolean; input: string },
): string {
  return userTyping
    ? input
    : value === undefined || value === null || value === ''
      ? ''
      : String(Number(value));
}

export function NumberWidget(props: WidgetProps) {
  const { field, path, value, id, invalid } = props;
  const form = useForm();
  return (
    <InputNumber
      id={id}
      {...aria(props)}
      className="cw-number"
      value={typeof value === 'number' ? value : null}
      status={invalid ? 'error' : undefined}
      disabled={form.readOnly}
      placeholder={placeholderOf(field.example)}
      formatter={plainNumber}
      step={field.types.includes('number') && (field.maximum ?? field.below ?? 100) <= 10 ? 0.5 : 1}
      onChange={(next) => form.set(path, next ?? (field.nullable ? null : undefined), field.title, true)}
    />
  );
}

const UNITS = { s: 1, min: 60, h: 3600 } as const;
type Unit = keyof typeof UNITS;

/** The largest unit in which a duration is a whole number. */
export function unitOf(seconds: number): Unit {
  if (seconds >= 3600 && seconds % 1800 === 0) return 'h';
  if (seconds >= 60 && seconds % 30 === 0) return 'min';
  return 's';
}

/** Seconds are kept; long ones can be written in minutes or hours. */
export function DurationWidget(props: WidgetProps) {
  const { field, path, value, id, invalid } = props;
  const form = useForm();
  const w = useWords(widgetWords);
  const t = useText();
  const seconds = typeof value === 'number' ? value : null;
  const most = field.maximum ?? field.below ?? Number.POSITIVE_INFINITY;
  const units = (Object.keys(UNITS) as Unit[]).filter((unit) => UNITS[unit] * 2 <= most);
  const [unit, setUnit] = useState<Unit>(() => {
    const wanted = unitOf(seconds ?? 0);
    return units.includes(wanted) ? wanted : 's';
  });
  const number = (
    <InputNumber
      id={id}
      {...aria(props)}
      className="cw-number"
      value={seconds === null ? null : seconds / UNITS[unit]}
      status={invalid ? 'error' : undefined}
      disabled={form.readOnly}
      formatter={plainNumber}
      step={unit === 's' && most > 10 ? 1 : 0.5}
      suffix={units.length > 1 ? undefined : w('s')}
      onChange={(next) =>
        form.set(
          path,
          typeof next === 'number' ? next * UNITS[unit] : field.nullable ? null : undefined,
          field.title,
          true,
        )
      }
    />
  );
  if (units.length < 2) return number;
  return (
    <Space.Compact>
      {number}
      <Select
        aria-label={w('unit', { field: t(field.title) })}
        className="cw-unit"
        popupMatchSelectWidth={false}
        value={unit}
        disabled={form.readOnly}
        onChange={setUnit}
        options={units.map((one) => ({ value: one, label: w(one) }))}
      />
    </Space.Compact>
  );
}

export function SwitchWidget(props: WidgetProps) {
  const { field, path, value, id } = props;
  const form = useForm();
  const w = useWords(widgetWords);
  return (
    <span className="cw-switch">
      <Switch
        id={id}
        {...aria(props)}
        checked={value === true}
        disabled={form.readOnly}
        onChange={(next) => form.set(path, next, field.title)}
      />
      <span aria-hidden="true">{value === true ? w('on') : w('off')}</span>
    </span>
  );
}

export function SelectWidget(props: WidgetProps) {
  const { field, path, value, id, invalid } = props;
  const form = useForm();
  const t = useText();
  const w = useWords(widgetWords);
  const options = field.options.map((option) => ({
    value: JSON.stringify(option.value),
    label: t(option.title) || w('none'),
  }));
  return (
    <Select
      id={id}
      {...aria(props)}
      className="cw-wide"
      value={value === undefined ? undefined : JSON.stringify(value)}
      status={invalid ? 'error' : undefined}
      disabled={form.readOnly}
      allowClear={field.nullable}
      placeholder={w('choose')}
      popupMatchSelectWidth={false}
      options={options}
      onChange={(next) => form.set(path, next === undefined ? null : JSON.parse(next), field.title)}
    />
  );
}

export const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0', '*', '#'];

/** The keys that the items beside this one use. */
function useTakenKeys({ field, path }: WidgetProps): Set<string> {
  const { config } = useForm();
  return useMemo(() => {
    const at = path.findLastIndex((part) => typeof part === 'number');
    if (at < 0 || field.widget !== 'key') return new Set<string>();
    const list = valueAt(config, path.slice(0, at));
    const below = path.slice(at + 1);
    const own = path[at];
    return new Set(
      (Array.isArray(list) ? list : [])
        .filter((_, index) => index !== own)
        .map((item) => valueAt(item, below))
        .filter((one): one is string => typeof one === 'string'),
    );
  }, [config, path, field.widget]);
}

/** One key of a telephone. */
export function KeyWidget(props: WidgetProps) {
  const { field, path, value, id, invalid, compact } = props;
  const form = useForm();
  const w = useWords(widgetWords);
  const taken = useTakenKeys(props);
  const mayBeEmpty = field.nullable || field.pattern?.endsWith('?$') || field.minLength === 0;
  const options = [
    ...(mayBeEmpty ? [{ value: '', label: w('noKey') }] : []),
    ...KEYS.map((key) => ({
      value: key,
      label: compact ? key : key === '*' ? w('star') : key === '#' ? w('hash') : key,
      disabled: taken.has(key),
    })),
  ];
  return (
    <Select
      id={id}
      {...aria(props)}
      className="cw-key cw-num"
      value={textOf(value) || (mayBeEmpty ? '' : undefined)}
      status={invalid ? 'error' : undefined}
      disabled={form.readOnly}
      showSearch
      popupMatchSelectWidth={false}
      options={options}
      onChange={(next) => form.set(path, next, field.title)}
    />
  );
}

export function KeysWidget(props: WidgetProps) {
  const { field, path, value, id, invalid } = props;
  const form = useForm();
  return (
    <Select
      id={id}
      {...aria(props)}
      className="cw-wide"
      mode="multiple"
      value={Array.isArray(value) ? (value as string[]) : []}
      status={invalid ? 'error' : undefined}
      disabled={form.readOnly}
      options={KEYS.map((key) => ({ value: key, label: key }))}
      onChange={(next) => form.set(path, next, field.title)}
    />
  );
}

const COMMON = ['zh', 'en', 'ko', 'ja', 'yue', 'fr', 'de', 'es', 'ru', 'ar', 'pt', 'vi', 'th', 'id'];

export function LanguageWidget(props: WidgetProps) {
  const { field, path, value, id, invalid } = props;
  const form = useForm();
  const name = useLanguageNames();
  const [typed, setTyped] = useState('');
  const known = [...new Set([...form.languages, ...COMMON, ...(textOf(value) ? [textOf(value)] : [])])];
  const own = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(typed) && !known.includes(typed) ? [typed] : [];
  return (
    <Select
      id={id}
      {...aria(props)}
      className="cw-wide"
      showSearch={{
        onSearch: setTyped,
        filterOption: (wanted, option) =>
          `${option?.value} ${option?.label}`.toLowerCase().includes(wanted.toLowerCase()),
      }}
      value={textOf(value) || undefined}
      status={invalid ? 'error' : undefined}
      disabled={form.readOnly}
      popupMatchSelectWidth={false}
      options={[...own, ...known].map((tag) => ({ value: tag, label: remarked(name(tag), tag) }))}
      onChange={(next) => form.set(path, next, field.title)}
    />
  );
}

/** Words or phrases, a list for each language. */
export function WordsWidget(props: WidgetProps) {
  const { field, path, value, id, invalid } = props;
  const form = useForm();
  const w = useWords(widgetWords);
  const t = useText();
  const name = useLanguageNames();
  const given = isRecord(value) ? value : {};
  const languages = [...new Set([...form.languages, ...Object.keys(given)])];
  return (
    <div className="cw-words" id={id}>
      {languages.map((tag) => {
        const words = Array.isArray(given[tag]) ? (given[tag] as string[]) : [];
        return (
          <div className="cw-words-row" key={tag}>
            <span className="cw-words-tag" aria-hidden="true">
              {name(tag)}
            </span>
            <Select
              className="cw-wide"
              mode="tags"
              open={false}
              suffixIcon={null}
              aria-label={w('wordsIn', { field: t(field.title), language: name(tag) })}
              tokenSeparators={[',', '，', '、', ';']}
              status={invalid ? 'error' : undefined}
              disabled={form.readOnly}
              placeholder={w('typeWord')}
              value={words}
              onChange={(next: string[]) => {
                const clean = [...new Set(next.map((word) => word.trim()).filter(Boolean))];
                const { [tag]: _, ...others } = given;
                form.set(path, clean.length > 0 ? { ...others, [tag]: clean } : others, field.title);
              }}
            />
          </div>
        );
      })}
    </div>
  );
}
