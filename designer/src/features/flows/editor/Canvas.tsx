/** The drawing: React Flow shows what the document says, and every gesture becomes a change of the document. */
import {
  Background,
  BackgroundVariant,
  ConnectionLineType,
  type EdgeChange,
  type FinalConnectionState,
  MiniMap,
  type Node,
  type NodeChange,
  ReactFlow,
  SelectionMode,
  useReactFlow,
  useStore,
  useStoreApi,
} from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { Button } from 'antd';
import { Map as MapIcon, Maximize, Minus, Plus } from 'lucide-react';
import {
  type DragEvent,
  type MouseEvent as ReactMouseEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { useLook } from '@/app/theme';
import { useText, useWords } from '@/i18n';
import { EmptyState, IconButton } from '@/ui';
import { splice, useActions } from './actions';
import { ContextMenu } from './ContextMenu';
import { useCatalogue } from './catalogue';
import { createDeriver } from './derive';
import { FindBar } from './FindBar';
import { Frame, Note } from './Frames';
import { beginningOf } from './firstView';
import { frameId } from './frames';
import { EVENT, GRID, HEAD, WIDTH } from './geometry';
import { READABLE } from './keepInView';
import { type On, selectionFor, widened } from './menu';
import { type EdgeSpec, type Point, positionOf } from './model';
import { EventPill, NodeCard } from './NodeCard';
import { NodePicker } from './NodePicker';
import { DRAGGED } from './Palette';
import { shapeNews } from './shapes';
import { docOf, edgeId, fixed, useEditor, useEditorStore } from './store';
import { SelectionBar, Toolbar } from './Toolbar';
import { useClipboard } from './useClipboard';
import { useKeepInView } from './useKeepInView';
import { Arrows, WireEdge } from './WireEdge';
import { isEvent, START, wiresOf } from './wires';
import { editorWords } from './words';

const NODE_TYPES = { card: NodeCard, event: EventPill, frame: Frame, note: Note };
const EDGE_TYPES = { wire: WireEdge };
const SNAP: [number, number] = [GRID, GRID];
const SELECT_KEYS = ['Shift', 'Control', 'Meta'];
const PRO = { hideAttribution: true };
const FIT = { padding: 0.1, maxZoom: 1 };

export function Canvas() {
  const t = useWords(editorWords);
  const store = useEditorStore();
  const catalogue = useCatalogue();
  const actions = useActions();
  const flow = useReactFlow();
  const { mode } = useLook();
  const doc = useEditor(docOf);
  const selection = useEditor((state) => state.selection);
  const locked = useEditor(fixed);
  const version = useSyncExternalStore(shapeNews.subscribe, shapeNews.version);
  const [moving, setMoving] = useState<Record<string, Point> | null>(null);
  useFixedSizes();
  const [target, setTarget] = useState<string | null>(null);
  const [derive] = useState(createDeriver);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version of the shapes is looked up in there
  const view = useMemo(
    () => derive(doc, selection, catalogue, moving),
    [derive, doc, selection, catalogue, version, moving],
  );
  const places = useRef<Record<string, Point>>({});

  const onNodesChange = useCallback(
    (changes: NodeChange[]) => {
      const { selection: now, doc: before } = store.getState();
      let nodes: Set<string> | null = null;
      let comments: Set<string> | null = null;
      let moved = false;
      for (const change of changes) {
        if (change.type === 'select') {
          if (change.id.startsWith('frame:')) continue;
          const note = change.id.startsWith('note:');
          if (note) comments ??= new Set(now.comments);
          else nodes ??= new Set(now.nodes);
          const among = (note ? comments : nodes)!;
          const id = note ? change.id.slice('note:'.length) : change.id;
          if (change.selected) among.add(id);
          else among.delete(id);
        } else if (change.type === 'position' && change.position && change.dragging) {
          const { id, position } = change;
          moved = true;
          if (!id.startsWith('frame:')) {
            places.current = { ...places.current, [id]: position };
            continue;
          }
          // A frame has no place of its own: it takes its nodes along.
          const group = before.ui.groups?.find((one) => frameId(one.id) === id);
          const old = flow.getNode(id)?.position;
          if (!group || !old) continue;
          const next = { ...places.current };
          for (const member of group.nodes) {
            const at = next[member] ?? positionOf(before, member);
            next[member] = { x: at.x + position.x - old.x, y: at.y + position.y - old.y };
          }
          places.current = next;
        }
      }
      if (nodes || comments)
        store.getState().select({ ...now, nodes: nodes ?? now.nodes, comments: comments ?? now.comments });
      if (moved) setMoving(places.current);
    },
    [store, flow],
  );

  const onEdgesChange = useCallback(
    (changes: EdgeChange[]) => {
      let selected: Set<string> | null = null;
      for (const change of changes) {
        if (change.type !== 'select') continue;
        selected ??= new Set(store.getState().selection.edges);
        if (change.selected) selected.add(change.id);
        else selected.delete(change.id);
      }
      if (selected) store.getState().select({ ...store.getState().selection, edges: selected });
    },
    [store],
  );

  const drop = useCallback((act: (moved: Record<string, Point>) => void) => {
    const moved = places.current;
    places.current = {};
    act(moved);
    setMoving(null);
    setTarget(null);
  }, []);
  const endDrag = useCallback(() => drop(actions.move), [actions, drop]);

  /** The edge that a dragged card would go into: the one under the pointer, or under the middle of its head. */
  const spliceable = (
    event: ReactMouseEvent | MouseEvent | TouchEvent,
    node: Node,
    all: Node[],
  ): EdgeSpec | null => {
    if (all.length !== 1 || node.type !== 'card') return null;
    const now = store.getState().doc;
    const { clientX, clientY } = 'changedTouches' in event ? event.changedTouches[0]! : event;
    const head = flow.flowToScreenPosition({ x: node.position.x + WIDTH / 2, y: node.position.y + HEAD / 2 });
    for (const at of [{ x: clientX, y: clientY }, head]) {
      for (const element of document.elementsFromPoint(at.x, at.y)) {
        const under = element.closest('.react-flow__edge')?.getAttribute('data-id');
        const wire = under && wiresOf(now).find((one) => edgeId(one.from, one.port) === under);
        if (wire && splice(now, node.id, wire, catalogue, event.altKey)) return wire;
      }
    }
    return null;
  };

  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, connection: FinalConnectionState) => {
      const from = connection.fromNode?.id;
      const port = connection.fromHandle?.id;
      if (!from || !port || connection.fromHandle?.type !== 'source' || connection.toNode) return;
      const { clientX, clientY } = 'changedTouches' in event ? event.changedTouches[0]! : event;
      const element = document.elementFromPoint(clientX, clientY);
      const onto = element?.closest('.react-flow__node')?.getAttribute('data-id');
      if (onto) {
        if (!isEvent(onto)) actions.wire({ from, port, to: onto });
        return;
      }
      const at = flow.screenToFlowPosition({ x: clientX, y: clientY });
      store.getState().pick({
        at: { x: clientX, y: clientY },
        place: actions.freePlace({ x: at.x, y: at.y - 18 }),
        from: { node: from, port },
      });
    },
    [actions, flow, store],
  );

  const edgeUnder = (event: DragEvent): string | null =>
    document
      .elementFromPoint(event.clientX, event.clientY)
      ?.closest('.react-flow__edge')
      ?.getAttribute('data-id') ?? null;

  const onDrop = (event: DragEvent) => {
    const type = event.dataTransfer.getData(DRAGGED);
    setTarget(null);
    if (!type) return;
    event.preventDefault();
    const now = store.getState().doc;
    const under = edgeUnder(event);
    const into = wiresOf(now).find((wire) => edgeId(wire.from, wire.port) === under);
    const at = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    actions.place({ type, at: actions.freePlace({ x: at.x - WIDTH / 2, y: at.y - 18 }), into });
  };

  const pane = useRef<HTMLDivElement>(null);
  const pointer = useRef<Point | null>(null);
  useClipboard(pane, pointer);
  useKeepInView(pane);
  // A flow that can be read when all of it is in view is shown whole; of a bigger one the beginning.
  useEffect(() => {
    void flow.fitView(FIT).then(() => {
      if (flow.getZoom() >= READABLE || !pane.current) return;
      const drawn = flow.getNodes();
      const start = drawn.find((one) => one.id === START)?.position ?? { x: 0, y: 0 };
      const view = beginningOf(
        flow.getNodesBounds(drawn),
        { ...start, ...EVENT },
        pane.current.getBoundingClientRect(),
      );
      void flow.setViewport(view);
    });
  }, [flow]);

  const onContextMenu = (event: ReactMouseEvent) => {
    const element = event.target as Element;
    // Fields keep the browser's own menu.
    if (element.closest('input, textarea, [contenteditable="true"]')) return;
    event.preventDefault();
    if (store.getState().menu || !pane.current?.contains(element)) return;
    const at = { x: event.clientX, y: event.clientY };
    const { selection: now } = store.getState();
    const on = widened(under(element), now);
    store.getState().select(selectionFor(on, now));
    store.getState().showMenu({ at, place: flow.screenToFlowPosition(at), on });
  };

  const empty = Object.keys(doc.nodes).length === 0;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: nodes are dropped here
    <div
      ref={pane}
      className="cw-ed-canvas"
      onPointerMove={(event) => {
        pointer.current = { x: event.clientX, y: event.clientY };
      }}
      onPointerLeave={() => {
        pointer.current = null;
      }}
      data-target={target ? 'yes' : undefined}
      onDragOver={(event) => {
        if (locked || !event.dataTransfer.types.includes(DRAGGED)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = 'copy';
        const under = edgeUnder(event);
        if (under !== target) setTarget(under);
      }}
      onDragLeave={() => setTarget(null)}
      onDrop={onDrop}
      onContextMenu={onContextMenu}
    >
      {target && (
        <style>{`.react-flow__edge[data-id="${CSS.escape(target)}"] path { stroke: var(--act); stroke-width: 4 }`}</style>
      )}
      <ReactFlow
        nodes={view.nodes}
        edges={view.edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onNodeDrag={(event, node, all) => {
          const wire = spliceable(event, node, all);
          const id = wire && edgeId(wire.from, wire.port);
          if (id !== target) setTarget(id);
        }}
        onNodeDragStop={(event, node, all) => {
          const wire = spliceable(event, node, all);
          if (wire) drop((moved) => actions.splice(node.id, wire, moved, event.altKey));
          else endDrag();
        }}
        onSelectionDragStop={endDrag}
        onConnect={({ source, sourceHandle, target: to }) => {
          if (sourceHandle && !isEvent(to)) actions.wire({ from: source, port: sourceHandle, to });
        }}
        onConnectEnd={onConnectEnd}
        onNodeDoubleClick={(_, node) => node.type === 'card' && store.getState().showPanel(true)}
        connectionLineType={ConnectionLineType.SmoothStep}
        nodesDraggable={!locked}
        nodesConnectable={!locked}
        nodesFocusable={false}
        edgesFocusable={false}
        onlyRenderVisibleElements
        disableKeyboardA11y
        deleteKeyCode={null}
        multiSelectionKeyCode={SELECT_KEYS}
        selectionKeyCode="Shift"
        selectionMode={SelectionMode.Partial}
        panOnDrag={[0, 1]}
        zoomOnDoubleClick={false}
        snapToGrid
        snapGrid={SNAP}
        minZoom={0.04}
        maxZoom={2}
        colorMode={mode}
        proOptions={PRO}
        elevateNodesOnSelect={false}
        aria-label={t('canvas')}
        tabIndex={0}
      >
        <Arrows />
        <Background
          variant={BackgroundVariant.Dots}
          gap={24}
          size={1.2}
          color="var(--line)"
          bgColor="var(--page)"
        />
        <Corner />
      </ReactFlow>
      {empty && !locked && (
        <div className="cw-ed-empty">
          <EmptyState
            title={t('emptyTitle')}
            help={t('emptyHelp')}
            action={
              <Button
                type="primary"
                onClick={(event) => {
                  const { left, bottom } = event.currentTarget.getBoundingClientRect();
                  store.getState().pick({
                    at: { x: left, y: bottom + 4 },
                    place: { x: 0, y: 0 },
                    from: { node: '@start', port: 'out' },
                  });
                }}
              >
                {t('addFirst')}
              </Button>
            }
          />
        </div>
      )}
      <Toolbar />
      <SelectionBar />
      <FindBar />
      <NodePicker />
      <ContextMenu />
      <Notice />
    </div>
  );
}

