/** Lines and trunks: whether each trunk is there and how full, and every call that is up. */
import { Link } from 'react-router';
import { useText, useWords } from '@/i18n';
import { Duration, EmptyState, Phone, StateTag } from '@/ui';
import { ListTable } from '@/ui/table';
import { useFlowNames } from '../calls/marks';
import { isGone, TrunkLoad, TrunkMark } from '../numbers/trunkState';
import type { Line, Trunk } from './liveLines';
import { floorWords } from './words';

export function TrunkStrip({ trunks }: { trunks: readonly Trunk[] }) {
  const t = useWords(floorWords);
  if (trunks.length === 0) return null;
  return (
    <ul className="cw-trunks" aria-label={t('trunks')}>
      {trunks.map((trunk) => (
        <li key={trunk.id} data-state={trunk.state} title={`${trunk.name} · ${trunk.host}`}>
          <strong>{trunk.name}</strong>
          <TrunkMark state={trunk.state} />
          {trunk.since && isGone(trunk) && <Duration since={trunk.since} />}
          <TrunkLoad trunk={trunk} />
        </li>
      ))}
    </ul>
  );
}

const CALL_STATES = { ringing: 'lineRinging', up: 'lineUp' } as const;

export function Lines({ lines, loading }: { lines: readonly Line[]; loading: boolean }) {
  const t = useWords(floorWords);
  const text = useText();
  const names = new Map(useFlowNames().map((flow) => [flow.key, flow.name]));
  if (lines.length === 0 && !loading) return <EmptyState title={t('noLines')} />;
  const directions = { inbound: t('inbound'), outbound: t('outbound'), internal: t('internal') };
  return (
    <ListTable<Line>
      size="small"
      rowKey="callId"
      loading={loading}
      dataSource={[...lines]}
      pagination={lines.length > 200 ? { pageSize: 200, showSizeChanger: false } : false}
      scroll={{ x: 'max-content' }}
      columns={[
        {
          title: t('direction'),
          className: 'cw-nowrap',
          render: (_, one) => (
            <StateTag tone={one.direction === 'outbound' ? 'outbound' : 'act'}>
              {directions[one.direction as 'inbound'] ?? one.direction}
            </StateTag>
          ),
        },
        {
          title: t('caller'),
          render: (_, one) => <Party number={one.caller} line={one} outside={one.direction !== 'outbound'} />,
        },
        {
          title: t('called'),
          render: (_, one) => <Party number={one.called} line={one} outside={one.direction === 'outbound'} />,
        },
        {
          title: t('ourSide'),
          render: (_, one) =>
            one.agents.join(text({ zh: '、', en: ', ' })) || <span className="cw-quiet">–</span>,
        },
        {
          title: t('state'),
          className: 'cw-nowrap',
          render: (_, one) => (
            <StateTag tone={one.state === 'up' ? 'good' : 'wait'}>
              {one.state in CALL_STATES ? t(CALL_STATES[one.state as 'up']) : one.state}
            </StateTag>
          ),
        },
        {
          title: t('trunk'),
          render: (_, one) => one.trunks.join(', ') || <span className="cw-quiet">–</span>,
        },
        {
          title: t('flow'),
          render: (_, one) =>
            one.flowKey ? (
              <Link to={`/flows/${one.flowKey}`}>{names.get(one.flowKey) ?? one.flowKey}</Link>
            ) : (
              <span className="cw-quiet">–</span>
            ),
        },
        {
          title: t('duration'),
          align: 'right',
          className: 'cw-nowrap',
          render: (_, one) => (
            <Link to={`/calls/${one.callId}`} title={t('openCall')}>
              <Duration since={one.startedAt} />
            </Link>
          ),
        },
      ]}
    />
  );
}

/** A party of a call: the customer by name and with the place that their number belongs to. */
function Party({ number, line, outside }: { number: string; line: Line; outside: boolean }) {
  const t = useWords(floorWords);
  return (
    <span className="cw-two-line">
      {number ? (
        <Phone number={number} region={outside ? line.region : null} />
      ) : (
        <span className="cw-quiet">{line.anonymous ? t('withheld') : '–'}</span>
      )}
      {outside && line.customerName && <small>{line.customerName}</small>}
    </span>
  );
}
