/** One node: its name, its settings by the schema of its type, what happens when it fails, its ways out and results. */
import { Alert, App, Button, Input } from 'antd';
import { Copy, Trash2 } from 'lucide-react';
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { sentences } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { IconButton } from '@/ui';
import { useActions } from '../actions';
import { useCatalogue } from '../catalogue';
import { NodeIcon } from '../icons';
import { changeNode } from '../model';
import { calledBy } from '../nodeName';
import { FixButtons } from '../problems/FixButtons';
import { useNodeProblems } from '../problems/useProblems';
import { docOf, fixed, useEditor, useEditorStore } from '../store';
import { Fields } from '../widgets/Field';
import { type Form, FormContext } from '../widgets/form';
import { type Path, within } from '../widgets/paths';
import { defsOf, faultsOf, readField, type Schema } from '../widgets/schema';
import { ScopeContext } from '../widgets/useScope';
import { widgetWords } from '../widgets/words';
import { NODE_ID, renameNode, setConfig } from './changes';
import { useLiveScope, useNodeShape } from './live';
import { PolicySection } from './PolicySection';
import { Ports } from './Ports';
import { Results } from './Results';
import { troublesOf } from './troubles';
import { panelWords } from './words';

const NO_SCHEMA: Schema = { type: 'object', properties: {} };

