import { FileAudio, Voicemail } from 'lucide-react';
import { lazy } from 'react';
import type { Page } from '@/app/pages';

export const recordingPages: Page[] = [
  {
    path: '/recordings',
    title: { zh: '录音', en: 'Recordings' },
    component: lazy(() => import('./RecordingsPage')),
    permission: 'recordings.listen',
    group: 'records',
    icon: FileAudio,
  },
  {
    path: '/voicemail',
    title: { zh: '留言', en: 'Voicemail' },
    component: lazy(() => import('../voicemails/VoicemailPage')),
    permission: 'voicemails.handle',
    group: 'work',
    icon: Voicemail,
  },
];
