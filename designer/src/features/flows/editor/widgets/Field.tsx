/** One field of a form: its title, its widget, help, an example, what is wrong, and the way back to the default. */
import { Button, Tooltip } from 'antd';
import { RotateCcw } from 'lucide-react';
import { lazy, memo, type ReactNode, Suspense } from 'react';
import { sentences } from '@/graphql/useChange';
import { labelled, useText, useWords } from '@/i18n';
import { isRecord } from '@/ui/json';
import { fieldId, type Trouble, useForm, type WidgetProps } from './form';
import { type Path, same, within } from './paths';
import {
  DurationWidget,
  KeysWidget,
  KeyWidget,
  LanguageWidget,
  NumberWidget,
  SelectWidget,
  SwitchWidget,
  TextAreaWidget,
  TextWidget,
  WordsWidget,
} from './Simple';
import { type Field, type Inherited, isShown, NO_HINTS, readField, type Schema, type Widget } from './schema';
import './widgets.css';
import { dotted } from './paths';
import { widgetWords } from './words';

type WidgetComponent = (props: WidgetProps) => ReactNode;

const rich = (name: keyof typeof import('./rich')) =>
  lazy(async () => ({ default: (await import('./rich'))[name] as WidgetComponent }));

const Expression = rich('ExpressionWidget');
const Template = rich('TemplateWidget');
const TemplateArea = rich('TemplateAreaWidget');
const Json = rich('JsonWidget');
const Prompt = rich('PromptWidget');
const List = rich('ListWidget');
const KeyValue = rich('KeyValueWidget');
const Variable = rich('VariableWidget');
const Calendar = rich('CalendarWidget');
const NumberList = rich('NumberListWidget');
const Query = rich('QueryWidget');
const Credential = rich('CredentialWidget');
const Flow = rich('FlowWidget');
const Secret = rich('SecretWidget');

/** The component of each widget. A text that may be computed is edited as a template. */
function componentOf(field: Field): React.ComponentType<WidgetProps> {
  const widgets: Record<Widget, React.ComponentType<WidgetProps>> = {
    text: field.template ? Template : field.expression ? Expression : TextWidget,
    textarea: field.template ? TemplateArea : TextAreaWidget,
    phone: field.template ? Template : field.expression ? Expression : TextWidget,
    number: NumberWidget,
    switch: SwitchWidget,
    select: SelectWidget,
    duration: DurationWidget,
    prompt: Prompt,
    expression: Expression,
    template: Template,
    choices: List,
    languages: List,
    keyvalue: KeyValue,
    calendar: Calendar,
    list: NumberList,
    query: Query,
    credential: Credential,
    secret: Secret,
    language: LanguageWidget,
    flow: Flow,
    key: KeyWidget,
    keys: KeysWidget,
    words: WordsWidget,
    variable: Variable,
    json: Json,
    object: ObjectWidget,
    union: UnionWidget,
  };
  return widgets[field.widget];
}

const BESIDE: ReadonlySet<Widget> = new Set(['number', 'switch', 'duration', 'key']);
/** Widgets that show what is wrong inside of them themselves. */
const CONTAINERS: ReadonlySet<Widget> = new Set([
  'prompt',
  'choices',
  'languages',
  'keyvalue',
  'object',
  'union',
]);

export function WidgetOf(props: WidgetProps) {
  const Component = componentOf(props.field);
  return (
    <Suspense fallback={<div className="cw-widget-wait" />}>
      <Component {...props} />
    </Suspense>
  );
}

/** What is wrong at a place, or also below it. */
export function troublesAt(
  troubles: ReadonlyMap<string, Trouble[]>,
  place: string,
  below: boolean,
): Trouble[] {
  if (!below) return troubles.get(place) ?? [];
  return [...troubles].filter(([at]) => within(at, place)).flatMap(([, found]) => found);
}

export function Troubles({ id, troubles }: { id: string; troubles: Trouble[] }) {
  const t = useText();
  if (troubles.length === 0) return null;
  return (
    <ul className="cw-troubles" id={id}>
      {troubles.map((one) => (
        <li key={`${one.code}${one.message.en}`} data-severity={one.severity}>
          {sentences([t(one.message)])}
          {one.remedy && <span className="cw-remedy"> {t(one.remedy)}</span>}
        </li>
      ))}
    </ul>
  );
}