/** What stands at an element of the canvas. */
function under(element: Element): On {
  const id = element.closest('.react-flow__node')?.getAttribute('data-id');
  if (id?.startsWith('frame:')) return { kind: 'group', id: id.slice('frame:'.length) };
  if (id?.startsWith('note:')) return { kind: 'note', id: id.slice('note:'.length) };
  if (id) return { kind: isEvent(id) ? 'event' : 'node', id };
  const edge = element.closest('.react-flow__edge')?.getAttribute('data-id');
  if (edge) return { kind: 'edge', id: edge };
  return element.closest('.react-flow__nodesselection') ? { kind: 'many' } : { kind: 'canvas' };
}

/**
 * Cards have the sizes and ports that geometry.ts works out. React Flow would measure each card that scrolls into
 * view again, and lose the ports of those that are drawn without them: it is told to measure nothing.
 */
function useFixedSizes(): void {
  const api = useStoreApi();
  useState(() => api.setState({ updateNodeInternals: () => undefined }));
}

/** Zoom and the overview. */
function Corner() {
  const t = useWords(editorWords);
  const flow = useReactFlow();
  const [map, setMap] = useState(() => localStorage.getItem('callweave.editor.map') === 'yes');
  return (
    <div className="cw-ed-corner">
      {map && (
        <MiniMap
          className="cw-ed-map"
          pannable
          zoomable
          ariaLabel={t('minimap')}
          nodeColor="var(--off)"
          bgColor="var(--card)"
          maskColor="color-mix(in srgb, var(--page) 70%, transparent)"
        />
      )}
      <div className="cw-ed-zoom" role="toolbar" aria-label={t('fit')}>
        <IconButton
          size="small"
          label={t('minimap')}
          icon={<MapIcon size={15} />}
          active={map}
          onClick={() => {
            localStorage.setItem('callweave.editor.map', map ? 'no' : 'yes');
            setMap(!map);
          }}
        />
        <IconButton
          size="small"
          label={t('zoomOut')}
          icon={<Minus size={15} />}
          onClick={() => void flow.zoomOut()}
        />
        <ZoomValue />
        <IconButton
          size="small"
          label={t('zoomIn')}
          icon={<Plus size={15} />}
          onClick={() => void flow.zoomIn()}
        />
        <IconButton
          size="small"
          label={t('fit')}
          shortcut="Shift 1"
          icon={<Maximize size={15} />}
          onClick={() => void flow.fitView(FIT)}
        />
      </div>
    </div>
  );
}

function ZoomValue() {
  const t = useWords(editorWords);
  const flow = useReactFlow();
  const zoom = useStore((state) => Math.round(state.transform[2] * 100));
  return (
    <Button
      type="text"
      size="small"
      className="cw-num"
      aria-label={`${t('actual')}, ${zoom} %`}
      onClick={() => void flow.zoomTo(1)}
    >
      {zoom} %
    </Button>
  );
}

/** Says what was undone or done again. */
function Notice() {
  const t = useWords(editorWords);
  const text = useText();
  const notice = useEditor((state) => state.notice);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!notice) return;
    setShown(true);
    const timer = setTimeout(() => setShown(false), 2500);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div className="cw-ed-notice" role="status" data-shown={shown || undefined}>
      {shown &&
        notice &&
        (notice.kind === 'told' ? text(notice.label) : t(notice.kind, { what: text(notice.label) }))}
    </div>
  );
}
