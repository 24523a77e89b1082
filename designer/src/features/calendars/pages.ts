import { CalendarDays } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const calendarPages: Page[] = [
  {
    path: '/calendars',
    title: { zh: '日历', en: 'Calendars' },
    component: lazy(() => import('./CalendarsPage')),
    permission: 'calendars.read',
    group: 'setup',
    icon: CalendarDays,
  },
];
