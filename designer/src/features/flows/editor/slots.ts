/**
 * Where the parts of the editor are plugged in, one line each. All of them are rendered inside of the editor's
 * context: they read and change the flow with `useEditor`, and mark nodes and edges with `useMarks`.
 */
import {
  ChartNoAxesColumn,
  History,
  type LucideIcon,
  PhoneCall,
  Settings2,
  Smartphone,
  TriangleAlert,
} from 'lucide-react';
import type { ComponentType } from 'react';
import type { Text } from '@/i18n';
import { DrawerActions } from './DrawerActions';
import { NodeNumbersOverlay, RunsDrawer } from './live/RunsDrawer';
import type { EdgeSpec } from './model';
import { PropertyPanel } from './panel/PropertyPanel';
import { NodeBadge } from './problems/NodeBadge';
import { ProblemsAction } from './problems/ProblemsAction';
import { ProblemsDrawer } from './problems/ProblemsDrawer';
import { ProblemsWatcher } from './problems/ProblemsWatcher';
import { SettingsDrawer } from './SettingsDrawer';
import { SimulatorDrawer } from './simulator/SimulatorDrawer';
import { TestAction } from './simulator/TestAction';
import { TestCallDrawer } from './testcall/TestCallDrawer';
import { PublishAction } from './versions/PublishDialog';
import { VersionsDrawer } from './versions/VersionsDrawer';

export interface DrawerSlot {
  /** `store.open(id)` shows it. */
  id: string;
  title: Text;
  place: 'bottom' | 'right';
  icon?: LucideIcon;
  component: ComponentType;
  /** Height of a drawer at the bottom, width of one at the right, in pixels; the person can change it. */
  size?: number;
}

export interface ActionSlot {
  id: string;
  component: ComponentType;
}

/** The property panel, at the right. */
export const panels: ComponentType[] = [PropertyPanel];

/** Drawers at the bottom or at the right. */
export const drawers: DrawerSlot[] = [
  {
    id: 'problems',
    title: { zh: '问题', en: 'Problems' },
    place: 'bottom',
    icon: TriangleAlert,
    component: ProblemsDrawer,
    size: 280,
  },
  {
    id: 'settings',
    title: { zh: '流程设置', en: 'Flow settings' },
    place: 'right',
    icon: Settings2,
    component: SettingsDrawer,
    size: 380,
  },
  {
    id: 'simulator',
    title: { zh: '模拟器', en: 'Simulator' },
    place: 'bottom',
    icon: Smartphone,
    component: SimulatorDrawer,
    size: 430,
  },
  {
    id: 'testcall',
    title: { zh: '测试呼叫', en: 'Test call' },
    place: 'bottom',
    icon: PhoneCall,
    component: TestCallDrawer,
    size: 430,
  },
  {
    id: 'versions',
    title: { zh: '版本', en: 'Versions' },
    place: 'bottom',
    icon: History,
    component: VersionsDrawer,
    size: 320,
  },
  {
    id: 'runs',
    title: { zh: '流程图上的通话', en: 'Calls on the drawing' },
    place: 'bottom',
    icon: ChartNoAxesColumn,
    component: RunsDrawer,
    size: 300,
  },
];

/** Buttons at the right of the top bar, in this order (Problems, Test, Publish ...). */
export const actions: ActionSlot[] = [
  { id: 'problems', component: ProblemsAction },
  { id: 'drawers', component: DrawerActions },
  { id: 'test', component: TestAction },
  { id: 'publish', component: PublishAction },
];

/** Drawn on each visible card (badges, counters). Position yourself absolutely; keep it cheap. */
export const nodeOverlays: ComponentType<{ node: string }>[] = [NodeNumbersOverlay, NodeBadge];

/** Drawn at the middle of each visible edge, as HTML; the origin is the middle. */
export const edgeOverlays: ComponentType<{ edge: EdgeSpec }>[] = [];

/** Always mounted, draws nothing: listens and marks (for what must go on while a drawer is closed). */
export const watchers: ComponentType[] = [ProblemsWatcher];
