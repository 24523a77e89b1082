/** A field of code: an expression, a template or JSON, with completion over what the flow knows. */
import { type RefObject, useEffect, useImperativeHandle, useRef } from 'react';
import { useText } from '@/i18n';
import { type CodeEditor, createCode, type Mode } from './codemirror';
import { FILTERS } from './scope';
import { useScope } from './useScope';

export interface CodeHandle {
  insert(path: string): void;
  focus(): void;
}

export function Code({
  mode,
  value,
  onChange,
  lines = 'one',
  id,
  label,
  labelledBy,
  describedBy,
  invalid,
  readOnly,
  hint,
  handle,
}: {
  mode: Mode;
  value: string;
  onChange: (value: string) => void;
  lines?: 'one' | 'many';
  id: string;
  label?: string;
  labelledBy?: string;
  describedBy?: string;
  invalid?: boolean;
  readOnly?: boolean;
  hint?: string;
  handle?: RefObject<CodeHandle | null>;
}) {
  const parent = useRef<HTMLDivElement>(null);
  const editor = useRef<CodeEditor | null>(null);
  const say = useText();
  const entries = useScope();
  const latest = useRef({ onChange, named: { entries, filters: FILTERS, say } });
  latest.current = { onChange, named: { entries, filters: FILTERS, say } };
  const attributes = attributesOf({ id, label, labelledBy, describedBy, invalid, lines });
  const first = useRef({ value, lines, hint: hint ?? '', readOnly: readOnly ?? false, attributes });

  useEffect(() => {
    if (!parent.current) return;
    const made = createCode({
      ...first.current,
      parent: parent.current,
      mode,
      named: () => latest.current.named,
      onChange: (next) => latest.current.onChange(next),
    });
    editor.current = made;
    return () => {
      made.destroy();
      editor.current = null;
    };
  }, [mode]);

  useEffect(() => editor.current?.setValue(value), [value]);
  useEffect(() => editor.current?.setReadOnly(readOnly ?? false), [readOnly]);
  const written = JSON.stringify(attributes);
  useEffect(() => editor.current?.setAttributes(JSON.parse(written)), [written]);
  useImperativeHandle(handle, () => ({
    insert: (path) => editor.current?.insert(path),
    focus: () => editor.current?.view.focus(),
  }));

  return (
    <div
      ref={parent}
      className="cw-code-box"
      data-mode={mode}
      data-lines={lines}
      data-invalid={invalid || undefined}
      data-readonly={readOnly || undefined}
    />
  );
}

function attributesOf(given: {
  id: string;
  label?: string;
  labelledBy?: string;
  describedBy?: string;
  invalid?: boolean;
  lines: string;
}): Record<string, string> {
  const attributes: Record<string, string> = { id: given.id, spellcheck: 'false', autocorrect: 'off' };
  if (given.label) attributes['aria-label'] = given.label;
  else if (given.labelledBy) attributes['aria-labelledby'] = given.labelledBy;
  if (given.describedBy) attributes['aria-describedby'] = given.describedBy;
  if (given.invalid) attributes['aria-invalid'] = 'true';
  attributes['aria-multiline'] = String(given.lines === 'many');
  return attributes;
}
