import { BookOpen } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const referencePages: Page[] = [
  {
    path: '/reference',
    title: { zh: '节点手册', en: 'Node reference' },
    component: lazy(() => import('./ReferencePage')),
    permission: 'flows.read',
    group: 'design',
    icon: BookOpen,
  },
];
