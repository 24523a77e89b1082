/** A real call through the draft, from the browser or to a phone, and its path as it is walked. */
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useClient, useSubscription } from 'urql';
import { createStore, useStore } from 'zustand';
import { graphql } from '@/gql';
import type { TestTrailSubscription } from '@/gql/graphql';
import { errorsAmong, type UserError, useChange } from '@/graphql/useChange';
import { Phone, PhoneError, type PhoneErrorCode, type PhoneSnapshot } from '@/phone';

const WEB_PHONE = graphql(`
  mutation WebPhone {
    webPhone {
      value {
        uri user password wsPath number displayName expiresAt
        iceServers { urls username credential }
      }
      errors { ...Refusal }
    }
  }
`);

const START = graphql(`
  mutation StartTestCall($key: String!, $on: String!, $number: String, $web: Boolean!, $caller: String!) {
    startTestCall(flowKey: $key, on: $on, number: $number, web: $web, caller: $caller) {
      value { id callId dial state }
      errors { ...Refusal }
    }
  }
`);

const LOOK = graphql(`
  query TestCall($id: String!) {
    testCall(id: $id) { id callId state }
  }
`);

const TRAIL = graphql(`
  subscription TestTrail($call: String!) {
    trail(callId: $call) { runId seq flowKey nodeId nodeName nodeType entered left port said error errorMessage }
  }
`);

const END = graphql(`
  mutation EndTestCall($id: String!) {
    hangUp(id: $id) { value { ok } errors { ...Refusal } }
  }
`);

export type TrailStep = TestTrailSubscription['trail'];

interface Trail {
  callId: string | null;
  steps: readonly TrailStep[];
  follow(callId: string | null): void;
  take(step: TrailStep): void;
}

/** The path of the test call under way: the canvas lights it up. */
export const testTrail = createStore<Trail>()((set) => ({
  callId: null,
  steps: [],
  follow: (callId) => set({ callId, steps: [] }),
  take: (step) => set((now) => ({ steps: withStep(now.steps, step) })),
}));

export function useTestTrail<T>(pick: (trail: Trail) => T): T {
  return useStore(testTrail, pick);
}

/** A step comes when it is entered and again when it is left. */
export function withStep(steps: readonly TrailStep[], step: TrailStep): readonly TrailStep[] {
  const others = steps.filter((one) => one.seq !== step.seq || one.runId !== step.runId);
  return [...others, step].sort((a, b) => a.entered.localeCompare(b.entered) || a.seq - b.seq);
}

const OFF: PhoneSnapshot = { state: 'off', number: '', error: null, calls: [], current: null };

export interface TestCall {
  phone: PhoneSnapshot;
  /** The server has begun the call. */
  callId: string | null;
  /** A phone was told to ring and the call goes on there. */
  outside: boolean;
  busy: boolean;
  problem: PhoneErrorCode | null;
  /** Why the server did not begin the call. */
  refused: readonly UserError[];
  startHere(caller: string): Promise<void>;
  startAt(number: string): Promise<void>;
  hangUp(): void;
  press(key: string): void;
  mute(on: boolean): void;
  resumeSound(): void;
}

export function useTestCall(key: string): TestCall {
  const client = useClient();
  const [webPhone] = useChange(WEB_PHONE);
  const [start, starting] = useChange(START);
  const [end] = useChange(END);
  const [phone, setPhone] = useState<Phone | null>(null);
  const [problem, setProblem] = useState<PhoneErrorCode | null>(null);
  const [refused, setRefused] = useState<readonly UserError[]>([]);
  const [outside, setOutside] = useState(false);
  const [connecting, setConnecting] = useState(false);
  const callId = useTestTrail((now) => now.callId);
  const held = useRef<Phone | null>(null);

  const snapshot = useSyncExternalStore(
    useCallback((changed: () => void) => phone?.subscribe(changed) ?? (() => {}), [phone]),
    () => phone?.snapshot() ?? OFF,
  );

  useSubscription({ query: TRAIL, variables: { call: callId ?? '' }, pause: !callId }, (_, seen) => {
    testTrail.getState().take(seen.trail);
    return seen;
  });

  useEffect(
    () => () => {
      held.current?.stop();
      testTrail.getState().follow(null);
    },
    [],
  );

  const failed = (error: unknown) => setProblem(error instanceof PhoneError ? error.code : 'failed');

  const ready = async (): Promise<Phone> => {
    if (phone && phone.snapshot().state === 'ready') return phone;
    held.current?.stop();
    const made = new Phone({
      credentials: async () => {
        const answer = await webPhone({}, { quiet: true });
        if (!answer.value) throw new PhoneError('credentials_refused', answer.errors[0]?.message.en);
        return answer.value;
      },
    });
    held.current = made;
    setPhone(made);
    await made.start();
    return made;
  };

  return {
    phone: snapshot,
    callId,
    outside,
    busy: starting || connecting,
    problem: problem ?? snapshot.error?.code ?? snapshot.calls.at(-1)?.error?.code ?? null,
    refused,
    async startHere(caller) {
      setProblem(null);
      setRefused([]);
      setOutside(false);
      setConnecting(true);
      testTrail.getState().follow(null);
      try {
        const ours = await ready();
        const answer = await start({ key, on: 'draft', number: null, web: true, caller }, { quiet: true });
        setRefused(errorsAmong(answer.errors));
        if (!answer.value?.dial) return;
        const { id, dial } = answer.value;
        await ours.call(dial);
        // The server knows the call once the browser's INVITE has arrived.
        for (let tries = 0; tries < 40; tries += 1) {
          const seen = await client.query(LOOK, { id }, { requestPolicy: 'network-only' }).toPromise();
          const found = seen.data?.testCall.callId;
          if (found) {
            testTrail.getState().follow(found);
            return;
          }
          await new Promise((done) => setTimeout(done, 250));
        }
      } catch (error) {
        failed(error);
      } finally {
        setConnecting(false);
      }
    },
    async startAt(number) {
      setProblem(null);
      setRefused([]);
      setOutside(true);
      testTrail.getState().follow(null);
      const answer = await start({ key, on: 'draft', number, web: false, caller: '' }, { quiet: true });
      setRefused(errorsAmong(answer.errors));
      if (answer.value?.callId) testTrail.getState().follow(answer.value.callId);
      else setOutside(false);
    },
    hangUp() {
      if (outside) {
        if (callId) void end({ id: callId });
        setOutside(false);
      } else {
        phone?.hangUp();
      }
    },
    press: (digit) => phone?.sendKeys(digit),
    mute: (on) => phone?.mute(on),
    resumeSound: () => void phone?.resumeSound().catch(failed),
  };
}
