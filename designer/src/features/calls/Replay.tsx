/** An old run walked again on another version: both paths side by side, and where they part. */
import { Alert, Button, Drawer, Select, Spin } from 'antd';
import { Play } from 'lucide-react';
import { useState } from 'react';
import { useClient, useQuery } from 'urql';
import { graphql } from '@/gql';
import type { ReplayRunQuery } from '@/gql/graphql';
import { refusalOf, sentences } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { useAliasName } from '@/ui';
import { useReason } from '@/ui/reasons';
import { useOutcome } from './marks';
import { usePortTitle, useStepWords } from './portTitle';
import { shortValue } from './timeline';
import { callWords } from './words';

const REPLAY = graphql(`
  query ReplayRun($id: String!, $on: String!) {
    replayRun(id: $id, on: $on) {
      judgement
      parting
      why { zh en }
      oldOutcome
      newOutcome
      variables { name old new }
      rows {
        same
        old { nodeId nodeType nodeName flowId port outputs error }
        new { nodeId nodeType nodeName flowId port outputs error }
      }
    }
  }
`);
const TARGETS = graphql(`
  query ReplayTargets($key: String!) {
    flow(key: $key) {
      aliases { name version }
      versions { number note createdAt }
    }
  }
`);

type Replay = ReplayRunQuery['replayRun'];

export function ReplayDrawer({
  runId,
  flowKey,
  open,
  onClose,
}: {
  runId: string;
  flowKey: string;
  open: boolean;
  onClose: () => void;
}) {
  const w = useWords(callWords);
  const client = useClient();
  const aliasName = useAliasName();
  const [on, setOn] = useState('draft');
  const [answer, setAnswer] = useState<{ on: string; replay: Replay } | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [targets] = useQuery({ query: TARGETS, variables: { key: flowKey }, pause: !open });
  const flow = targets.data?.flow;
  const options = [
    { value: 'draft', label: w('draft') },
    ...(flow?.aliases ?? []).map((alias) => ({
      value: alias.name,
      label: `${aliasName(alias.name)} · v${alias.version}`,
    })),
    ...(flow?.versions ?? []).map((version) => ({
      value: String(version.number),
      label: `v${version.number}${version.note ? ` · ${version.note}` : ''}`,
    })),
  ];
  const labelOf = (value: string) => options.find((one) => one.value === value)?.label ?? value;

  const walk = async () => {
    setBusy(true);
    setFailed(null);
    const told = await client.query(REPLAY, { id: runId, on }, { requestPolicy: 'network-only' }).toPromise();
    setBusy(false);
    if (told.data) setAnswer({ on, replay: told.data.replayRun });
    else setFailed(told.error ? refusalOf(told.error) : '');
  };

  return (
    <Drawer open={open} onClose={onClose} size={880} title={w('replay')} destroyOnHidden>
      <p className="cw-quiet cw-drawer-help">{w('replayHelp')}</p>
      <div className="cw-filters">
        <Select
          aria-label={w('replayOn')}
          value={on}
          onChange={setOn}
          options={options}
          style={{ minWidth: 200 }}
          popupMatchSelectWidth={false}
        />
        <Button type="primary" icon={<Play size={14} />} loading={busy} onClick={() => void walk()}>
          {w('walk')}
        </Button>
      </div>
      {failed && <Alert type="error" showIcon title={failed} role="alert" />}
      {busy && !answer && <Spin />}
      {answer && <Comparison replay={answer.replay} on={labelOf(answer.on)} />}
    </Drawer>
  );
}

function Comparison({ replay, on }: { replay: Replay; on: string }) {
  const w = useWords(callWords);
  const text = useText();
  const outcomeName = useOutcome();
  const step = (replay.parting ?? 0) + 1;
  const title =
    replay.judgement === 'same'
      ? w('sameWay')
      : replay.judgement === 'parted'
        ? w('parted', { n: step })
        : w('stoppedAt', { n: step });
  return (
    <div className="cw-replay">
      <Alert
        type={replay.judgement === 'same' ? 'success' : 'warning'}
        showIcon
        title={title}
        description={sentences([
          text(replay.why),
          replay.oldOutcome === replay.newOutcome
            ? undefined
            : w('wasOutcome', {
                old: outcomeName(replay.oldOutcome) || '–',
                new: outcomeName(replay.newOutcome) || '–',
              }),
        ])}
      />
      <table>
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">{w('wasThen')}</th>
            <th scope="col">{w('now', { on })}</th>
          </tr>
        </thead>
        <tbody>
          {replay.rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: steps stay in their order
            <tr key={index} data-same={row.same} data-parting={replay.parting === index || undefined}>
              <td className="cw-num cw-quiet">{index + 1}</td>
              <td>
                <Walked step={row.old} />
              </td>
              <td>
                <Walked step={row.new} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {replay.variables.length > 0 && (
        <>
          <h3>{w('changedVariables')}</h3>
          <table>
            <tbody>
              {replay.variables.map((variable) => (
                <tr key={variable.name}>
                  <th scope="row" className="cw-code">
                    {variable.name}
                  </th>
                  <td className="cw-code">{shortValue(variable.old)}</td>
                  <td className="cw-code">{shortValue(variable.new)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </div>
  );
}

function Walked({ step }: { step: Replay['rows'][number]['old'] }) {
  const portName = usePortTitle();
  const reason = useReason();
  const { nameOf } = useStepWords();
  if (!step) return <span className="cw-quiet">–</span>;
  return (
    <span className="cw-walked">
      <strong>{nameOf(step)}</strong>
      {step.port && <span className="cw-step-port">→ {portName(step.nodeType, step.port)}</span>}
      {step.error && <span className="cw-step-error">{reason(step.error)}</span>}
    </span>
  );
}
