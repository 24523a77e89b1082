import { ListTree, Phone } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const callPages: Page[] = [
  {
    path: '/calls',
    title: { zh: '通话', en: 'Calls' },
    component: lazy(() => import('./CallsPage')),
    permission: 'calls.read',
    group: 'records',
    icon: Phone,
  },
  {
    path: '/calls/:id',
    title: { zh: '通话详情', en: 'Call' },
    component: lazy(() => import('./CallPage')),
    permission: 'calls.read',
  },
  {
    path: '/runs',
    title: { zh: '运行记录', en: 'Runs' },
    component: lazy(() => import('./RunsPage')),
    permission: 'calls.read',
    group: 'records',
    icon: ListTree,
  },
  {
    path: '/runs/:id',
    title: { zh: '运行详情', en: 'Run' },
    component: lazy(() => import('./RunPage')),
    permission: 'calls.read',
  },
];
