/** Expressions, templates, JSON and secrets: what is written is checked as it is typed. */
import { Alert, Button, Select } from 'antd';
import { LockKeyhole } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useText, useWords } from '@/i18n';
import { type JsonFault, jsonFault, useJsonFault } from '@/ui/json';
import { Code, type CodeHandle } from './Code';
import { useForm, type WidgetProps } from './form';
import { InsertValue } from './InsertValue';
import { Preview } from './Preview';
import { placeholderOf } from './Simple';
import { useScope } from './useScope';
import { widgetWords } from './words';

/** What stands in the document as text: an old document may hold a number where an expression is meant. */
function written(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function Coded({
  mode,
  lines,
  ...props
}: WidgetProps & { mode: 'expression' | 'template'; lines: 'one' | 'many' }) {
  const { field, path, value, id, label, invalid, describedBy, compact } = props;
  const form = useForm();
  const handle = useRef<CodeHandle>(null);
  const text = written(value);
  const hint = compact || text ? undefined : placeholderOf(field.example);
  return (
    <>
      <div className="cw-coded">
        <Code
          mode={mode}
          lines={lines}
          value={text}
          id={id}
          label={label}
          labelledBy={`${id}-label`}
          describedBy={describedBy}
          invalid={invalid}
          readOnly={form.readOnly}
          hint={hint}
          handle={handle}
          onChange={(next) =>
            form.set(
              path,
              next === '' && field.hasDefault && field.default === null ? undefined : next,
              field.title,
              true,
            )
          }
        />
        {!form.readOnly && <InsertValue onPick={(picked) => handle.current?.insert(picked)} />}
      </div>
      <Preview source={text} mode={mode} secret={field.secret} known={invalid} />
    </>
  );
}

export function ExpressionWidget(props: WidgetProps) {
  return <Coded {...props} mode="expression" lines="one" />;
}

export function TemplateWidget(props: WidgetProps) {
  return <Coded {...props} mode="template" lines="one" />;
}

export function TemplateAreaWidget(props: WidgetProps) {
  return <Coded {...props} mode="template" lines="many" />;
}

/** JSON is taken over as soon as it is whole; what is typed until then stays in the field. */
export function JsonWidget({ field, path, value, id, label, invalid, describedBy }: WidgetProps) {
  const form = useForm();
  const w = useWords(widgetWords);
  const [text, setText] = useState(() => jsonText(value));
  const [wrong, setWrong] = useState<JsonFault | null>(null);
  const faultWords = useJsonFault();
  const mine = useRef(value);
  useEffect(() => {
    if (mine.current === value) return;
    mine.current = value;
    setText(jsonText(value));
    setWrong(null);
  }, [value]);
  const take = (next: string) => {
    setText(next);
    const read = readJson(next, field.template);
    setWrong('fault' in read ? read.fault : null);
    if ('fault' in read) return;
    mine.current = read.value;
    form.set(path, read.value === undefined && !field.hasDefault ? null : read.value, field.title, true);
  };
  return (
    <>
      <Code
        mode="json"
        lines="many"
        value={text}
        id={id}
        label={label}
        labelledBy={`${id}-label`}
        describedBy={describedBy}
        invalid={invalid || wrong !== null}
        readOnly={form.readOnly}
        hint={field.example === undefined ? '{ }' : JSON.stringify(field.example)}
        onChange={take}
      />
      {wrong && <Alert type="error" showIcon title={faultWords(wrong)} />}
      {!wrong && text.length > 40 && !form.readOnly && jsonText(value) !== text && (
        <Button size="small" type="link" onClick={() => setText(jsonText(value))}>
          {w('format')}
        </Button>
      )}
    </>
  );
}

function jsonText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' && !looksLikeJson(value) ? value : JSON.stringify(value, null, 2);
}

const looksLikeJson = (text: string): boolean =>
  /^\s*([[{"]|-?\d|true\b|false\b|null\b)/.test(text) || text.trim() === '';

/** JSON; where a template may stand, a text that does not begin like JSON is a text. */
export function readJson(text: string, template: boolean): { value: unknown } | { fault: JsonFault } {
  if (text.trim() === '') return { value: undefined };
  const fault = jsonFault(text);
  if (!fault) return { value: JSON.parse(text) };
  const isTemplate = /^\s*\{[{%]/.test(text);
  return template && (isTemplate || !looksLikeJson(text)) ? { value: text } : { fault };
}

/** A confidential value by the name of the variable or result that holds it: the value itself is never in a flow. */
export function SecretWidget(props: WidgetProps) {
  const { field, path, value, id, label, invalid, describedBy } = props;
  const form = useForm();
  const t = useText();
  const w = useWords(widgetWords);
  const entries = useScope().filter((one) => one.secret || one.path === 'customer.card');
  const text = written(value);
  const bare = /^\{\{\s*(.*?)\s*\}\}$/.exec(text)?.[1] ?? text;
  const known = entries.some((one) => one.path === bare);
  return (
    <>
      <Select
        id={id}
        className="cw-wide"
        aria-label={label}
        aria-describedby={describedBy}
        status={invalid ? 'error' : undefined}
        disabled={form.readOnly}
        placeholder={w('secretPick')}
        prefix={<LockKeyhole size={14} />}
        value={bare || undefined}
        allowClear
        showSearch
        notFoundContent={w('noSecrets')}
        options={[
          ...entries.map((one) => ({ value: one.path, label: t(one.title) })),
          ...(bare && !known ? [{ value: bare, label: bare }] : []),
        ]}
        onChange={(next) =>
          form.set(path, next === undefined ? '' : field.template ? `{{ ${next} }}` : next, field.title)
        }
      />
      <p className="cw-field-help">{w('secretHelp')}</p>
    </>
  );
}
