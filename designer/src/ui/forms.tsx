/** A form in a drawer: saved by Ctrl+Enter, refusals at the fields that they are about. */
import { Alert, Button, Drawer, Form, type FormInstance } from 'antd';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { type UserError, wordsOf } from '@/graphql/useChange';
import { useLanguage, useWords } from '@/i18n';
import { common } from '@/i18n/common';

/** `caller_id` of the API is `callerId` in a form. */
export function fieldName(field: string): string {
  return field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Errors that belong to a field of the form, and the rest. */
export function sortErrors(
  errors: UserError[],
  fields: readonly string[],
): { byField: Map<string, UserError[]>; others: UserError[] } {
  const byField = new Map<string, UserError[]>();
  const others: UserError[] = [];
  for (const error of errors) {
    const name = fieldName(error.field.split('.')[0] ?? '');
    if (name && fields.includes(name)) byField.set(name, [...(byField.get(name) ?? []), error]);
    else others.push(error);
  }
  return { byField, others };
}

export function FormDrawer<V extends object>({
  open,
  title,
  initial,
  onClose,
  onSave,
  children,
  width = 480,
  saveText,
  extra,
  form: given,
}: {
  open: boolean;
  title: ReactNode;
  initial: V;
  onClose: () => void;
  /** Gives why it was refused; nothing when it was saved. */
  onSave: (values: V) => Promise<UserError[]>;
  children: ReactNode;
  width?: number;
  saveText?: string;
  extra?: ReactNode;
  form?: FormInstance<V>;
}) {
  const c = useWords(common);
  const [own] = Form.useForm<V>();
  const form = given ?? own;
  const [busy, setBusy] = useState(false);
  const [others, setOthers] = useState<UserError[]>([]);
  const language = useLanguage();
  const refused = useRef(new Map<string, UserError[]>());

  // What stands at the fields follows the language of the page.
  // biome-ignore lint/correctness/useExhaustiveDependencies: said anew when the language has changed
  useEffect(() => {
    const wrong = form.getFieldsError().filter((field) => field.errors.length > 0);
    const told = (field: (typeof wrong)[number]) => refused.current.get(String(field.name[0]));
    form.setFields(
      wrong.flatMap((field) => {
        const errors = told(field);
        return errors ? [{ name: field.name as never, errors: errors.map(wordsOf) }] : [];
      }),
    );
    const own = wrong.filter((field) => !told(field)).map((field) => field.name);
    if (own.length > 0) form.validateFields(own as never).catch(() => undefined);
  }, [language]);

  useEffect(() => {
    if (!open) return;
    form.resetFields();
    form.setFieldsValue(initial as never);
    refused.current = new Map();
    setOthers([]);
  }, [open, form, initial]);

  /** Shows the first field that has a fault. */
  const toFirst = () => {
    const first = form.getFieldsError().find((field) => field.errors.length > 0);
    if (first) form.scrollToField(first.name as never, { block: 'center' });
  };

  const save = async () => {
    let values: V;
    refused.current = new Map();
    try {
      values = await form.validateFields();
    } catch {
      toFirst();
      return;
    }
    setBusy(true);
    try {
      const errors = await onSave({ ...initial, ...values });
      const names = Object.keys(form.getFieldsValue(true) as object);
      const sorted = sortErrors(errors, names);
      refused.current = sorted.byField;
      form.setFields(
        [...sorted.byField].map(([name, found]) => ({ name: name as never, errors: found.map(wordsOf) })),
      );
      setOthers(sorted.others);
      toFirst();
    } finally {
      setBusy(false);
    }
  };

  return (
    <Drawer
      open={open}
      title={title}
      size={width}
      onClose={onClose}
      destroyOnHidden
      footer={
        <div className="cw-form-foot">
          {extra}
          <span className="cw-grow" />
          <Button onClick={onClose}>{c('cancel')}</Button>
          <Button type="primary" loading={busy} onClick={() => void save()} title="Ctrl+Enter">
            {saveText ?? c('save')}
          </Button>
        </div>
      }
    >
      <Form
        form={form}
        layout="vertical"
        initialValues={initial}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void save();
        }}
      >
        {others.length > 0 && (
          <Alert
            className="cw-form-error"
            type="error"
            showIcon
            title={others.map(wordsOf).join('\n')}
            role="alert"
          />
        )}
        {children}
      </Form>
    </Drawer>
  );
}
