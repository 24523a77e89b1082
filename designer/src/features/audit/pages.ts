import { ScrollText } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const auditPages: Page[] = [
  {
    path: '/audit',
    title: { zh: '审计日志', en: 'Audit trail' },
    component: lazy(() => import('./AuditPage')),
    permission: 'audit.read',
    group: 'system',
    icon: ScrollText,
  },
];
