/** Opens under the pointer: which way out, then which node, new or one that is there. All by keyboard if wanted. */
import { Input, type InputRef } from 'antd';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useText, useWords } from '@/i18n';
import { useActions } from './actions';
import { type NodeTypeInfo, useCatalogue } from './catalogue';
import { fullShape } from './derive';
import { NodeIcon } from './icons';
import { distance, matches } from './Palette';
import { edgeId, type Picking, useEditor, useEditorStore } from './store';
import { ranked } from './suggest';
import { useNodeName } from './useNodeName';
import { isEvent, targetOf, wiresOf } from './wires';
import { editorWords } from './words';

export function NodePicker() {
  const picking = useEditor((state) => state.picking);
  if (!picking) return null;
  return <Open key={JSON.stringify(picking)} picking={picking} />;
}

interface Row {
  id: string;
  icon: string;
  family: string;
  title: string;
  more: string;
  act(): void;
}

function Open({ picking }: { picking: Picking }) {
  const t = useWords(editorWords);
  const text = useText();
  const nameOf = useNodeName();
  const store = useEditorStore();
  const catalogue = useCatalogue();
  const actions = useActions();
  const doc = useEditor((state) => state.doc);
  const [typed, setTyped] = useState('');
  const [on, setOn] = useState(0);
  const input = useRef<InputRef>(null);
  const list = useRef<HTMLDivElement>(null);
  const { from, into, choosePort } = picking;
  const close = () => {
    store.getState().pick(null);
    document.querySelector<HTMLElement>('.cw-ed-canvas .react-flow')?.focus();
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: `close` only uses the store
  const groups = useMemo((): { title: string; rows: Row[] }[] => {
    if (choosePort) {
      const ports = isEvent(choosePort)
        ? [{ name: 'out', title: { zh: '开始', en: 'Start' } }]
        : fullShape(doc, choosePort, catalogue).ports;
      const said = typed.trim().toLowerCase();
      return [
        {
          title: t('choosePort'),
          rows: ports
            .filter((port) => `${port.title.zh} ${port.title.en} ${port.name}`.toLowerCase().includes(said))
            .map((port) => {
              const to = targetOf(doc, choosePort, port.name);
              return {
                id: port.name,
                icon: 'arrow-right-left',
                family: '',
                title: text(port.title),
                more: to ? nameOf(to) : '',
                act: () =>
                  store.getState().pick({
                    at: picking.at,
                    place: actions.behind(doc, choosePort, port.name),
                    from: { node: choosePort, port: port.name },
                  }),
              };
            }),
        },
      ];
    }
    const wire = into ? wiresOf(doc).find((one) => edgeId(one.from, one.port) === into) : undefined;
    const created: Row[] = ranked([...catalogue.types.values()], doc, from ?? wire, wire !== undefined)
      .filter((type: NodeTypeInfo) => matches(type, typed))
      .sort((a, b) => (typed.trim() ? distance(a, typed) - distance(b, typed) : 0))
      .map((type: NodeTypeInfo) => ({
        id: `new:${type.type}`,
        icon: type.icon,
        family: type.family,
        title: text(type.title),
        more: '',
        act: () => {
          actions.place({ type: type.type, at: picking.place, from, into: wire });
          close();
        },
      }));
    const said = typed.trim().toLowerCase();
    const present: Row[] = from
      ? Object.entries(doc.nodes)
          .filter(
            ([id]) => id !== from.node && (said ? `${nameOf(id)} ${id}`.toLowerCase().includes(said) : false),
          )
          .slice(0, 20)
          .map(([id, spec]) => ({
            id: `old:${id}`,
            icon: catalogue.types.get(spec.type)?.icon ?? 'box',
            family: catalogue.types.get(spec.type)?.family ?? '',
            title: nameOf(id),
            more: text(catalogue.types.get(spec.type)?.title),
            act: () => {
              actions.wire({ from: from.node, port: from.port, to: id });
              close();
            },
          }))
      : [];
    const cut: Row[] =
      from && !typed && targetOf(doc, from.node, from.port) !== null
        ? [
            {
              id: 'cut',
              icon: 'box',
              family: '',
              title: t('disconnect'),
              more: '',
              act: () => {
                actions.cut(from.node, from.port);
                close();
              },
            },
          ]
        : [];
    return [
      { title: t('newNodes'), rows: created },
      { title: t('nodesHere'), rows: present },
      { title: t('disconnect'), rows: cut },
    ].filter((group) => group.rows.length > 0);
  }, [choosePort, into, from, doc, typed, catalogue, actions, picking, store, t, text, nameOf]);

  const rows = groups.flatMap((group) => group.rows);
  useEffect(() => {
    input.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  });

  const keys = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Escape') close();
    else if (event.key === 'ArrowDown') setOn(Math.min(on + 1, rows.length - 1));
    else if (event.key === 'ArrowUp') setOn(Math.max(on - 1, 0));
    else if (event.key === 'Enter') rows[on]?.act();
    else return;
    event.preventDefault();
  };

  const portTitle = () => {
    if (!from || isEvent(from.node) || !doc.nodes[from.node]) return null;
    return fullShape(doc, from.node, catalogue).ports.find((port) => port.name === from.port)?.title;
  };
  const title = choosePort
    ? t('choosePort')
    : portTitle()
      ? t('pickNext', { port: text(portTitle()) })
      : t('pickNode');
  const left = Math.max(8, Math.min(picking.at.x, window.innerWidth - 316));
  const top = Math.max(8, Math.min(picking.at.y, window.innerHeight - 396));
  return (
    <>
      <div className="cw-pick-shade" onPointerDown={close} />
      <div className="cw-pick" role="dialog" aria-label={title} style={{ left, top }} onKeyDown={keys}>
        <div className="cw-pick-head">
          <span>{title}</span>
          <Input
            ref={input}
            size="small"
            aria-label={title}
            role="combobox"
            aria-expanded
            aria-controls="cw-pick-list"
            aria-activedescendant={rows[on] ? `cw-pick-${on}` : undefined}
            placeholder={t('pickSearch')}
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value);
              setOn(0);
            }}
          />
        </div>
        <div ref={list} id="cw-pick-list" role="listbox" aria-label={title}>
          {groups.map((group) => (
            <div key={group.title} role="group" aria-label={group.title}>
              {group.title !== title && (
                <div className="cw-pick-title" aria-hidden>
                  {group.title}
                </div>
              )}
              {group.rows.map((row) => {
                const index = rows.indexOf(row);
                return (
                  <div
                    key={row.id}
                    id={`cw-pick-${index}`}
                    role="option"
                    tabIndex={-1}
                    aria-selected={index === on}
                    data-family={row.family}
                    className="cw-pick-row"
                    onPointerMove={() => index !== on && setOn(index)}
                    onClick={row.act}
                    onKeyDown={undefined}
                  >
                    <NodeIcon name={row.icon} size={15} />
                    <span>{row.title}</span>
                    <small>{row.more}</small>
                  </div>
                );
              })}
            </div>
          ))}
          {rows.length === 0 && (
            <div className="cw-pick-none" role="option" aria-selected={false} aria-disabled tabIndex={-1}>
              {t('none')}
            </div>
          )}
        </div>
      </div>
    </>
  );
}
