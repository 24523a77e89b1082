/** Who changed what of a flow, and when. */
import { Drawer, Spin } from 'antd';
import { useText, useWords } from '@/i18n';
import { Time, useWhoName } from '@/ui';
import { Failure, LoadMore } from '@/ui/lists';
import { usePages } from '@/ui/paging';
import { HISTORY } from './data';
import { listWords } from './words';

export function HistoryDrawer({
  flow,
  onClose,
}: {
  flow: { key: string; name: string } | null;
  onClose: () => void;
}) {
  const w = useWords(listWords);
  return (
    <Drawer
      open={flow !== null}
      onClose={onClose}
      title={`${w('who')} · ${flow?.name ?? ''}`}
      size={480}
      destroyOnHidden
    >
      {flow && <Deeds key={flow.key} of={flow.key} />}
    </Drawer>
  );
}

function Deeds({ of: key }: { of: string }) {
  const w = useWords(listWords);
  const text = useText();
  const whoName = useWhoName();
  const pages = usePages(HISTORY, { key, first: 50 }, (data) => data.flowHistory, {
    keyOf: (deed) => deed.seq,
  });
  const deeds = pages.rows;
  return (
    <>
      <Failure error={pages.error} retry={pages.reload} />
      {!deeds ? (
        !pages.error && <Spin />
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
      <LoadMore pages={pages} />
    </>
  );
}
