/** States of calls and runs as marks, used by several pages. */
import { PhoneIncoming, PhoneOutgoing } from 'lucide-react';
import { useQuery } from 'urql';
import { useSession } from '@/app/session';
import { graphql } from '@/gql';
import { useWords } from '@/i18n';
import { StateTag, type Tone } from '@/ui';
import { useReason } from '@/ui/reasons';
import { callWords } from './words';

const CALL_TONES: Record<string, Tone> = { ringing: 'wait', up: 'good', ended: 'off' };
const RUN_TONES: Record<string, Tone> = {
  running: 'good',
  completed: 'off',
  hangup: 'off',
  failed: 'bad',
  stopped: 'wait',
};
const CAUSE_TONES: Record<string, Tone> = {
  normal: 'off',
  busy: 'wait',
  no_answer: 'wait',
  cancelled: 'wait',
  rejected: 'wait',
};

const CAUSES = [
  'normal',
  'busy',
  'no_answer',
  'rejected',
  'unknown_number',
  'unavailable',
  'congestion',
  'cancelled',
  'engine_lost',
  'lost',
  'failed',
] as const;
export const causes: readonly string[] = CAUSES;

export const OUTCOMES = ['running', 'completed', 'hangup', 'failed', 'stopped'] as const;
const KINDS = ['ivr', 'campaign', 'callback', 'ticket', 'subflow'] as const;

export function CallState({ state }: { state: string }) {
  const w = useWords(callWords);
  const known = state === 'ringing' || state === 'up' || state === 'ended' ? w(state) : state;
  return <StateTag tone={CALL_TONES[state] ?? 'off'}>{known}</StateTag>;
}

/** How a run ended, by a word; an outcome of a flow's own by its name. */
export function useOutcome(): (outcome: string) => string {
  const w = useWords(callWords);
  return (outcome) => {
    const known = OUTCOMES.find((one) => one === outcome);
    return known ? w(`outcome_${known}`) : outcome;
  };
}

export function RunState({ state }: { state: string }) {
  const nameOf = useOutcome();
  return <StateTag tone={RUN_TONES[state] ?? 'off'}>{nameOf(state)}</StateTag>;
}

export function useCause(): (cause: string) => string {
  const w = useWords(callWords);
  return (cause) => {
    const known = CAUSES.find((one) => one === cause);
    return known ? w(`cause_${known}`) : cause;
  };
}

/** Why a run ended as it did: a failure by its reason, the end of its call by the cause. */
export function useRunReason(): (run: { state: string; reason: string }) => string {
  const cause = useCause();
  const reasonOf = useReason();
  return ({ state, reason }) =>
    reason === state ? '' : state === 'failed' ? reasonOf(reason) : cause(reason);
}

export function Ending({ cause, outcome }: { cause: string; outcome: string }) {
  const w = useWords(callWords);
  const nameOf = useCause();
  if (!cause) return <span className="cw-quiet">–</span>;
  if (outcome === 'failed') return <StateTag tone="bad">{w('outcome_failed')}</StateTag>;
  return <StateTag tone={CAUSE_TONES[cause] ?? 'bad'}>{nameOf(cause)}</StateTag>;
}

export function Direction({ direction }: { direction: string }) {
  const w = useWords(callWords);
  const out = direction === 'outbound';
  const Icon = out ? PhoneOutgoing : PhoneIncoming;
  return (
    <span className="cw-direction" style={{ color: out ? 'var(--outbound)' : 'var(--quiet)' }}>
      <Icon size={14} aria-hidden />
      {out ? w('outbound') : w('inbound')}
    </span>
  );
}

export function useKind(): (kind: string) => string {
  const w = useWords(callWords);
  return (kind) => {
    const known = KINDS.find((one) => one === kind);
    return known ? w(`kind_${known}`) : kind;
  };
}

const FLOW_NAMES = graphql(`
  query FlowNamesOfCalls {
    flows { key name }
  }
`);

/** Names of flows by key, for those who may read flows. */
export function useFlowNames(): { key: string; name: string }[] {
  const { may } = useSession();
  const [answer] = useQuery({ query: FLOW_NAMES, pause: !may('flows.read') });
  return answer.data?.flows ?? [];
}

const TEMPORAL = graphql(`
  query TemporalPlace {
    settings { name value }
  }
`);

/** Where a run stands in Temporal's own pages: known to those who look after the system, when it is the private one. */
export function useTemporal(): ((runId: string) => string) | null {
  const { may } = useSession();
  const [answer] = useQuery({ query: TEMPORAL, pause: !may('system.manage') });
  const settings = new Map(answer.data?.settings.map((one) => [one.name, one.value]));
  const port = settings.get('CALLWEAVE_TEMPORAL_UI_PORT');
  if (!port || settings.get('CALLWEAVE_TEMPORAL_ADDRESS')) return null;
  const namespace = encodeURIComponent(settings.get('CALLWEAVE_TEMPORAL_NAMESPACE') || 'default');
  return (runId) =>
    `http://${location.hostname}:${port}/namespaces/${namespace}/workflows/${encodeURIComponent(runId)}`;
}
