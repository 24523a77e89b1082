/** What is selected and is not one node: an edge, a start or handler, a comment, or several things. */
import { Button, Input, Select } from 'antd';
import { ArrowRight, Plus, Trash2 } from 'lucide-react';
import { useId } from 'react';
import { useText, useWords } from '@/i18n';
import { useActions } from '../actions';
import { useCatalogue } from '../catalogue';
import { fullShape } from '../derive';
import { NodeIcon } from '../icons';
import { positionOf } from '../model';
import { docOf, fixed, useEditor, useEditorStore } from '../store';
import { useNodeName } from '../useNodeName';
import { ERROR, HANGUP, keyOf, START, targetOf } from '../wires';
import { PolicySection } from './PolicySection';
import { useGoTo } from './useGoTo';
import { panelWords } from './words';

/** Choose the node that a way out leads to. */
function Target({ from, port, label }: { from: string; port: string; label: string }) {
  const w = useWords(panelWords);
  const actions = useActions();
  const doc = useEditor(docOf);
  const readOnly = useEditor(fixed);
  const goTo = useGoTo();
  const nameOf = useNodeName();
  const id = useId();
  const target = targetOf(doc, from, port);
  return (
    <div className="cw-field">
      <div className="cw-field-head">
        <label htmlFor={id}>{label}</label>
      </div>
      <div className="cw-picker-row">
        <Select
          id={id}
          className="cw-wide"
          showSearch={{ optionFilterProp: 'label' }}
          allowClear
          disabled={readOnly}
          placeholder={w('nowhere')}
          value={target ?? undefined}
          options={Object.keys(doc.nodes)
            .filter((node) => node !== from)
            .map((node) => ({ value: node, label: nameOf(node) }))}
          onChange={(to?: string) => (to ? actions.wire({ from, port, to }) : actions.cut(from, port))}
        />
        {target !== null && (
          <Button
            type="text"
            icon={<ArrowRight size={15} />}
            aria-label={w('goTo', { name: nameOf(target) })}
            title={w('goTo', { name: nameOf(target) })}
            onClick={() => goTo(target)}
          />
        )}
      </div>
    </div>
  );
}

export function EventPanel({ id }: { id: string }) {
  const w = useWords(panelWords);
  const actions = useActions();
  const readOnly = useEditor(fixed);
  const key = keyOf(id);
  const [icon, title, help] =
    id === START
      ? ['phone-incoming', w('start'), w('startHelp')]
      : id === HANGUP
        ? ['phone-missed', w('hangup'), w('hangupHelp')]
        : id === ERROR
          ? ['flag', w('error'), w('errorHelp')]
          : ['hash', w('key', { key: key ?? '' }), w('keyHelp')];
  return (
    <div className="cw-panel">
      <header className="cw-panel-head">
        <h3>
          <NodeIcon name={icon} size={16} /> {title}
        </h3>
        <p className="cw-quiet">{help}</p>
      </header>
      <Target from={id} port="out" label={w('target')} />
      {key !== null && !readOnly && (
        <Button danger icon={<Trash2 size={14} />} onClick={actions.removeSelected}>
          {w('removeKey')}
        </Button>
      )}
    </div>
  );
}

export function EdgePanel({ id }: { id: string }) {
  const w = useWords(panelWords);
  const t = useText();
  const store = useEditorStore();
  const actions = useActions();
  const catalogue = useCatalogue();
  const readOnly = useEditor(fixed);
  const doc = useEditor(docOf);
  const goTo = useGoTo();
  const at = id.lastIndexOf('|');
  const from = id.slice(0, at);
  const port = id.slice(at + 1);
  const spec = doc.nodes[from];
  const title = spec
    ? t(fullShape(doc, from, catalogue).ports.find((one) => one.name === port)?.title) || port
    : '';
  const target = targetOf(doc, from, port);
  const name = useNodeName();
  if (target === null) return null;
  return (
    <div className="cw-panel">
      <header className="cw-panel-head">
        <h3>{w('edge')}</h3>
      </header>
      <dl className="cw-panel-facts">
        <dt>{w('edgeFrom')}</dt>
        <dd>
          {spec ? (
            <Button type="link" size="small" onClick={() => goTo(from)}>
              {name(from)}
            </Button>
          ) : (
            <EventName id={from} />
          )}
        </dd>
        {spec && (
          <>
            <dt>{w('edgePort')}</dt>
            <dd>{title}</dd>
          </>
        )}
      </dl>
      <Target from={from} port={port} label={w('edgeTo')} />
      {!readOnly && (
        <div className="cw-panel-acts">
          <Button
            icon={<Plus size={14} />}
            onClick={(event) => {
              const box = event.currentTarget.getBoundingClientRect();
              const one = positionOf(doc, from);
              const other = positionOf(doc, target);
              store.getState().pick({
                at: { x: Math.max(8, box.left - 320), y: Math.min(box.top, window.innerHeight - 380) },
                place: { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 },
                into: id,
              });
            }}
          >
            {w('insertInto')}
          </Button>
          <Button danger icon={<Trash2 size={14} />} onClick={actions.removeSelected}>
            {w('deleteEdge')}
          </Button>
        </div>
      )}
    </div>
  );
}

