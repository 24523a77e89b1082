/** Archiving and bringing back several flows at once. */
import { App, Button } from 'antd';
import { Archive, ArchiveRestore } from 'lucide-react';
import { useChange } from '@/graphql/useChange';
import { listed, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { groupedPhone } from '@/ui';
import { ARCHIVE, type FlowRow } from './data';
import { listWords } from './words';

/** The numbers that lead to flows, as people read them. */
export const numbersOf = (flows: readonly FlowRow[]) =>
  listed(flows.flatMap((flow) => flow.numbers.map((one) => groupedPhone(one.number))));

/** Archives what is selected, or brings it back. What a number leads to stays, and is told. */
export function PutAway({
  flows,
  archived,
  onDone,
}: {
  flows: FlowRow[];
  archived: boolean;
  onDone: () => void;
}) {
  const w = useWords(listWords);
  const c = useWords(common);
  const { modal } = App.useApp();
  const [archive] = useChange(ARCHIVE);
  const free = flows.filter((flow) => flow.numbers.length === 0);
  const kept = flows.filter((flow) => flow.numbers.length > 0);
  const go = async () => {
    for (const flow of archived ? flows : free) await archive({ key: flow.key, archived: !archived });
    onDone();
  };
  if (archived)
    return (
      <Button size="small" icon={<ArchiveRestore size={14} />} onClick={() => void go()}>
        {w('restore')}
      </Button>
    );
  return (
    <Button
      size="small"
      icon={<Archive size={14} />}
      disabled={free.length === 0}
      title={free.length === 0 ? w('archiveNumbers', { numbers: numbersOf(kept) }) : undefined}
      onClick={() =>
        modal.confirm({
          title: w('archiveMany', { count: free.length }),
          content: (
            <>
              <p>{listed(free.map((flow) => flow.name))}</p>
              <p>{w('archiveHelp')}</p>
              {kept.length > 0 && (
                <p>
                  {w('archiveKept', {
                    names: listed(kept.map((flow) => flow.name)),
                    numbers: numbersOf(kept),
                  })}
                </p>
              )}
            </>
          ),
          okText: w('archive'),
          cancelText: c('cancel'),
          onOk: go,
        })
      }
    >
      {w('archive')}
    </Button>
  );
}
