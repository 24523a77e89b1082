/**
 * Mounted for agents on every page: keeps the agent's state and calls, the browser phone and its ring, and shows a
 * ringing call over whatever page is open without taking the cursor away.
 */
import { App } from 'antd';
import { useCallback, useEffect, useRef, useSyncExternalStore } from 'react';
import { useLocation } from 'react-router';
import { useClient, useQuery, useSubscription } from 'urql';
import { graphql } from '@/gql';
import { say, useWords } from '@/i18n';
import { said } from '@/i18n/said';
import { Phone, type PhoneCall, PhoneError } from '@/phone';
import { groupedPhone } from '@/ui/format';
import { desk, type Focus, focusOf, NO_PHONE, useDesk } from './desk';
import { MiniBar } from './MiniBar';
import { MY_AGENT, MY_AGENT_CHANGES, MY_CALLS, TASK_EVENTS } from './operations';
import { RingCard } from './RingCard';
import { ring } from './ring';
import './console.css';
import { consoleWords } from './words';

const WEB_PHONE = graphql(`
  mutation ConsoleWebPhone {
    webPhone {
      value {
        uri user password wsPath number displayName expiresAt
        iceServers { urls username credential }
      }
      errors { code message { zh en } }
    }
  }
`);

export default function AgentRoot() {
  const t = useWords(consoleWords);
  const { notification } = App.useApp();
  const location = useLocation();
  const [first] = useQuery({ query: MY_AGENT, requestPolicy: 'cache-and-network' });
  const agent = useDesk((now) => now.agent);
  const calls = useDesk((now) => now.calls);
  const line = useDesk((now) => now.line);

  useEffect(() => {
    if (first.data && desk.getState().agent === undefined)
      desk.getState().set({ agent: first.data.myAgent ?? null });
  }, [first.data]);
  const isAgent = Boolean(agent);
  useSubscription({ query: MY_AGENT_CHANGES, pause: !isAgent }, (_, seen) => {
    desk.getState().set({ agent: seen.myAgentChanges });
    return seen;
  });
  useSubscription({ query: MY_CALLS }, (_, seen) => {
    desk.getState().set({ calls: seen.myCalls });
    return seen;
  });
  useSubscription({ query: TASK_EVENTS, pause: !isAgent }, (_, seen) => {
    const event = seen.taskEvents;
    if (event.what === 'due' && event.task) {
      const title = event.task.title || groupedPhone(event.task.number);
      notification.info({
        key: event.taskId,
        title: said(() => say(consoleWords, 'reminder', { title })),
      });
    }
    return seen;
  });

  useBrowserPhone(agent?.phoneKind === 'browser' && agent.state !== 'signed_out');

  const dialled = useDesk((now) => now.dialled);
  const focus = focusOf(agent, calls, dialled);
  // The own phone rings first for a call that one dialled: it is answered at once.
  const asked = line.calls.find((call) => call.state === 'incoming' && call.serverId === dialled)?.id;
  useEffect(() => {
    if (asked)
      void desk
        .getState()
        .phone?.answer(asked)
        .catch(() => {});
  }, [asked]);
  const stranger = line.calls.find((call) => call.state === 'incoming' && call.id !== asked);
  const incoming = Boolean(stranger) || focus?.phase === 'ringing';
  useEffect(() => (incoming ? ring(document.title, t('offered')) : undefined), [incoming, t]);
  useLeaveGuard(Boolean(line.current));

  return (
    <>
      {focus?.phase === 'ringing' ? (
        <RingCard focus={focus} />
      ) : (
        stranger &&
        !line.calls.some((call) => call.state === 'active') && <RingCard focus={ringingAt(stranger)} />
      )}
      {location.pathname !== '/console' && focus && <MiniBar focus={focus} />}
    </>
  );
}

/** A call that rings at the browser phone and that the server does not count as this person's (a colleague calls). */
function ringingAt(call: PhoneCall): Focus {
  return {
    callId: call.serverId ?? call.id,
    phase: 'ringing',
    own: null,
    number: call.number,
    customerId: null,
    queue: '',
  };
}

/** One phone while the agent is signed in; the store mirrors it. */
function useBrowserPhone(wanted: boolean): void {
  const client = useClient();
  const held = useRef<Phone | null>(null);
  const phone = useDesk((now) => now.phone);
  const snapshot = useSyncExternalStore(
    useCallback((changed: () => void) => phone?.subscribe(changed) ?? (() => {}), [phone]),
    () => phone?.snapshot() ?? NO_PHONE,
  );
  useEffect(() => desk.getState().set({ line: snapshot }), [snapshot]);
  useEffect(() => {
    if (!wanted) return;
    const made = new Phone({
      credentials: async () => {
        const answer = await client.mutation(WEB_PHONE, {}).toPromise();
        const given = answer.data?.webPhone;
        if (!given && answer.error?.networkError) throw new PhoneError('connection_lost');
        if (!given?.value) throw new PhoneError('credentials_refused', given?.errors[0]?.message.en);
        return given.value;
      },
      autoAnswer: () => desk.getState().agent?.autoAnswer ?? false,
    });
    held.current = made;
    desk.getState().set({ phone: made });
    void made.start().catch(() => {});
    return () => {
      made.stop();
      held.current = null;
      desk.getState().set({ phone: null, line: NO_PHONE });
    };
  }, [wanted, client]);
}

/** The browser asks before a page with a call in it is closed. The call would be offered on, but nobody wants that. */
function useLeaveGuard(on: boolean): void {
  useEffect(() => {
    if (!on) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [on]);
}
