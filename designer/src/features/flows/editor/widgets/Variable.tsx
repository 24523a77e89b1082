/** A variable of the flow; a new one is created right here. */
import { AutoComplete, Button, Select } from 'antd';
import { Plus } from 'lucide-react';
import { useWords } from '@/i18n';
import type { ValueType, Variable } from '../model';
import { useEditor, useEditorStore } from '../store';
import { useForm, type WidgetProps } from './form';
import { widgetWords } from './words';

export const VALUE_TYPES: ValueType[] = ['string', 'number', 'boolean', 'object', 'list', 'any'];
const NAME = /^[a-z_][a-z0-9_]{0,63}$/;

export function VariableWidget({
  field,
  path,
  value,
  id,
  label,
  invalid,
  describedBy,
  compact,
}: WidgetProps) {
  const form = useForm();
  const w = useWords(widgetWords);
  const store = useEditorStore();
  const variables = useEditor((state) => state.doc.variables);
  const inputs = useEditor((state) => state.doc.inputs);
  const outputs = useEditor((state) => state.doc.outputs);
  const all: Variable[] = [...variables, ...inputs, ...outputs];
  const name = typeof value === 'string' ? value : '';
  const own = variables.find((one) => one.name === name);
  const known = all.some((one) => one.name === name);
  const describe = (change: (list: Variable[]) => Variable[], done: { zh: string; en: string }) =>
    store.getState().apply(done, (doc) => ({ ...doc, variables: change(doc.variables) }));
  const create = () =>
    describe((list) => [...list, { name, type: 'any' }], {
      zh: `新建变量 ${name}`,
      en: `Create variable ${name}`,
    });
  return (
    <div className="cw-variable">
      <div className="cw-picker-row">
        <AutoComplete
          id={id}
          className="cw-wide"
          aria-label={label}
          aria-describedby={describedBy}
          status={invalid ? 'error' : undefined}
          disabled={form.readOnly}
          placeholder={w('chooseVariable')}
          popupMatchSelectWidth={false}
          value={name}
          options={all.map((one) => ({
            value: one.name,
            label: one.title ? `${one.name} – ${one.title}` : one.name,
          }))}
          showSearch={{
            filterOption: (typed, option) => !!option?.value?.includes(typed) && option.value !== typed,
          }}
          onChange={(next) => form.set(path, String(next ?? ''), field.title, true)}
        />
        {own && !compact && !form.readOnly && (
          <Select
            className="cw-type"
            size="small"
            variant="borderless"
            popupMatchSelectWidth={false}
            aria-label={w('typeOf', { name })}
            value={own.type}
            options={VALUE_TYPES.map((type) => ({ value: type, label: w(`type_${type}`) }))}
            onChange={(type) =>
              describe((list) => list.map((one) => (one.name === name ? { ...one, type } : one)), {
                zh: `修改变量 ${name} 的类型`,
                en: `Change the type of ${name}`,
              })
            }
          />
        )}
      </div>
      {name && !known && !form.readOnly && (
        <div className="cw-variable-new">
          {NAME.test(name) ? (
            <Button size="small" type="link" icon={<Plus size={14} />} onClick={create}>
              {w('createVariable', { name })}
            </Button>
          ) : (
            w('badVariable')
          )}
        </div>
      )}
    </div>
  );
}
