/**
 * Where the parts of the editor are plugged in, one line each. All of them are rendered inside of the editor's
 * context: they read and change the flow with `useEditor`, and mark nodes and edges with `useMarks`.
 */
import type { LucideIcon } from 'lucide-react';
import type { ComponentType } from 'react';
import type { Text } from '@/i18n';
import type { EdgeSpec } from './model';

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
export const panels: ComponentType[] = [];

/** Drawers at the bottom or at the right. */
export const drawers: DrawerSlot[] = [];

/** Buttons at the right of the top bar, in this order (Problems, Test, Publish ...). */
export const actions: ActionSlot[] = [];

/** Drawn on each visible card (badges, counters). Position yourself absolutely; keep it cheap. */
export const nodeOverlays: ComponentType<{ node: string }>[] = [];

/** Drawn at the middle of each visible edge, as HTML; the origin is the middle. */
export const edgeOverlays: ComponentType<{ edge: EdgeSpec }>[] = [];

/** Always mounted, draws nothing: listens and marks (for what must go on while a drawer is closed). */
export const watchers: ComponentType[] = [];
