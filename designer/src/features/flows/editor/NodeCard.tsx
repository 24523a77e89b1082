/** A node as a card: family stripe, icon, name, one line of what it does, and its ways out. */
import { Handle, type NodeProps, Position } from '@xyflow/react';
import { memo, useSyncExternalStore } from 'react';
import { useText, useWords } from '@/i18n';
import { useCatalogue } from './catalogue';
import { fullShape } from './derive';
import { faceOf } from './geometry';
import { NodeIcon } from './icons';
import { useDetail } from './lod';
import { useNodeMark } from './marks';
import { calledBy } from './nodeName';
import { shapeNews } from './shapes';
import { nodeOverlays } from './slots';
import { docOf, useEditor, useEditorStore } from './store';
import { ERROR, HANGUP, keyOf, START } from './wires';
import { editorWords } from './words';

export const NodeCard = memo(function NodeCard({ id, selected }: NodeProps) {
  const text = useText();
  const spec = useEditor((state) => docOf(state).nodes[id]);
  const detail = useDetail();
  const mark = useNodeMark(id);
  const catalogue = useCatalogue();
  if (!spec) return null;
  const type = catalogue.types.get(spec.type);
  return (
    <div
      className="cw-card"
      data-family={type?.family ?? 'unknown'}
      data-selected={selected || undefined}
      data-state={mark.state}
      data-detail={detail}
      style={mark.heat === undefined ? undefined : ({ '--heat': mark.heat } as React.CSSProperties)}
    >
      {detail === 'full' ? (
        <Face id={id} />
      ) : (
        <div className="cw-card-far">{detail === 'name' && text(calledBy(spec.name, type?.title, id))}</div>
      )}
      {detail === 'full' && nodeOverlays.map((Overlay, index) => <Overlay key={String(index)} node={id} />)}
    </div>
  );
});

function Face({ id }: { id: string }) {
  const t = useWords(editorWords);
  const text = useText();
  const store = useEditorStore();
  const catalogue = useCatalogue();
  useSyncExternalStore(shapeNews.subscribe, shapeNews.version);
  const spec = useEditor((state) => docOf(state).nodes[id]);
  const used = useEditor((state) =>
    docOf(state)
      .edges.filter((edge) => edge.from === id)
      .map((edge) => edge.port)
      .join('|'),
  );
  if (!spec) return null;
  const type = catalogue.types.get(spec.type);
  const shape = fullShape(docOf(store.getState()), id, catalogue, used ? used.split('|') : []);
  const face = faceOf(shape.ports);
  const title = text(type?.title);
  const name = text(calledBy(spec.name, type?.title, id));
  const summary = text(shape.summary);
  // A node without settings says what its type is for, unless its name says that already.
  const said = summary && summary !== title ? summary : name === title ? text(type?.help) : title;
  const wired = new Set(used.split('|'));
  return (
    <>
      <Handle type="target" id="in" position={Position.Left} className="cw-port-in" />
      <header>
        <NodeIcon name={type?.icon ?? 'box'} size={16} />
        <b>{name}</b>
      </header>
      <p title={said}>{type ? said : t('nodeUnknown')}</p>
      <ul>
        {face.rows.map((port) => (
          <li
            key={port.name}
            className={port.required ? undefined : 'quiet'}
            data-open={!wired.has(port.name) || undefined}
          >
            <span>{text(port.title)}</span>
            <Handle type="source" id={port.name} position={Position.Right} className="cw-port" />
          </li>
        ))}
      </ul>
      {face.foot.length > 0 && (
        <footer>
          {face.foot.map((port) => (
            <span key={port.name} data-open={!wired.has(port.name) || undefined}>
              {text(port.title)}
              <Handle type="source" id={port.name} position={Position.Bottom} className="cw-port foot" />
            </span>
          ))}
        </footer>
      )}
    </>
  );
}

/** What happens to the flow from outside: it starts, the caller hangs up, something fails, a key at any time. */
export const EventPill = memo(function EventPill({ id, selected }: NodeProps) {
  const t = useWords(editorWords);
  const kind = useEditor((state) => docOf(state).kind);
  const detail = useDetail();
  const key = keyOf(id);
  const [icon, words] =
    id === START
      ? ['phone-incoming', kind === 'ivr' ? t('start') : t('startOther')]
      : id === HANGUP
        ? ['phone-missed', t('onHangup')]
        : id === ERROR
          ? ['flag', t('onError')]
          : ['hash', t('onKey', { key: key ?? '' })];
  return (
    <div
      className="cw-event"
      data-kind={key === null ? id.slice(1) : 'key'}
      data-detail={detail}
      data-selected={selected || undefined}
    >
      {detail === 'full' && <NodeIcon name={icon} size={16} />}
      <span>{words}</span>
      <Handle type="source" id="out" position={Position.Right} className="cw-port" />
    </div>
  );
});
