import { LayoutGrid } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const floorPages: Page[] = [
  {
    path: '/floor',
    title: { zh: '现场监控', en: 'Floor' },
    component: lazy(() => import('./FloorPage')),
    permission: 'floor.watch',
    group: 'floor',
    icon: LayoutGrid,
    full: true,
  },
];
