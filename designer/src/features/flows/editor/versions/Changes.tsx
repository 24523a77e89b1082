import { labelled, useText, useWords } from '@/i18n';
import { useEditor, useEditorStore } from '../store';
import { usePortName } from '../usePortName';
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
  const nameOf = (id: string | null | undefined) => (id ? names[id]?.name || id : t('nowhere'));
  const { nodes, wires, flow } = difference;
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
            {change.name || change.node}
          </button>
          {change.kind === 'changed' && <Fields fields={change.fields} />}
        </li>
      ))}
      {wires.map((wire) => (
        <li key={`${wire.node}|${wire.port}`} data-kind="changed">
          <span className="cw-change-kind">{t('rewired')}</span>{' '}
          <span>
            {labelled(`${nameOf(wire.node)} ▸ ${portName(wire.node, wire.port)}`)}
            <del>{nameOf(wire.old)}</del> →{' '}
            <ins>{nameOf(wire.new)}</ins>
          </span>
        </li>
      ))}
    </ul>
  );
}

function kindWord(t: (key: 'added' | 'removed' | 'changed') => string, kind: string): string {
  return kind === 'added' || kind === 'removed' || kind === 'changed' ? t(kind) : kind;
}

function Fields({ fields }: { fields: readonly Field[] }) {
  const text = useText();
  const t = useWords(versionWords);
  return (
    <dl className="cw-change-fields">
      {fields.map((field) => (
        <div key={field.field}>
          <dt title={field.field}>{text(field.title) || field.field}</dt>
          <dd>
            <del>{shown(field.old, t('nothing'))}</del> → <ins>{shown(field.new, t('nothing'))}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A value as one reads it: texts as they are, the rest as JSON, long ones cut. */
function shown(value: unknown, nothing: string): string {
  if (value === null || value === undefined || value === '') return nothing;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 157)}…` : text;
}
