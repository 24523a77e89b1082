/** The line of one queue: who waits, moved up, given to an agent or to another queue. */
import { Button, Select, Table } from 'antd';
import { ArrowUp } from 'lucide-react';
import { useQuery } from 'urql';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { Duration, Phone, StateTag } from '@/ui';
import type { FloorQueue, WaitingCaller } from './floor';
import { floorWords } from './words';

const GIVE = graphql(`
  mutation GiveWaiting($entry: String!, $user: String, $queue: String) {
    giveWaiting(entryId: $entry, userId: $user, queue: $queue) {
      value { entryId } errors { ...Refusal }
    }
  }
`);
const PRIORITY = graphql(`
  mutation SetWaitingPriority($entry: String!, $priority: Int!) {
    setWaitingPriority(entryId: $entry, priority: $priority) {
      value { entryId priority } errors { ...Refusal }
    }
  }
`);
const TARGETS = graphql(`
  query WaitingTargets {
    agentDirectory { userId displayName state }
    queueNames { name label { zh en } enabled }
  }
`);

export function Waiting({ queue }: { queue: FloorQueue }) {
  const t = useWords(floorWords);
  const c = useWords(common);
  const text = useText();
  const mayAct = useMay('floor.act');
  const [targets] = useQuery({ query: TARGETS, requestPolicy: 'cache-and-network' });
  const [give] = useChange(GIVE);
  const [raise] = useChange(PRIORITY);
  const people = (targets.data?.agentDirectory ?? []).filter((one) => one.state !== 'signed_out');
  const nameOf = (id: string | null | undefined) =>
    people.find((one) => one.userId === id)?.displayName ?? '';
  return (
    <Table<WaitingCaller>
      className="cw-waiting-table"
      size="small"
      rowKey="entryId"
      pagination={false}
      locale={{ emptyText: t('nobodyWaits') }}
      dataSource={queue.callers}
      columns={[
        { title: t('place'), dataIndex: 'place', width: 70 },
        {
          title: t('caller'),
          render: (_, one) => (
            <>
              {one.vip && <span className="cw-ring-vip">VIP</span>}{' '}
              {one.customerName || <Phone number={one.number || one.caller} region={one.region} />}
            </>
          ),
        },
        { title: t('wait'), dataIndex: 'since', render: (since: string) => <Duration since={since} /> },
        {
          title: t('state'),
          render: (_, one) => (
            <StateTag tone={one.state === 'offered' ? 'act' : 'wait'}>
              {one.state === 'offered' ? `${t('offeredState')} ${nameOf(one.agentId)}` : t('waiting')}
              {one.wanted && ` → ${nameOf(one.wanted)}`}
            </StateTag>
          ),
        },
        ...(mayAct
          ? [
              {
                title: c('actions'),
                render: (_: unknown, one: WaitingCaller) => (
                  <span className="cw-row-actions">
                    <Button
                      size="small"
                      icon={<ArrowUp size={14} aria-hidden />}
                      onClick={() => void raise({ entry: one.entryId, priority: 50 })}
                    >
                      {t('up')}
                    </Button>
                    <Select<string>
                      size="small"
                      style={{ minWidth: 160 }}
                      aria-label={t('giveTo')}
                      placeholder={t('giveTo')}
                      value={null as unknown as string}
                      onSelect={(value) => {
                        const [kind, id] = [value.slice(0, 1), value.slice(2)];
                        void give({
                          entry: one.entryId,
                          user: kind === 'a' ? id : null,
                          queue: kind === 'q' ? id : null,
                        });
                      }}
                      options={[
                        {
                          label: t('giveAgent'),
                          options: people.map((person) => ({
                            value: `a:${person.userId}`,
                            label: person.displayName,
                          })),
                        },
                        {
                          label: t('giveQueue'),
                          options: (targets.data?.queueNames ?? [])
                            .filter((other) => other.enabled && other.name !== queue.name)
                            .map((other) => ({
                              value: `q:${other.name}`,
                              label: text(other.label) || other.name,
                            })),
                        },
                        ...(one.wanted ? [{ value: '-:', label: t('back') }] : []),
                      ]}
                    />
                  </span>
                ),
              },
            ]
          : []),
      ]}
    />
  );
}
