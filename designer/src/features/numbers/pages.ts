import { Cable } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const numberPages: Page[] = [
  {
    path: '/numbers',
    title: { zh: '号码与线路', en: 'Numbers and lines' },
    component: lazy(() => import('./NumbersPage')),
    permission: 'numbers.read',
    group: 'setup',
    icon: Cable,
  },
];
