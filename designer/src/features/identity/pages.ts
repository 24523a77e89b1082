import { Users } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const identityPages: Page[] = [
  {
    path: '/users',
    title: { zh: '用户与角色', en: 'Users and roles' },
    component: lazy(() => import('./UsersPage')),
    permission: 'users.manage',
    group: 'system',
    icon: Users,
  },
];
