import { ListChecks } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const listPages: Page[] = [
  {
    path: '/lists',
    title: { zh: '号码名单', en: 'Number lists' },
    component: lazy(() => import('./ListsPage')),
    permission: 'lists.read',
    group: 'setup',
    icon: ListChecks,
  },
];
