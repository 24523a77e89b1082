import { Database } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const datasourcePages: Page[] = [
  {
    path: '/sources',
    title: { zh: '数据源', en: 'Data sources' },
    component: lazy(() => import('./SourcesPage')),
    permission: 'sources.read',
    group: 'setup',
    icon: Database,
  },
];
