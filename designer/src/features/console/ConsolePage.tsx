/** The agent's day on one page: state, tasks, customer, work on the call, and the call bar that never moves. */
import { Spin } from 'antd';
import { Headset } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useWords } from '@/i18n';
import { EmptyState } from '@/ui';
import { CallBar } from './CallBar';
import { CustomerPane } from './CustomerPane';
import { desk, focusOf, isMuted, standOf, useDesk } from './desk';
import { type Act, actOf } from './keys';
import { StateBar } from './StateBar';
import { TasksPane } from './TasksPane';
import { useCallActions } from './useCallActions';
import { WorkPane } from './WorkPane';
import './console.css';
import { consoleWords } from './words';

export default function ConsolePage() {
  const t = useWords(consoleWords);
  const agent = useDesk((now) => now.agent);
  const calls = useDesk((now) => now.calls);
  const dialled = useDesk((now) => now.dialled);
  if (agent === undefined) return <Spin className="cw-page-spin" />;
  if (agent === null)
    return (
      <>
        <h1 className="cw-hidden">{t('title')}</h1>
        <EmptyState icon={<Headset size={32} aria-hidden />} title={t('notAgent')} help={t('notAgentHelp')} />
      </>
    );
  return <Desk focus={focusOf(agent, calls, dialled)} />;
}

function Desk({ focus }: { focus: ReturnType<typeof focusOf> }) {
  const t = useWords(consoleWords);
  const actions = useCallActions();
  const [dialog, setDialog] = useState<'transfer' | 'consult' | null>(null);
  const [next, setNext] = useState(0);
  const [toggle, setToggle] = useState(0);
  const [armed, setArmed] = useState(false);
  const now = useRef({ focus, armed });
  now.current = { focus, armed };

  const act = useCallback(
    (what: Act) => {
      const { focus: at, armed: sure } = now.current;
      const call = at?.own ?? null;
      switch (what) {
        case 'answer':
          void actions.answer(call);
          break;
        case 'hold':
          if (call && ['talking', 'held'].includes(standOf(call))) void actions.hold(call);
          break;
        case 'mute': {
          if (call) void actions.mute(call, !isMuted(call, desk.getState().line));
          break;
        }
        case 'transfer':
        case 'consult':
          if (call && at?.phase === 'talking') setDialog(what);
          break;
        case 'next':
          setNext((count) => count + 1);
          break;
        case 'ready':
          setToggle((count) => count + 1);
          break;
        case 'hangup':
          if (!call || at?.phase !== 'talking') break;
          if (sure) void actions.leave(call);
          setArmed(!sure);
          break;
      }
    },
    [actions],
  );

  useEffect(() => {
    if (!armed) return;
    const timer = setTimeout(() => setArmed(false), 1500);
    return () => clearTimeout(timer);
  }, [armed]);

  const rings = () =>
    now.current.focus?.phase === 'ringing' ||
    desk.getState().line.calls.some((call) => call.state === 'incoming');

  // biome-ignore lint/correctness/useExhaustiveDependencies: whether it rings is asked when a key is pressed
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const at = event.target as HTMLElement | null;
      const typing = Boolean(
        at?.closest('input, textarea, [contenteditable=true], .ant-select, .ant-picker'),
      );
      if (at?.closest('[role=dialog]')) return;
      const onButton = event.key === 'Enter' && Boolean(at?.closest('button, a, [role=button]'));
      const what = actOf(event, typing || onButton, rings());
      if (!what) return;
      event.preventDefault();
      act(what);
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [act]);

  return (
    <div className="cw-desk">
      <h1 className="cw-hidden">{t('title')}</h1>
      <StateBar toggle={toggle} />
      <div className="cw-desk-panes">
        <TasksPane />
        <CustomerPane focus={focus} />
        <WorkPane focus={focus} next={next} />
      </div>
      <CallBar focus={focus} armed={armed} dialog={dialog} setDialog={setDialog} />
    </div>
  );
}
