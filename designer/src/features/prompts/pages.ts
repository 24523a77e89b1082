import { Volume2 } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const promptPages: Page[] = [
  {
    path: '/prompts',
    title: { zh: '语音库', en: 'Prompts' },
    component: lazy(() => import('./PromptsPage')),
    permission: 'prompts.read',
    group: 'design',
    icon: Volume2,
  },
];
