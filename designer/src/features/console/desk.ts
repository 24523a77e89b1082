/**
 * What an agent's screen knows: the own state, the own calls, the browser phone. One store for the whole app, filled by
 * `AgentRoot`, so that a call follows the person from page to page.
 */
import { createStore, useStore } from 'zustand';
import type { AgentPartsFragment, OwnCallPartsFragment } from '@/gql/graphql';
import type { Phone, PhoneCall, PhoneSnapshot } from '@/phone';

export type Agent = AgentPartsFragment;
export type OwnCall = OwnCallPartsFragment;

export const NO_PHONE: PhoneSnapshot = { state: 'off', number: '', error: null, calls: [], current: null };

/** Reasons that the machine gives itself. */
const OWN_REASONS = ['missed', 'lost'] as const;
export const isOwnReason = (key: string): key is (typeof OWN_REASONS)[number] =>
  (OWN_REASONS as readonly string[]).includes(key);

interface Desk {
  /** Undefined until the server has told. */
  agent: Agent | null | undefined;
  calls: readonly OwnCall[];
  phone: Phone | null;
  line: PhoneSnapshot;
  /** The customer that is open without a call (a task, a search). */
  customerId: string | null;
  /** The call that this person had the server dial: it begins with the own phone, which answers by itself. */
  dialled: string | null;
  /** The task that is worked on. */
  taskId: string | null;
  set(part: Partial<Omit<Desk, 'set'>>): void;
}

export const desk = createStore<Desk>()((set) => ({
  agent: undefined,
  calls: [],
  phone: null,
  line: NO_PHONE,
  customerId: null,
  taskId: null,
  dialled: null,
  set: (part) => set(part),
}));

export function useDesk<T>(pick: (now: Desk) => T): T {
  return useStore(desk, pick);
}

/** What the screen is about: the call that rings or talks, else the one that is wrapped up. */
export interface Focus {
  callId: string;
  phase: 'ringing' | 'talking' | 'wrap_up';
  own: OwnCall | null;
  number: string;
  customerId: string | null;
  queue: string;
}

const LIVE: Record<string, number> = {
  talking: 3,
  held: 3,
  consulting: 3,
  conference: 3,
  transferring: 2,
  connecting: 2,
};

/** The call that counts most: one that talks before one that rings, the newest of equals. */
export function mainCall(calls: readonly OwnCall[]): OwnCall | null {
  let best: OwnCall | null = null;
  for (const call of calls) {
    if (!best || (LIVE[call.state] ?? 1) >= (LIVE[best.state] ?? 1)) best = call;
  }
  return best;
}

export function focusOf(
  agent: Agent | null | undefined,
  calls: readonly OwnCall[],
  dialled: string | null = null,
): Focus | null {
  const call = mainCall(calls.filter((one) => one.role !== 'supervisor'));
  const offered = agent?.call ?? null;
  if (call) {
    const same = offered?.callId === call.callId ? offered : null;
    return {
      callId: call.callId,
      phase: call.state === 'ringing' && call.callId !== dialled ? 'ringing' : 'talking',
      own: call,
      number: call.number || same?.caller || '',
      customerId: call.customerId ?? same?.customerId ?? null,
      queue: same?.queue ?? '',
    };
  }
  if (offered && agent && ['offered', 'talking', 'wrap_up'].includes(agent.state)) {
    return {
      callId: offered.callId,
      phase: agent.state === 'offered' ? 'ringing' : agent.state === 'talking' ? 'talking' : 'wrap_up',
      own: null,
      number: offered.caller,
      customerId: offered.customerId ?? null,
      queue: offered.queue,
    };
  }
  return null;
}

/**
 * How a call stands for who is in it: talking, held, asking somebody while the customer hears music, with the customer
 * while that one waits, all together. A supervisor who joins makes a conference of it, but nobody is being asked then.
 */
export type Stand = 'talking' | 'held' | 'asking' | 'waits' | 'together' | 'other';

export function standOf(call: OwnCall): Stand {
  const third = call.parties.find((party) => party.role === 'third');
  const customer = call.parties.find((party) => party.role === 'customer');
  switch (call.state) {
    case 'talking':
    case 'held':
      return call.state;
    case 'consulting':
      return third?.hears === 'music' ? 'waits' : 'asking';
    case 'conference':
      return third ? 'together' : customer?.hears === 'music' ? 'held' : 'talking';
    default:
      return 'other';
  }
}

/** The browser phone's side of a call of the server. */
export function lineOf(line: PhoneSnapshot, callId: string | undefined): PhoneCall | null {
  const live = line.calls.filter((call) => call.state !== 'ended');
  return live.find((call) => call.serverId === callId) ?? (live.length === 1 ? live[0]! : null);
}

/** Whether nobody hears this person: muted at the browser phone, or by the server. */
export function isMuted(call: OwnCall, line: PhoneSnapshot): boolean {
  const mine = call.parties.find((party) => party.mine);
  return lineOf(line, call.callId)?.muted || mine?.muted || false;
}

/** Words that an agent has typed about a call, kept in this browser until they are saved: no ring takes them away. */
const keptAs = (callId: string): string => `callweave.notes.${callId}`;

export interface Draft {
  note: string;
  dispositionId: string | null;
  nextContactAt: string | null;
  nextContactNote: string;
}

export const NO_DRAFT: Draft = { note: '', dispositionId: null, nextContactAt: null, nextContactNote: '' };

export function draftOf(callId: string): Draft {
  try {
    return { ...NO_DRAFT, ...(JSON.parse(sessionStorage.getItem(keptAs(callId)) ?? '{}') as Partial<Draft>) };
  } catch {
    return NO_DRAFT;
  }
}

export function keepDraft(callId: string, draft: Draft | null): void {
  if (draft) sessionStorage.setItem(keptAs(callId), JSON.stringify(draft));
  else sessionStorage.removeItem(keptAs(callId));
}

/** A company page by its template: `{caller} {called} {call} {customer} {queue}`, each as part of an address. */
export function popUrl(
  template: string,
  values: Record<'caller' | 'called' | 'call' | 'customer' | 'queue', string>,
): string | null {
  const url = template.replace(/\{(caller|called|call|customer|queue)\}/g, (_, name: keyof typeof values) =>
    encodeURIComponent(values[name]),
  );
  return /^https?:\/\//i.test(url) ? url : null;
}