export function NodePanel({ id }: { id: string }) {
  const w = useWords(panelWords);
  const words = useWords(widgetWords);
  const t = useText();
  const store = useEditorStore();
  const catalogue = useCatalogue();
  const spec = useEditor((state) => docOf(state).nodes[id]);
  const languages = useEditor((state) => docOf(state).languages);
  const readOnly = useEditor(fixed);
  const wanted = useWantedField();
  const type = spec ? catalogue.types.get(spec.type) : undefined;
  const schema = (type?.definition.schema as Schema | undefined) ?? NO_SCHEMA;
  const problems = useNodeProblems(id);
  const scope = useLiveScope(id);
  const shape = useNodeShape(id);
  const config = spec?.config;
  const defs = useMemo(() => defsOf(schema), [schema]);
  const root = useMemo(() => readField(schema, defs, ''), [schema, defs]);
  const faults = useMemo(() => (config ? faultsOf(config, schema) : []), [config, schema]);
  const { placed, rest } = useMemo(
    () => troublesOf(problems, faults, config ?? {}, root),
    [problems, faults, config, root],
  );
  const name = useMemo(() => calledBy(spec?.name, type?.title, id), [spec?.name, type, id]);
  const set = useCallback(
    (path: Path, value: unknown, title: { zh: string; en: string }, typing?: boolean) => {
      store
        .getState()
        .apply(
          { zh: `修改“${name.zh}”的${title.zh}`, en: `Change ${title.en} of “${name.en}”` },
          (doc) => setConfig(doc, id, schema, path, value),
          typing ? { merge: `${id}.${path.join('.')}` } : undefined,
        );
    },
    [store, id, schema, name],
  );
  const form = useMemo<Form>(
    () => ({
      node: id,
      schema,
      defs,
      config: config ?? {},
      readOnly,
      languages,
      set,
      troubles: placed,
      focus: wanted.field,
    }),
    [id, schema, defs, config, readOnly, languages, set, placed, wanted.field],
  );
  const body = useRef<HTMLDivElement>(null);
  useFocusedField(body, wanted);
  if (!spec) return null;
  return (
    <div className="cw-panel" ref={body}>
      <Head id={id} />
      {!type && <Alert type="error" showIcon title={w('unknownType', { type: spec.type })} />}
      {type && (spec.type_version ?? 1) < type.version && (
        <Alert
          type="info"
          showIcon
          title={w('oldVersion', { version: spec.type_version ?? 1, newest: type.version })}
        />
      )}
      {rest.length > 0 && (
        <section className="cw-panel-problems" aria-label={w('problemsHere')}>
          <ul>
            {rest.map((one) => (
              <li key={`${one.code}${one.field}`} data-severity={one.severity}>
                <i aria-hidden="true" />
                <div>
                  {sentences([t(one.message)])}
                  <FixButtons problem={one} />
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
      <ScopeContext value={scope}>
        <FormContext value={form}>
          <section className="cw-panel-fields" aria-label={w('settings')}>
            {root.properties.length === 0 && type && <p className="cw-quiet">{words('noFields')}</p>}
            <Fields field={root} path={[]} value={spec.config} />
          </section>
        </FormContext>
      </ScopeContext>
      <Ports id={id} problems={problems} />
      <Results id={id} shape={shape} />
      <PolicySection ids={[id]} />
    </div>
  );
}

function Head({ id }: { id: string }) {
  const w = useWords(panelWords);
  const c = useWords(common);
  const t = useText();
  const store = useEditorStore();
  const actions = useActions();
  const catalogue = useCatalogue();
  const readOnly = useEditor(fixed);
  const spec = useEditor((state) => docOf(state).nodes[id]);
  const type = spec ? catalogue.types.get(spec.type) : undefined;
  if (!spec) return null;
  return (
    <header className="cw-panel-head" data-family={type?.family ?? 'unknown'}>
      <div className="cw-panel-type">
        <NodeIcon name={type?.icon ?? 'box'} size={16} />
        <span>{t(type?.title) || spec.type}</span>
        <IdTag key={id} id={id} />
        {!readOnly && (
          <IconButton
            label={w('deleteNode')}
            icon={<Trash2 size={15} />}
            size="small"
            onClick={actions.removeSelected}
          />
        )}
      </div>
      <Input
        className="cw-panel-name"
        variant="borderless"
        aria-label={w('nodeName')}
        title={w('nodeName')}
        placeholder={t(type?.title) || c('name')}
        value={spec.name ?? ''}
        maxLength={120}
        disabled={readOnly}
        onChange={(event) => {
          const name = event.target.value;
          store
            .getState()
            .apply(
              { zh: '修改节点名称', en: 'Rename a node' },
              (doc) => changeNode(doc, id, (node) => ({ ...node, name })),
              { merge: `${id}.name` },
            );
        }}
      />
      {type && <p className="cw-quiet">{t(type.help)}</p>}
    </header>
  );
}

/** The id by which expressions name the node. It can be changed; everything that names it follows. */
function IdTag({ id }: { id: string }) {
  const w = useWords(panelWords);
  const store = useEditorStore();
  const readOnly = useEditor(fixed);
  const { message } = App.useApp();
  const [typed, setTyped] = useState<string | null>(null);
  const { doc } = store.getState();
  const wrong =
    typed === null || typed === id
      ? null
      : typed in doc.nodes
        ? 'idTaken'
        : NODE_ID.test(typed)
          ? null
          : 'idBad';
  if (typed === null) {
    return (
      <span className="cw-panel-id">
        <button
          type="button"
          title={`${w('renameId')}\n${w('idHelp', { id })}`}
          disabled={readOnly}
          onClick={() => setTyped(id)}
        >
          <code>{id}</code>
        </button>
        <Button
          size="small"
          type="text"
          icon={<Copy size={13} />}
          aria-label={w('copyId')}
          title={w('copyId')}
          onClick={() => {
            void navigator.clipboard.writeText(id);
            void message.success(w('copied', { what: id }));
          }}
        />
      </span>
    );
  }
  const done = (keep: boolean) => {
    if (keep && !wrong && typed && typed !== id) {
      const state = store.getState();
      state.apply({ zh: `标识改为 ${typed}`, en: `Change the id to ${typed}` }, (now) =>
        renameNode(now, id, typed),
      );
      state.select({ nodes: new Set([typed]) });
    }
    setTyped(null);
  };
  return (
    <span className="cw-panel-id">
      <Input
        autoFocus
        size="small"
        aria-label={w('id')}
        aria-invalid={wrong !== null}
        title={wrong ? w(wrong) : undefined}
        status={wrong ? 'error' : undefined}
        value={typed}
        maxLength={64}
        onChange={(event) => setTyped(event.target.value.trim())}
        onBlur={() => done(true)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') done(true);
          if (event.key === 'Escape') {
            event.stopPropagation();
            done(false);
          }
        }}
      />
      {wrong && (
        <span role="alert" className="cw-panel-id-wrong">
          {w(wrong)}
        </span>
      )}
    </span>
  );
}

interface Wanted {
  field: string | null;
  /** Grows with each time that somebody asks. */
  count: number;
}

/** The field that was asked for last. The canvas forgets it as soon as it has drawn the selection. */
function useWantedField(): Wanted {
  const asked = useEditor((state) => state.focusField);
  const [wanted, setWanted] = useState<Wanted>({ field: asked, count: 0 });
  useEffect(() => {
    if (asked !== null) setWanted((now) => ({ field: asked, count: now.count + 1 }));
  }, [asked]);
  return wanted;
}

/** Scroll to the field that somebody asked for and put the cursor into it. */
function useFocusedField(body: React.RefObject<HTMLDivElement | null>, wanted: Wanted): void {
  useEffect(() => {
    const { field } = wanted;
    if (!field) return;
    let tries = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      const places = [...(body.current?.querySelectorAll<HTMLElement>('[data-place]') ?? [])];
      const best = places
        .filter((one) => within(field, one.dataset.place ?? ''))
        .sort((one, other) => (other.dataset.place?.length ?? 0) - (one.dataset.place?.length ?? 0))[0];
      // Not the example in the help, which is there before the widget is.
      const widget = best?.querySelector<HTMLElement>(':scope > .cw-field-widget') ?? best;
      const target = widget?.querySelector<HTMLElement>(
        'input:not([disabled]), textarea, [contenteditable="true"], .ant-switch, button:not([data-handle], .cw-reset)',
      );
      tries += 1;
      // Widgets load on demand and folded parts open first; a place above the wanted one is taken in the end.
      const isThere = target && (best?.dataset.place === field || tries > 8);
      if (!isThere && tries < 50) {
        timer = setTimeout(look, 60);
        return;
      }
      if (!best) return;
      best.scrollIntoView({ block: 'center' });
      best.dataset.flash = 'yes';
      setTimeout(() => delete best.dataset.flash, 1700);
      // Who goes from hit to hit with Enter stays in the search.
      if (!document.activeElement?.closest('.cw-ed-find input')) target?.focus({ preventScroll: true });
    };
    timer = setTimeout(look, 30);
    // Whoever has gone on to something else keeps the cursor, and the keys go there.
    const stop = () => clearTimeout(timer);
    document.addEventListener('pointerdown', stop, true);
    document.addEventListener('keydown', stop, true);
    return () => {
      stop();
      document.removeEventListener('pointerdown', stop, true);
      document.removeEventListener('keydown', stop, true);
    };
  }, [body, wanted]);
}

/** A part of the panel that can be folded. */
export function Section({
  title,
  open,
  aside,
  children,
}: {
  title: ReactNode;
  open?: boolean;
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <details className="cw-panel-section" open={open}>
      <summary>
        <span>{title}</span>
        {aside && <span className="cw-quiet">{aside}</span>}
      </summary>
      <div>{children}</div>
    </details>
  );
}
