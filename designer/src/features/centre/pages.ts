import { ListTodo, SlidersHorizontal } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const centrePages: Page[] = [
  {
    path: '/tasks',
    title: { zh: '任务', en: 'Tasks' },
    component: lazy(() => import('./TasksPage')),
    permission: 'tasks.all',
    group: 'floor',
    icon: ListTodo,
  },
  {
    path: '/centre',
    title: { zh: '业务设置', en: 'Centre set-up' },
    component: lazy(() => import('./CentrePage')),
    permission: 'dispositions.manage',
    group: 'setup',
    icon: SlidersHorizontal,
  },
];
