import { Contact } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const customerPages: Page[] = [
  {
    path: '/customers',
    title: { zh: '客户', en: 'Customers' },
    component: lazy(() => import('./CustomersPage')),
    permission: 'customers.read',
    group: 'work',
    icon: Contact,
  },
];
