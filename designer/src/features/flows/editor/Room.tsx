/** The room of the editor: top bar, palette, canvas, panel and drawers. */
import { PanelRightOpen, X } from 'lucide-react';
import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';
import { ErrorBoundary } from '@/app/ErrorBoundary';
import { useText, useWords } from '@/i18n';
import { IconButton } from '@/ui';
import { Canvas } from './Canvas';
import { ConflictDialog } from './ConflictDialog';
import { KeysDialog } from './KeysDialog';
import { useKeys } from './keyboard';
import { Palette } from './Palette';
import { ShapeTeller } from './ShapeTeller';
import { SubflowDialog } from './SubflowDialog';
import { drawers, panels, watchers } from './slots';
import { useEditor, useEditorStore } from './store';
import { TopBar } from './TopBar';
import { editorWords } from './words';

/** A length that the person chose, kept in this browser. */
function useKeptNumber(name: string, first: number): [number, (value: number) => void] {
  const [value, setValue] = useState(() => Number(localStorage.getItem(`callweave.editor.${name}`)) || first);
  return [
    value,
    (next) => {
      localStorage.setItem(`callweave.editor.${name}`, String(next));
      setValue(next);
    },
  ];
}

export function Room() {
  const t = useWords(editorWords);
  const text = useText();
  const store = useEditorStore();
  const drawer = useEditor((state) => state.drawer);
  const [panelWidth, setPanelWidth] = useKeptNumber('panel', 340);
  const [bottomHeight, setBottomHeight] = useKeptNumber('bottom', 0);
  const [rightWidth, setRightWidth] = useKeptNumber('right', 0);
  const panelShown = useEditor((state) => state.panel);
  const tab = useEditor((state) => state.front);
  const setTab = (front: 'panel' | 'drawer') => store.setState({ front });
  useKeys();
  const open = drawers.find((one) => one.id === drawer);
  const bottom = open?.place === 'bottom' ? open : undefined;
  const right = open?.place === 'right' ? open : undefined;
  const { showPanel } = store.getState();
  const showsDrawer = right && tab === 'drawer';
  const shown = panelShown || right !== undefined;

  return (
    <div className="cw-ed">
      <TopBar />
      <div className="cw-ed-main">
        <Palette />
        <div className="cw-ed-middle">
          <Canvas />
        </div>
        {shown ? (
          <aside
            className="cw-ed-right"
            aria-label={showsDrawer ? text(right.title) : t('properties')}
            style={{ width: showsDrawer ? rightWidth || right.size || panelWidth : panelWidth }}
          >
            <Divider
              label={t('resize')}
              side="left"
              size={showsDrawer ? rightWidth || right.size || panelWidth : panelWidth}
              least={260}
              most={720}
              onSize={showsDrawer ? setRightWidth : setPanelWidth}
            />
            <header className="cw-ed-drawer-head">
              {right ? (
                <div className="cw-ed-tabs" role="tablist">
                  <button
                    type="button"
                    role="tab"
                    aria-selected={tab === 'drawer'}
                    onClick={() => setTab('drawer')}
                  >
                    {right.icon && <right.icon size={16} aria-hidden />} {text(right.title)}
                  </button>
                  <button
                    type="button"
                    role="tab"
                    aria-selected={tab === 'panel'}
                    onClick={() => setTab('panel')}
                  >
                    {t('properties')}
                  </button>
                </div>
              ) : (
                <h2>{t('properties')}</h2>
              )}
              <IconButton
                label={right ? t('close') : t('collapse')}
                icon={<X size={16} />}
                size="small"
                onClick={() => (right ? store.getState().open(null) : showPanel(false))}
              />
            </header>
            <div className="cw-ed-drawer-body">
              {showsDrawer ? (
                <ErrorBoundary key={right.id}>
                  <right.component />
                </ErrorBoundary>
              ) : (
                panels.map((Panel, index) => (
                  <ErrorBoundary key={String(index)}>
                    <Panel />
                  </ErrorBoundary>
                ))
              )}
            </div>
          </aside>
        ) : (
          <div className="cw-ed-collapsed">
            <IconButton
              label={`${t('expand')} ${t('properties')}`}
              icon={<PanelRightOpen size={16} />}
              placement="left"
              onClick={() => showPanel(true)}
            />
          </div>
        )}
      </div>
      {bottom && (
        <section
          className="cw-ed-bottom"
          aria-label={text(bottom.title)}
          style={{ height: bottomHeight || bottom.size || 260 }}
        >
          <Divider
            label={t('resize')}
            side="top"
            size={bottomHeight || bottom.size || 260}
            least={120}
            most={640}
            onSize={setBottomHeight}
          />
          <header className="cw-ed-drawer-head">
            {bottom.icon && <bottom.icon size={16} aria-hidden />}
            <h2>{text(bottom.title)}</h2>
            <IconButton
              label={t('close')}
              icon={<X size={16} />}
              size="small"
              onClick={() => store.getState().open(null)}
            />
          </header>
          <div className="cw-ed-drawer-body">
            <ErrorBoundary key={bottom.id}>
              <bottom.component />
            </ErrorBoundary>
          </div>
        </section>
      )}
      <ShapeTeller />
      <ConflictDialog />
      <SubflowDialog />
      <KeysDialog />
      {watchers.map((Watcher, index) => (
        <Watcher key={String(index)} />
      ))}
    </div>
  );
}

/** A border that can be dragged, or moved with the arrow keys. */
function Divider({
  label,
  side,
  size,
  least,
  most,
  onSize,
}: {
  label: string;
  side: 'left' | 'top';
  size: number;
  least: number;
  most: number;
  onSize: (size: number) => void;
}) {
  const from = useRef<{ at: number; size: number } | null>(null);
  const limited = (value: number) => Math.min(most, Math.max(least, Math.round(value)));
  const at = (event: PointerEvent) => (side === 'left' ? event.clientX : event.clientY);
  return (
    <div
      className={`cw-ed-divider ${side}`}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={side === 'left' ? 'vertical' : 'horizontal'}
      aria-valuenow={size}
      aria-valuemin={least}
      aria-valuemax={most}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { at: at(event), size };
      }}
      onPointerMove={(event) => {
        if (from.current) onSize(limited(from.current.size + from.current.at - at(event)));
      }}
      onPointerUp={() => {
        from.current = null;
      }}
      onKeyDown={(event: KeyboardEvent) => {
        const step = { ArrowLeft: 16, ArrowUp: 16, ArrowRight: -16, ArrowDown: -16 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        onSize(limited(size + step));
      }}
    />
  );
}
