/** The floor as the server tells it: first everything, then what changed. */
import { useEffect, useRef, useState } from 'react';
import { useSubscription } from 'urql';
import { graphql } from '@/gql';
import type { FloorSubscription } from '@/gql/graphql';

const FLOOR = graphql(`
  subscription Floor {
    floor {
      full removedAgents at
      agents {
        userId name displayName team extension phoneKind seat state reason since until limitAt wish calls busySeconds queues talk away guest hostName
        helpSince helpNote helpBy helpByName
        call { entryId callId queue queueLabel { zh en } caller region { zh en } customerName vip since }
      }
      queues {
        name label { zh en } waiting longest longestSince expected talking ready signedIn offered answered abandoned
        serviceLevel serviceLevelTarget averageWait alerts
        callers { entryId callId place state kind caller number region { zh en } customerName vip wanted agentId since }
      }
    }
  }
`);

export type FloorChange = FloorSubscription['floor'];
export type FloorAgent = FloorChange['agents'][number];
export type FloorQueue = FloorChange['queues'][number];
export type WaitingCaller = FloorQueue['callers'][number];

export interface Floor {
  agents: ReadonlyMap<string, FloorAgent>;
  queues: readonly FloorQueue[];
}

/** The floor after one more message. */
export function withChange(floor: Floor | null, change: FloorChange): Floor {
  const agents = new Map(change.full || !floor ? [] : floor.agents);
  for (const agent of change.agents) agents.set(agent.userId, agent);
  for (const id of change.removedAgents) agents.delete(id);
  return { agents, queues: change.queues };
}

export function useFloor(): { floor: Floor | null; failed: boolean } {
  const [floor, setFloor] = useState<Floor | null>(null);
  const [answer] = useSubscription({ query: FLOOR }, (_, seen) => {
    setFloor((now) => withChange(now, seen.floor));
    return seen;
  });
  return { floor, failed: Boolean(answer.error) && !floor };
}

/** Calls for help, and nobody has answered yet. */
export const needsHelp = (agent: FloorAgent): boolean => Boolean(agent.helpSince) && !agent.helpBy;

export type Order = 'state' | 'name' | 'time';

const RANK: Record<string, number> = {
  offered: 0,
  talking: 1,
  busy: 2,
  wrap_up: 3,
  not_ready: 4,
  ready: 5,
  signed_out: 6,
};

export function inOrder(agents: Iterable<FloorAgent>, order: Order): FloorAgent[] {
  const byName = (a: FloorAgent, b: FloorAgent) => a.displayName.localeCompare(b.displayName);
  return [...agents].sort((a, b) => {
    const help = Number(needsHelp(b)) - Number(needsHelp(a));
    if (help) return help;
    if (order === 'time') return a.since.localeCompare(b.since) || byName(a, b);
    if (order === 'state')
      return (RANK[a.state] ?? 9) - (RANK[b.state] ?? 9) || a.since.localeCompare(b.since) || byName(a, b);
    return byName(a, b);
  });
}

export interface Counts {
  serving: number;
  idle: number;
  notReady: number;
  wrapUp: number;
  closed: number;
}

export function countsOf(agents: Iterable<FloorAgent>): Counts {
  const counts: Counts = { serving: 0, idle: 0, notReady: 0, wrapUp: 0, closed: 0 };
  for (const { state } of agents) {
    if (state === 'talking' || state === 'offered' || state === 'busy') counts.serving += 1;
    else if (state === 'ready') counts.idle += 1;
    else if (state === 'wrap_up') counts.wrapUp += 1;
    else if (state === 'not_ready') counts.notReady += 1;
    else counts.closed += 1;
  }
  return counts;
}

/** Thresholds that were not passed before: they sound and blink once. */
export function useNewAlerts(
  queues: readonly FloorQueue[] | undefined,
  told: (queue: FloorQueue) => void,
): void {
  const known = useRef<ReadonlySet<string> | null>(null);
  useEffect(() => {
    if (!queues) return;
    const now = new Set(queues.flatMap((queue) => queue.alerts.map((alert) => `${queue.name}:${alert}`)));
    if (known.current) {
      for (const queue of queues) {
        if (queue.alerts.some((alert) => !known.current?.has(`${queue.name}:${alert}`))) told(queue);
      }
    }
    known.current = now;
  }, [queues, told]);
}

/** Whoever begins to call for help is told once. */
export function useNewHelp(
  agents: ReadonlyMap<string, FloorAgent> | undefined,
  told: (agent: FloorAgent) => void,
): void {
  const known = useRef<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const calling = [...(agents?.values() ?? [])].filter(needsHelp);
    for (const agent of calling) if (!known.current.has(`${agent.userId}${agent.helpSince}`)) told(agent);
    known.current = new Set(calling.map((agent) => `${agent.userId}${agent.helpSince}`));
  }, [agents, told]);
}

const TALKS = ['held', 'consulting', 'conference', 'transferring'] as const;

/** How a call stands that is more than plain talking: on hold, asking a colleague, three together, being handed over. */
export function talkOf(agent: Pick<FloorAgent, 'state' | 'talk'>): (typeof TALKS)[number] | null {
  if (agent.state !== 'talking') return null;
  return TALKS.find((one) => one === agent.talk) ?? null;
}
