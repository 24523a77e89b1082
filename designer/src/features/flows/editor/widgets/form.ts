/** What the widgets of one form share: the config, how it is changed, what is wrong where. */
import { createContext, useContext } from 'react';
import type { Text } from '@/i18n';
import type { Path } from './paths';
import type { Defs, Field, Schema } from './schema';

/** Something wrong at a place of the config. */
export interface Trouble {
  severity: 'error' | 'warning';
  message: Text;
  /** What helps, when the message does not say it. */
  remedy?: Text;
  code?: string;
}

export interface Form {
  /** Id of the node in the flow. */
  node: string;
  schema: Schema;
  defs: Defs;
  config: Record<string, unknown>;
  readOnly: boolean;
  /** The flow's languages. */
  languages: string[];
  /** Change one place; `undefined` removes it. Typing in one field is one step of the history. */
  set(path: Path, value: unknown, title: Text, typing?: boolean): void;
  /** By dotted place. */
  troubles: ReadonlyMap<string, Trouble[]>;
  /** The place that should be shown and focused. */
  focus: string | null;
}

export const FormContext = createContext<Form | null>(null);

export function useForm(): Form {
  const form = useContext(FormContext);
  if (!form) throw new Error('a widget belongs into a form');
  return form;
}

export interface WidgetProps {
  field: Field;
  path: Path;
  /** What is set, or the default. */
  value: unknown;
  /** For the label. */
  id: string;
  /** Name for screen readers where no label stands beside the widget. */
  label?: string;
  invalid: boolean;
  /** Ids of the help and of what is wrong. */
  describedBy?: string;
  /** Where there is little room: in a row of a list. */
  compact?: boolean;
}

export function fieldId(node: string, path: Path): string {
  return `field-${node}-${path.join('-')}`;
}
