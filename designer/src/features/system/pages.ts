import { Activity } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const systemPages: Page[] = [
  {
    path: '/system',
    title: { zh: '系统', en: 'System' },
    component: lazy(() => import('./SystemPage')),
    permission: 'system.manage',
    group: 'system',
    icon: Activity,
  },
];
