import { labelled, useText, useWords } from '@/i18n';
import { isRecord } from '@/ui/json';
import { useLanguageNames } from '@/ui/languages';
import { useCatalogue } from '../catalogue';
import { useEditor, useEditorStore } from '../store';
import { useNodeName } from '../useNodeName';
import { usePortName } from '../usePortName';
import { editorWords } from '../words';
import type { Difference } from './diff';
import { versionWords } from './words';
import './versions.css';

type Field = Difference['nodes'][number]['fields'][number];

/** What differs, node by node and field by field, old beside new. */
export function Changes({ difference }: { difference: Difference }) {
  const t = useWords(versionWords);
  const store = useEditorStore();
  const portName = usePortName();
  const names = useEditor((state) => (state.shown ?? state.doc).nodes);
  const { nodes, wires, flow } = difference;
  // What is gone from the drawing is known by the difference only.
  const gone = { nodes: Object.fromEntries(nodes.map((change) => [change.node, change])) };
  const nodeName = useNodeName();
  const text = useText();
  const catalogue = useCatalogue();
  /** A way out; of a node that is gone by what its type calls it. */
  const wayOf = (node: string, port: string) => {
    const type = node in names ? undefined : catalogue.types.get(gone.nodes[node]?.type ?? '');
    const title = /^\d/.test(port) ? undefined : type?.ports.find((one) => one.name === port)?.title;
    return text(title) || portName(node, port);
  };
  const nameOf = (id: string | null | undefined) =>
    id ? nodeName(id, id in names ? undefined : gone) : t('nowhere');
  if (nodes.length + wires.length + flow.length === 0) return <p className="cw-quiet">{t('same')}</p>;
  return (
    <ul className="cw-changes">
      {flow.length > 0 && (
        <li>
          <strong>{t('flowItself')}</strong>
          <Fields fields={flow} />
        </li>
      )}
      {nodes.map((change) => (
        <li key={change.node} data-kind={change.kind}>
          <span className="cw-change-kind">{kindWord(t, change.kind)}</span>{' '}
          <button
            type="button"
            className="cw-link"
            disabled={!(change.node in names)}
            onClick={() => store.getState().focus(change.node)}
          >
            {nameOf(change.node)}
          </button>
          {change.kind === 'changed' && <Fields fields={change.fields} />}
        </li>
      ))}
      {wires.map((wire) => (
        <li key={`${wire.node}|${wire.port}`} data-kind="changed">
          <span className="cw-change-kind">{t('rewired')}</span>{' '}
          <span>
            {labelled(`${nameOf(wire.node)} ▸ ${wayOf(wire.node, wire.port)}`)}
            <del>{nameOf(wire.old)}</del> → <ins>{nameOf(wire.new)}</ins>
          </span>
        </li>
      ))}
    </ul>
  );
}

function kindWord(t: (key: 'added' | 'removed' | 'changed') => string, kind: string): string {
  return kind === 'added' || kind === 'removed' || kind === 'changed' ? t(kind) : kind;
}

/** The language of a text of a prompt, by the path of the field; '' for anything else. */
function tongue(field: string): string {
  return /\.text\.([a-z]{2,3}(?:-[A-Za-z0-9]+)*)$/.exec(field)?.[1] ?? '';
}

function Fields({ fields }: { fields: readonly Field[] }) {
  const text = useText();
  const languageName = useLanguageNames();
  const shown = useShown();
  return (
    <dl className="cw-change-fields">
      {fields.map((field) => (
        <div key={field.field}>
          <dt title={field.field}>
            {text(field.title) || field.field}
            {tongue(field.field) && ` · ${languageName(tongue(field.field))}`}
          </dt>
          <dd>
            <del>{shown(field.old)}</del> → <ins>{shown(field.new)}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const empty = (value: unknown): boolean => value === null || value === undefined || value === '';

/** A value as one reads it: texts as they are, variables by their words, the rest as JSON, long ones cut. */
function useShown(): (value: unknown) => string {
  const t = useWords(versionWords);
  const e = useWords(editorWords);
  return (value) => {
    if (empty(value)) return t('nothing');
    const whole =
      typeof value === 'string' ? value : isRecord(value) ? told(value, e) : JSON.stringify(value);
    return whole.length > 160 ? `${whole.slice(0, 157)}…` : whole;
  };
}

type EditorWord = Parameters<ReturnType<typeof useWords<(typeof editorWords)['keys'][number]>>>[0];
const LABELS: Record<string, EditorWord> = {
  name: 'variable',
  type: 'type',
  title: 'titleOf',
  default: 'defaultOf',
  required: 'requiredInput',
  secret: 'secret',
};
const TYPES = ['string', 'number', 'boolean', 'object', 'list', 'any'] as const;

/** A record without what it leaves open, as a variable: Name: branch · Type: Text. */
function told(value: Record<string, unknown>, e: (key: EditorWord) => string): string {
  return Object.entries(value)
    .filter(([, one]) => !empty(one) && one !== false)
    .map(([name, one]) => {
      const label = LABELS[name] ? e(LABELS[name]) : name;
      if (one === true) return label;
      const type = name === 'type' ? TYPES.find((known) => known === one) : undefined;
      return labelled(label, type ? e(`type_${type}`) : typeof one === 'string' ? one : JSON.stringify(one));
    })
    .join(' · ');
}
