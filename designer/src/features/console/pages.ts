import { Headset } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const consolePages: Page[] = [
  {
    path: '/console',
    title: { zh: '坐席工作台', en: 'Console' },
    component: lazy(() => import('./ConsolePage')),
    permission: 'agent.work',
    group: 'work',
    icon: Headset,
    full: true,
  },
];
