/** A list: each item a row with its short fields, the others below; added, removed and reordered. */
import { Button } from 'antd';
import { ChevronDown, ChevronRight, GripVertical, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { labelled, listed, useText, useWords } from '@/i18n';
import { isRecord } from '@/ui/json';
import { FieldRow, Troubles, troublesAt, WidgetOf } from './Field';
import { fieldId, useForm, type WidgetProps } from './form';
import { dotted, moved, type Path, within } from './paths';
import { blankOf, type Field, isShown, readField, type Widget } from './schema';
import { useReorder } from './useReorder';
import { widgetWords } from './words';

const SHORT: ReadonlySet<Widget> = new Set([
  'text',
  'number',
  'select',
  'duration',
  'key',
  'language',
  'switch',
  'expression',
  'template',
  'variable',
  'phone',
]);

/** How much of the row a field takes. */
const SPACE: Partial<Record<Widget, string>> = {
  key: '64px',
  number: '72px',
  switch: '72px',
  duration: '84px',
  expression: 'minmax(0, 1.6fr)',
  template: 'minmax(0, 1.6fr)',
};

interface Column {
  name: string;
  field: Field;
  required: boolean;
}

/** Words for people are longer than names. */
const spaceOf = ({ name, field }: Column): string =>
  SPACE[field.widget] ?? (name === 'label' ? 'minmax(0, 1.6fr)' : 'minmax(0, 1fr)');

export function ListWidget(props: WidgetProps) {
  const { field, path, value, id } = props;
  const form = useForm();
  const t = useText();
  const w = useWords(widgetWords);
  const [said, setSaid] = useState('');
  const items = Array.isArray(value) ? value : [];
  const title = t(field.title);
  const move = (from: number, to: number) => {
    form.set(path, moved(items, from, to), field.title);
    setSaid(w('itemMoved', { number: to + 1, count: items.length }));
  };
  const reorder = useReorder(items.length, move);
  if (!field.items) return null;
  const itemField = readField(field.items, form.defs, '', field);
  const columns: Column[] = itemField.properties
    .map((one) => ({ ...one, field: readField(one.schema, form.defs, one.name, field) }))
    .filter((one) => !('const' in one.field.schema));
  const inRow = columns.filter((one) => SHORT.has(one.field.widget)).slice(0, 3);
  const below = columns.filter((one) => !inRow.includes(one));
  const template = inRow.map(spaceOf).join(' ') || 'minmax(0, 1fr)';
  const full = field.maxItems !== null && items.length >= field.maxItems;
  return (
    <div className="cw-items" id={id} role="group" aria-labelledby={`${id}-label`}>
      {items.length > 0 && inRow.length > 1 && (
        <div className="cw-list-heads" style={{ gridTemplateColumns: template }} aria-hidden="true">
          {inRow.map((one) => (
            <span key={one.name} title={t(one.field.help)}>
              {t(one.field.title)}
            </span>
          ))}
        </div>
      )}
      <div data-list>
        {items.map((item, index) => (
          <Item
            // biome-ignore lint/suspicious/noArrayIndexKey: items have no identity but their place
            key={index}
            index={index}
            count={items.length}
            item={item}
            path={[...path, index]}
            list={field}
            itemField={itemField}
            inRow={inRow}
            below={below}
            template={template}
            reorder={reorder}
          />
        ))}
      </div>
      {items.length === 0 && <p className="cw-quiet cw-list-none">{w('noItems')}</p>}
      {!form.readOnly && (
        <Button
          size="small"
          type="dashed"
          block
          icon={<Plus size={14} />}
          disabled={full}
          aria-label={w('addItemTo', { field: title })}
          onClick={() => {
            form.set([...path, items.length], newItem(field, itemField, items, form.defs), field.title);
            const added = [...path, items.length, ...(inRow[0] ? [inRow[0].name] : [])];
            requestAnimationFrame(() => document.getElementById(fieldId(form.node, added))?.focus());
          }}
        >
          {w('addItem')}
        </Button>
      )}
      <span className="cw-hidden" role="status">
        {said}
      </span>
    </div>
  );
}

/** A new item whose unique fields do not repeat what is there: the next free key, `b` after `a`. */
export function newItem(
  field: Field,
  itemField: Field,
  items: unknown[],
  defs: Parameters<typeof blankOf>[1],
): unknown {
  const blank = blankOf(field.items ?? {}, defs);
  if (!isRecord(blank)) {
    if (field.port && typeof blank === 'string')
      return freeName(items.filter((one) => typeof one === 'string'));
    return blank;
  }
  const made = { ...blank };
  for (const name of field.unique) {
    const one = itemField.properties.find((property) => property.name === name);
    const widget = one ? readField(one.schema, defs, name).widget : 'text';
    const taken = items.map((item) => (isRecord(item) ? String(item[name] ?? '') : ''));
    if (widget === 'key') made[name] = [...'1234567890*#'].find((key) => !taken.includes(key)) ?? '';
    else if (one && readField(one.schema, defs, name).port) made[name] = freeName(taken);
  }
  return made;
}

function freeName(taken: string[]): string {
  for (const letter of 'abcdefghijklmnopqrstuvwxyz') if (!taken.includes(letter)) return letter;
  return `way_${taken.length + 1}`;
}

function Item({
  index,
  count,
  item,
  path,
  list,
  itemField,
  inRow,
  below,
  template,
  reorder,
}: {
  index: number;
  count: number;
  item: unknown;
  path: Path;
  list: Field;
  itemField: Field;
  inRow: Column[];
  below: Column[];
  template: string;
  reorder: ReturnType<typeof useReorder>;
}) {
  const form = useForm();
  const t = useText();
  const w = useWords(widgetWords);
  const title = t(list.title);
  const siblings = isRecord(item) ? item : {};
  const place = dotted(path);
  const shown = below.filter((one) => isShown(one.field, siblings, () => undefined));
  const filled = shown.filter((one) => isFilled(siblings[one.name]));
  const wanted = form.focus !== null && shown.some((one) => within(form.focus ?? '', `${place}.${one.name}`));
  const [open, setOpen] = useState(false);
  const isOpen = open || wanted || (inRow.length === 0 && shown.length > 0);
  const troubles = isOpen
    ? [...form.troubles]
        .filter(([at]) => within(at, place) && !shown.some((one) => within(at, `${place}.${one.name}`)))
        .flatMap(([, found]) => found)
    : troublesAt(form.troubles, place, true);
  const troubleId = `${fieldId(form.node, path)}-troubles`;
  const badAt = (name: string) =>
    [...form.troubles].some(
      ([at, found]) => within(at, `${place}.${name}`) && found.some((one) => one.severity === 'error'),
    );
  const simple = itemField.properties.length === 0;
  return (
    <div
      className="cw-item"
      data-item={index}
      data-place={place}
      data-dragging={reorder.dragging === index || undefined}
      data-before={reorder.target === index || undefined}
      data-after={(reorder.target === count && index === count - 1) || undefined}
      {...reorder.item(index)}
    >
      <div className="cw-item-row">
        {!form.readOnly && (
          <button
            type="button"
            className="cw-handle"
            data-handle
            aria-label={w('moveItem', { field: title, number: index + 1, count })}
            title={w('moveItem', { field: title, number: index + 1, count })}
            {...reorder.handle(index)}
          >
            <GripVertical size={14} aria-hidden="true" />
          </button>
        )}
        <div className="cw-item-fields" style={{ gridTemplateColumns: template }}>
          {simple ? (
            <WidgetOf
              field={{ ...itemField, widget: simpleWidget(itemField) }}
              path={path}
              value={item}
              id={fieldId(form.node, path)}
              label={`${title} ${index + 1}`}
              invalid={troubles.some((one) => one.severity === 'error')}
              describedBy={troubles.length > 0 ? troubleId : undefined}
              compact
            />
          ) : (
            inRow.map((one) => (
              <div key={one.name} data-place={`${place}.${one.name}`} className="cw-item-cell">
                <WidgetOf
                  field={one.field}
                  path={[...path, one.name]}
                  value={siblings[one.name] ?? one.field.default}
                  id={fieldId(form.node, [...path, one.name])}
                  label={w('itemOf', { part: t(one.field.title), field: title, number: index + 1 })}
                  invalid={badAt(one.name)}
                  describedBy={troubles.length > 0 ? troubleId : undefined}
                  compact
                />
              </div>
            ))
          )}
        </div>
        {shown.length > 0 && inRow.length > 0 && (
          <Button
            size="small"
            type="text"
            className="cw-item-more"
            data-filled={filled.length > 0 || undefined}
            aria-label={w('moreOf', { field: title, number: index + 1 })}
            title={shown.map((one) => t(one.field.title)).join(', ')}
            aria-expanded={isOpen}
            icon={isOpen ? <ChevronDown size={14} /> : <ChevronRight size={14} />}
            onClick={() => setOpen(!isOpen)}
          />
        )}
        {!form.readOnly && (
          <Button
            size="small"
            type="text"
            className="cw-remove"
            aria-label={w('removeItem', { field: title, number: index + 1 })}
            title={w('remove')}
            icon={<Trash2 size={14} />}
            onClick={() => form.set(path, undefined, list.title)}
          />
        )}
      </div>
      {!isOpen && filled.length > 0 && (
        <button type="button" className="cw-item-summary" onClick={() => setOpen(true)}>
          {filled.map((one) => labelled(t(one.field.title), summary(siblings[one.name]))).join(' · ')}
        </button>
      )}
      <Troubles id={troubleId} troubles={troubles} />
      {isOpen && shown.length > 0 && (
        <div className="cw-item-below">
          {shown.map((one) => (
            <FieldRow
              key={one.name}
              name={one.name}
              schema={itemField.properties.find((property) => property.name === one.name)?.schema ?? {}}
              required={one.required}
              path={[...path, one.name]}
              siblings={siblings}
              parent={itemField}
              inherited={list}
            />
          ))}
        </div>
      )}
    </div>
  );
}

/** A list of plain values: texts that may be computed are templates. */
function simpleWidget(field: Field): Widget {
  if (field.widget === 'textarea') return 'template';
  return field.widget;
}

function isFilled(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  if (isRecord(value)) return Object.values(value).some(isFilled);
  return true;
}

function summary(value: unknown): string {
  if (Array.isArray(value)) return listed(value.map(summary));
  if (isRecord(value)) return listed(Object.values(value).filter(isFilled).map(summary));
  return String(value);
}
