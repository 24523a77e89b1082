import { Workflow } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';
import { askEarly } from './editor/opening';

export const flowPages: Page[] = [
  {
    path: '/flows',
    title: { zh: '流程', en: 'Flows' },
    component: lazy(() => import('./FlowListPage')),
    permission: 'flows.read',
    group: 'design',
    icon: Workflow,
  },
  {
    path: '/flows/:key',
    title: { zh: '流程设计', en: 'Flow designer' },
    component: lazy(() => {
      askEarly(location.pathname);
      return import('./editor/EditorPage');
    }),
    permission: 'flows.read',
    full: true,
  },
];
