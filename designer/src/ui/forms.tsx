/** A form in a drawer: saved by Ctrl+Enter, refusals at the fields that they are about. */
import { Alert, Button, Drawer, Form, type FormInstance } from 'antd';
import { type ReactNode, useEffect, useState } from 'react';
import { type UserError, wordsOf } from '@/graphql/useChange';
import { useWords } from '@/i18n';
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

  useEffect(() => {
    if (!open) return;
    form.resetFields();
    form.setFieldsValue(initial as never);
    setOthers([]);
  }, [open, form, initial]);

  const save = async () => {
    let values: V;
    try {
      values = await form.validateFields();
    } catch {
      return;
    }
    setBusy(true);
    try {
      const errors = await onSave({ ...initial, ...values });
      const names = Object.keys(form.getFieldsValue(true) as object);
      const sorted = sortErrors(errors, names);
      form.setFields(
        [...sorted.byField].map(([name, found]) => ({ name: name as never, errors: found.map(wordsOf) })),
      );
      setOthers(sorted.others);
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
