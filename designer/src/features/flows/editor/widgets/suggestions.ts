/** Names that make sense in a mapping: the inputs of the chosen subflow, the parameters of the chosen query. */
import { useText } from '@/i18n';
import { useForm } from './form';
import type { Path } from './paths';
import { type Field, fieldsOf, readField } from './schema';
import { useFlowFace, useNamedQueries } from './stored';

export interface Suggested {
  name: string;
  title: string;
  required: boolean;
}

const CUSTOMER = ['name', 'level', 'language', 'card', 'phones', 'fields'];

export function useSuggestedNames(field: Field, path: Path): Suggested[] {
  const form = useForm();
  const t = useText();
  const top = path.length === 1;
  const beside = (widget: string): string => {
    if (!top) return '';
    const found = fieldsOf(form.schema).find(
      (one) => readField(one.schema, form.defs, one.name).widget === widget,
    );
    const value = found ? form.config[found.name] : undefined;
    return typeof value === 'string' ? value : '';
  };
  const flow = field.expression ? beside('flow') : '';
  const query = field.expression ? beside('query') : '';
  const face = useFlowFace(flow);
  const queries = useNamedQueries(query === '');
  if (flow && face)
    return face.inputs.map((one) => ({
      name: one.name,
      title: [one.title, t(one.typeTitle)].filter(Boolean).join(' · '),
      required: one.required,
    }));
  if (query) {
    const found = queries.find((one) => one.name === query);
    return (found?.parameters ?? []).map((name) => ({ name, title: '', required: true }));
  }
  if (path[0] === 'changes') return CUSTOMER.map((name) => ({ name, title: '', required: false }));
  return [];
}
