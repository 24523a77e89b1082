import { UsersRound } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const queuePages: Page[] = [
  {
    path: '/agents',
    title: { zh: '坐席与队列', en: 'Agents and queues' },
    component: lazy(() => import('./AgentsPage')),
    permission: 'queues.read',
    group: 'floor',
    icon: UsersRound,
  },
];
