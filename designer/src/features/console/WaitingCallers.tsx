import { useEffect } from 'react';
import { useQuery, useSubscription } from 'urql';
import { graphql } from '@/gql';
import { useText, useWords } from '@/i18n';
import { Duration, Phone } from '@/ui';
import { MY_QUEUES } from './operations';
import { consoleWords } from './words';

const WAITING = graphql(`
  query MyWaiting {
    myWaiting { entryId queue place kind caller number region { zh en } customerName vip since }
    queueNames { name label { zh en } }
  }
`);

/** The callers who are queued for this agent (AG10). */
export function WaitingCallers() {
  const t = useWords(consoleWords);
  const text = useText();
  const [answer, ask] = useQuery({ query: WAITING, requestPolicy: 'cache-and-network' });
  const [queues] = useSubscription({ query: MY_QUEUES });
  const waiting = (queues.data?.myQueues ?? []).map((one) => `${one.name}:${one.waiting}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again whenever the line changes
  useEffect(() => ask({ requestPolicy: 'network-only' }), [waiting, ask]);
  const callers = answer.data?.myWaiting ?? [];
  if (callers.length === 0) return null;
  const labelOf = (name: string) =>
    text(answer.data?.queueNames.find((one) => one.name === name)?.label) || name;
  return (
    <details className="cw-waiting" open>
      <summary>
        {t('waitingCallers')} <strong className="cw-num">{callers.length}</strong>
      </summary>
      <ol>
        {callers.slice(0, 8).map((caller) => (
          <li key={caller.entryId}>
            <span className="cw-num cw-quiet">{caller.place}</span>
            <span>
              {caller.customerName ||
                (caller.number || caller.caller ? (
                  <Phone number={caller.number || caller.caller} region={caller.region} />
                ) : (
                  t('masked')
                ))}{' '}
              {caller.vip && <span className="cw-ring-vip">VIP</span>}
              <span className="cw-quiet cw-waiting-where">{labelOf(caller.queue)}</span>
            </span>
            <Duration since={caller.since} />
          </li>
        ))}
      </ol>
    </details>
  );
}
