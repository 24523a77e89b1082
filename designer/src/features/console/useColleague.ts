import { useQuery } from 'urql';
import { TARGETS } from './operations';

/** The name of the colleague at an extension; nothing for any other number. */
export function useColleague(number: string): string {
  const inside = /^\d{3,6}$/.test(number);
  const [answer] = useQuery({ query: TARGETS, pause: !inside });
  if (!inside) return '';
  return answer.data?.agentDirectory.find((one) => one.extension === number)?.displayName ?? '';
}
