/** Names and values. A row whose name is not written yet, or is taken, stays in the form until it is. */
import { AutoComplete, Button } from 'antd';
import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useText, useWords } from '@/i18n';
import { isRecord } from '@/ui/json';
import { Troubles, troublesAt, WidgetOf } from './Field';
import { fieldId, useForm, type WidgetProps } from './form';
import { dotted } from './paths';
import { blankOf, type Field, readField } from './schema';
import { useSuggestedNames } from './suggestions';
import { widgetWords } from './words';

export function KeyValueWidget(props: WidgetProps) {
  const { field, path, value, id } = props;
  const form = useForm();
  const t = useText();
  const w = useWords(widgetWords);
  const suggested = useSuggestedNames(field, path);
  const [fresh, setFresh] = useState(0);
  const record = isRecord(value) ? value : {};
  const names = Object.keys(record);
  const title = t(field.title);
  const missing = suggested.filter((one) => one.required && !(one.name in record));
  const rename = (from: string | null, to: string) => {
    if (from === null) {
      form.set([...path, to], blankValue(field, form.defs), field.title);
      setFresh((count) => Math.max(0, count - 1));
      return;
    }
    const entries = Object.entries(record).map(([name, part]) => [name === from ? to : name, part]);
    form.set(path, Object.fromEntries(entries), field.title);
  };
  return (
    <div className="cw-items" id={id} role="group" aria-labelledby={`${id}-label`}>
      {names.map((name, index) => (
        <Row
          // biome-ignore lint/suspicious/noArrayIndexKey: a row keeps its place while its name is typed
          key={index}
          index={index}
          name={name}
          taken={names}
          title={title}
          suggested={suggested}
          onRename={(to) => rename(name, to)}
          onRemove={() => form.set([...path, name], undefined, field.title)}
          {...{ field, path, value: record[name] }}
        />
      ))}
      {Array.from({ length: fresh }, (_, index) => (
        <Row
          // biome-ignore lint/suspicious/noArrayIndexKey: rows without a name have nothing else
          key={`fresh${index}${names.length}`}
          index={names.length + index}
          name={null}
          taken={names}
          title={title}
          suggested={suggested}
          onRename={(to) => rename(null, to)}
          onRemove={() => setFresh((count) => count - 1)}
          {...{ field, path, value: undefined }}
        />
      ))}
      {names.length + fresh === 0 && <p className="cw-quiet cw-list-none">{w('noItems')}</p>}
      {!form.readOnly && (
        <div className="cw-list-foot">
          <Button
            size="small"
            type="dashed"
            block
            icon={<Plus size={14} />}
            aria-label={w('addItemTo', { field: title })}
            onClick={() => setFresh((count) => count + 1)}
          >
            {w('addItem')}
          </Button>
          {missing.length > 0 && (
            <Button
              size="small"
              type="link"
              onClick={() =>
                form.set(
                  path,
                  {
                    ...record,
                    ...Object.fromEntries(missing.map((one) => [one.name, blankValue(field, form.defs)])),
                  },
                  field.title,
                )
              }
            >
              {w('addAll', { names: missing.map((one) => one.name).join(', ') })}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

function blankValue(field: Field, defs: Parameters<typeof blankOf>[1]): unknown {
  if (field.expression || field.template) return '';
  return blankOf(field.values ?? {}, defs);
}

function Row({
  field,
  path,
  value,
  index,
  name,
  taken,
  title,
  suggested,
  onRename,
  onRemove,
}: {
  field: Field;
  path: WidgetProps['path'];
  value: unknown;
  index: number;
  name: string | null;
  taken: string[];
  title: string;
  suggested: { name: string; title: string }[];
  onRename: (to: string) => void;
  onRemove: () => void;
}) {
  const form = useForm();
  const w = useWords(widgetWords);
  const [typed, setTyped] = useState<string | null>(name === null ? '' : null);
  const wanted = (typed ?? name ?? '').trim();
  const isTaken = typed !== null && wanted !== name && taken.includes(wanted);
  const keep = () => {
    if (typed === null || wanted === '' || isTaken) return;
    if (wanted !== name) onRename(wanted);
    setTyped(null);
  };
  const below = valueField(field, form.defs, name ?? '');
  const at = [...path, name ?? ''];
  const troubles = name === null ? [] : troublesAt(form.troubles, dotted(at), true);
  const own = isTaken
    ? [{ severity: 'error' as const, message: { zh: w('nameTaken'), en: w('nameTaken') } }]
    : name === null
      ? [{ severity: 'warning' as const, message: { zh: w('emptyRow'), en: w('emptyRow') } }]
      : [];
  const troubleId = `${fieldId(form.node, path)}-${index}-troubles`;
  const hint = suggested.find((one) => one.name === name)?.title;
  return (
    <div className="cw-item" data-place={name === null ? undefined : dotted(at)}>
      <div className="cw-item-row">
        <div className="cw-item-fields" style={{ gridTemplateColumns: 'minmax(0, 1fr) minmax(0, 1.6fr)' }}>
          <AutoComplete
            aria-label={w('nameOf', { field: title, number: index + 1 })}
            aria-describedby={own.length > 0 ? troubleId : undefined}
            placeholder={w('newName')}
            autoFocus={name === null}
            value={typed ?? name ?? ''}
            status={isTaken ? 'error' : undefined}
            disabled={form.readOnly}
            popupMatchSelectWidth={false}
            options={suggested
              .filter((one) => one.name === name || !taken.includes(one.name))
              .map((one) => ({
                value: one.name,
                label: one.title ? `${one.name} – ${one.title}` : one.name,
              }))}
            showSearch={{ filterOption: (text, option) => !!option?.value?.includes(text) }}
            onChange={(next) => setTyped(String(next ?? ''))}
            onSelect={(next) => {
              setTyped(null);
              if (next !== name && !taken.includes(next)) onRename(next);
            }}
            onBlur={keep}
            onKeyDown={(event) => {
              if (event.key === 'Enter') keep();
            }}
          />
          {name === null ? (
            <span className="cw-quiet" aria-hidden="true">
              –
            </span>
          ) : (
            <div className="cw-item-cell">
              <WidgetOf
                field={below}
                path={at}
                value={value}
                id={fieldId(form.node, at)}
                label={w('valueOf', { name })}
                invalid={troubles.some((one) => one.severity === 'error')}
                describedBy={troubles.length > 0 ? troubleId : undefined}
                compact
              />
            </div>
          )}
        </div>
        {!form.readOnly && (
          <Button
            size="small"
            type="text"
            className="cw-remove"
            aria-label={w('removeItem', { field: title, number: index + 1 })}
            title={w('remove')}
            icon={<Trash2 size={14} />}
            onClick={onRemove}
          />
        )}
      </div>
      {hint && <small className="cw-item-hint cw-quiet">{hint}</small>}
      <Troubles id={troubleId} troubles={[...own, ...troubles]} />
    </div>
  );
}

/** How a value of a free mapping is edited: by its hints, or by its own schema. */
function valueField(field: Field, defs: Parameters<typeof blankOf>[1], name: string): Field {
  const below = readField(field.values ?? {}, defs, name, field);
  if (field.expression) return { ...below, widget: 'expression' };
  if (field.template) return { ...below, widget: 'template' };
  return below;
}