function EventName({ id }: { id: string }) {
  const w = useWords(panelWords);
  const key = keyOf(id);
  return (
    <>
      {id === START
        ? w('start')
        : id === HANGUP
          ? w('hangup')
          : key !== null
            ? w('key', { key })
            : w('error')}
    </>
  );
}

export function CommentPanel({ id }: { id: string }) {
  const w = useWords(panelWords);
  const store = useEditorStore();
  const actions = useActions();
  const readOnly = useEditor(fixed);
  const comment = useEditor((state) => docOf(state).ui.comments?.find((one) => one.id === id));
  const own = useId();
  if (!comment) return null;
  return (
    <div className="cw-panel">
      <header className="cw-panel-head">
        <h3>{w('comment')}</h3>
        <p className="cw-quiet">{w('commentHelp')}</p>
      </header>
      <div className="cw-field">
        <div className="cw-field-head">
          <label htmlFor={own}>{w('commentText')}</label>
        </div>
        <Input.TextArea
          id={own}
          autoSize={{ minRows: 4, maxRows: 20 }}
          disabled={readOnly}
          value={comment.text}
          onChange={(event) => {
            const text = event.target.value;
            store.getState().apply(
              { zh: '修改便签', en: 'Change a note' },
              (doc) => ({
                ...doc,
                ui: {
                  ...doc.ui,
                  comments: (doc.ui.comments ?? []).map((one) => (one.id === id ? { ...one, text } : one)),
                },
              }),
              { merge: `comment.${id}` },
            );
          }}
        />
      </div>
      {!readOnly && (
        <Button danger icon={<Trash2 size={14} />} onClick={actions.removeSelected}>
          {w('deleteComment')}
        </Button>
      )}
    </div>
  );
}

export function ManyPanel() {
  const w = useWords(panelWords);
  const t = useText();
  const actions = useActions();
  const catalogue = useCatalogue();
  const goTo = useGoTo();
  const readOnly = useEditor(fixed);
  const selection = useEditor((state) => state.selection);
  const doc = useEditor(docOf);
  const nameOf = useNodeName();
  const nodes = [...selection.nodes].filter((id) => id in doc.nodes);
  const count = selection.nodes.size + selection.comments.size || selection.edges.size;
  return (
    <div className="cw-panel">
      <header className="cw-panel-head">
        <h3>{w('many', { count })}</h3>
        <p className="cw-quiet">{w('manyHelp')}</p>
      </header>
      {nodes.length > 0 && (
        <ul className="cw-panel-list" aria-label={w('ofTypes')}>
          {nodes.slice(0, 50).map((id) => {
            const type = catalogue.types.get(doc.nodes[id]!.type);
            return (
              <li key={id}>
                <NodeIcon name={type?.icon ?? 'box'} size={15} />
                <Button type="link" size="small" onClick={() => goTo(id)}>
                  {nameOf(id)}
                </Button>
                <span className="cw-quiet">{t(type?.title)}</span>
              </li>
            );
          })}
        </ul>
      )}
      {nodes.length > 0 && <PolicySection ids={nodes} />}
      {!readOnly && (
        <Button danger icon={<Trash2 size={14} />} onClick={actions.removeSelected}>
          {w('deleteAll')}
        </Button>
      )}
    </div>
  );
}
