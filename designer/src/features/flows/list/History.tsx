/** Who changed what of a flow, and when. */
import { Button, Drawer, Spin } from 'antd';
import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import type { FlowHistoryQuery } from '@/gql/graphql';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { Time, useWhoName } from '@/ui';
import { HISTORY } from './data';
import { listWords } from './words';

type Deed = FlowHistoryQuery['flowHistory']['nodes'][number];

export function HistoryDrawer({
  flow,
  onClose,
}: {
  flow: { key: string; name: string } | null;
  onClose: () => void;
}) {
  const w = useWords(listWords);
  const c = useWords(common);
  const text = useText();
  const whoName = useWhoName();
  const client = useClient();
  const [deeds, setDeeds] = useState<Deed[] | null>(null);
  const [end, setEnd] = useState<string | null>(null);
  const [hasNext, setHasNext] = useState(false);
  const key = flow?.key;

  const load = async (wanted: string, after: string | null) => {
    const told = await client
      .query(HISTORY, { key: wanted, first: 50, after }, { requestPolicy: 'network-only' })
      .toPromise();
    const page = told.data?.flowHistory;
    setDeeds((now) => [...(after ? (now ?? []) : []), ...(page?.nodes ?? [])]);
    setEnd(page?.endCursor ?? null);
    setHasNext(page?.hasNext ?? false);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: another flow, another history
  useEffect(() => {
    setDeeds(null);
    if (key) void load(key, null);
  }, [key]);

  return (
    <Drawer open={flow !== null} onClose={onClose} title={`${w('who')} · ${flow?.name ?? ''}`} size={480}>
      {deeds === null ? (
        <Spin />
      ) : deeds.length === 0 ? (
        <p className="cw-quiet">{w('noHistory')}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard
        <ol className="cw-deeds" tabIndex={0}>
          {deeds.map((deed) => (
            <li key={deed.seq}>
              <strong>{whoName(deed.actor)}</strong> {text(deed.text)}
              {deed.times > 1 && <span className="cw-quiet"> · {w('timesBy', { count: deed.times })}</span>}
              <div className="cw-quiet">
                <Time at={deed.at} exact />
              </div>
            </li>
          ))}
        </ol>
      )}
      {hasNext && key && (
        <div className="cw-more">
          <Button onClick={() => void load(key, end)}>{c('loadMore')}</Button>
        </div>
      )}
    </Drawer>
  );
}
