/** What somebody does who is in a call that is another agent's. */
import { defineWords, useWords } from '@/i18n';

const guestWords = defineWords('guest', {
  en: {
    listen: 'Listening to {{who}}',
    whisper: 'Whispering to {{who}}',
    barge: 'In a call of {{who}}',
    third: 'In a call of {{who}}',
  },
  zh: {
    listen: '监听 {{who}}',
    whisper: '密语 {{who}}',
    barge: '在 {{who}} 的通话中',
    third: '在 {{who}} 的通话中',
  },
});

const WAYS = ['listen', 'whisper', 'barge', 'third'] as const;
export type Way = (typeof WAYS)[number];

interface InCall {
  state: string;
  guest: string;
  hostName: string;
}

/** How an agent is in a call that is somebody else's; null for whoever is in a call of their own, or in none. */
export function guestOf(agent: InCall): Way | null {
  if (agent.state !== 'busy' || !agent.hostName) return null;
  return WAYS.find((one) => one === agent.guest) ?? null;
}

/** The same in words; empty for null. */
export function useGuestName(): (agent: InCall) => string {
  const t = useWords(guestWords);
  return (agent) => {
    const way = guestOf(agent);
    return way ? t(way, { who: agent.hostName }) : '';
  };
}