export const FieldRow = memo(function FieldRow({
  name,
  schema,
  required,
  path,
  siblings,
  parent,
  inherited = NO_HINTS,
}: {
  name: string;
  schema: Schema;
  required: boolean;
  path: Path;
  siblings: Record<string, unknown>;
  parent: Field | null;
  inherited?: Inherited;
}) {
  const form = useForm();
  const t = useText();
  const w = useWords(widgetWords);
  const field = readField(schema, form.defs, name, inherited);
  if ('const' in field.schema) return null;
  const defaults = (other: string) => {
    const found = parent?.properties.find((one) => one.name === other);
    return found ? readField(found.schema, form.defs, other).default : undefined;
  };
  if (!isShown(field, siblings, defaults)) return null;
  const raw = siblings[name];
  const value = raw === undefined ? field.default : raw;
  const id = fieldId(form.node, path);
  const place = dotted(path);
  const troubles = troublesAt(form.troubles, place, !CONTAINERS.has(field.widget));
  const invalid = troubles.some((one) => one.severity === 'error');
  const helpId = `${id}-help`;
  const troubleId = `${id}-troubles`;
  const title = t(field.title);
  const help = t(field.help);
  const changed = field.hasDefault && raw !== undefined && !same(raw, field.default);
  const isEmpty = value === undefined || value === null || value === '';
  const beside = BESIDE.has(field.widget);
  return (
    <div className="cw-field" data-place={place} data-beside={beside || undefined} data-widget={field.widget}>
      <div className="cw-field-head">
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: only what clicking a label does, for code fields too */}
        <label
          id={`${id}-label`}
          htmlFor={id}
          onClick={(event) => {
            const target = document.getElementById(id);
            if (target?.isContentEditable) {
              event.preventDefault();
              target.focus();
            }
          }}
        >
          {title}
          {required && (
            <>
              <span className="cw-needed" aria-hidden="true">
                *
              </span>
              <span className="cw-hidden"> ({w('required')})</span>
            </>
          )}
        </label>
        {changed && !form.readOnly && (
          <Tooltip title={w('reset')}>
            <Button
              size="small"
              type="text"
              className="cw-reset"
              aria-label={w('resetOf', { field: title })}
              icon={<RotateCcw size={13} />}
              onClick={() => form.set(path, undefined, field.title)}
            />
          </Tooltip>
        )}
      </div>
      <div className="cw-field-widget">
        <WidgetOf
          field={field}
          path={path}
          value={value}
          id={id}
          invalid={invalid}
          describedBy={
            [help && helpId, troubles.length > 0 && troubleId].filter(Boolean).join(' ') || undefined
          }
        />
      </div>
      <Troubles id={troubleId} troubles={troubles} />
      {help && (
        <p className="cw-field-help" id={helpId}>
          {help}
          {isEmpty && <Example field={field} path={path} />}
        </p>
      )}
    </div>
  );
});

/** An example that can be taken over while the field is empty. */
function Example({ field, path }: { field: Field; path: Path }) {
  const form = useForm();
  const w = useWords(widgetWords);
  const { example } = field;
  if (example === undefined || example === null || typeof example === 'object') return null;
  return (
    <span className="cw-field-example">
      {labelled(w('example'))}
      <button
        type="button"
        className="cw-example"
        title={w('useExample')}
        disabled={form.readOnly}
        onClick={() => form.set(path, example, field.title)}
      >
        <code>{String(example)}</code>
      </button>
    </span>
  );
}

/** The fields of an object, one below the other. */
export function Fields({
  field,
  path,
  value,
  inherited,
}: {
  field: Field;
  path: Path;
  value: unknown;
  inherited?: Inherited;
}) {
  const siblings = isRecord(value) ? value : {};
  return (
    <>
      {field.properties.map((one) => (
        <FieldRow
          key={one.name}
          name={one.name}
          schema={one.schema}
          required={one.required}
          path={[...path, one.name]}
          siblings={siblings}
          parent={field}
          inherited={inherited}
        />
      ))}
    </>
  );
}

function ObjectWidget({ field, path, value }: WidgetProps) {
  return (
    <div className="cw-object">
      <Fields field={field} path={path} value={value} inherited={field} />
    </div>
  );
}

/** One of several kinds of objects: which kind, and its fields. */
function UnionWidget(props: WidgetProps) {
  const { field, path, value, id } = props;
  const form = useForm();
  const t = useText();
  const w = useWords(widgetWords);
  const side =
    field.sides.find((one) => isRecord(value) && value[one.tag] === one.value) ?? field.sides[0] ?? null;
  if (!side) return null;
  const below = readField(side.schema, form.defs, '', field);
  const options: Field = {
    ...field,
    widget: 'select',
    nullable: false,
    options: field.sides.map((one) => {
      const title = readField(one.schema, form.defs, String(one.value)).title;
      return { value: one.value, title };
    }),
  };
  return (
    <div className="cw-object">
      <SelectWidget
        {...props}
        field={options}
        path={[...path, side.tag]}
        value={side.value}
        id={id}
        label={w('kindOf', { field: t(field.title) })}
      />
      <Fields field={below} path={path} value={value} inherited={field} />
    </div>
  );
}
