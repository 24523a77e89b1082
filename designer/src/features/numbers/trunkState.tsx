/** How a trunk stands, as the wall and the number plan show it. */
import { defineWords, useWords } from '@/i18n';
import { StateTag, type Tone } from '@/ui';

const trunkWords = defineWords('trunk', {
  en: {
    registered: 'registered',
    reachable: 'reachable',
    down: 'no answer',
    rejected: 'account refused',
    unknown: 'not known yet',
    off: 'switched off',
    calls: '{{calls}} / {{limit}} calls',
  },
  zh: {
    registered: '已注册',
    reachable: '可达',
    down: '无响应',
    rejected: '账号被拒',
    unknown: '状态未知',
    off: '已停用',
    calls: '{{calls}} / {{limit}} 路',
  },
});

const TONES = {
  registered: 'good',
  reachable: 'good',
  down: 'bad',
  rejected: 'bad',
  unknown: 'off',
  off: 'off',
} as const satisfies Record<string, Tone>;
type State = keyof typeof TONES;

export function TrunkMark({ state }: { state: string }) {
  const t = useWords(trunkWords);
  const known: State = state in TONES ? (state as State) : 'unknown';
  return <StateTag tone={TONES[known]}>{t(known)}</StateTag>;
}

/** Nothing can be called through it, or nobody comes in by it. */
export const isGone = (trunk: { state: string }): boolean =>
  trunk.state === 'down' || trunk.state === 'rejected';

/** How full a trunk is. */
export function loadOf(trunk: { calls: number; maxCalls: number }): 'free' | 'nearly' | 'full' {
  if (trunk.calls >= trunk.maxCalls) return 'full';
  return trunk.calls >= 0.8 * trunk.maxCalls ? 'nearly' : 'free';
}

/** Calls now of its limit. */
export function TrunkLoad({ trunk }: { trunk: { calls: number; maxCalls: number } }) {
  const t = useWords(trunkWords);
  return (
    <span className="cw-num cw-trunk-load" data-load={loadOf(trunk)}>
      {t('calls', { calls: trunk.calls, limit: trunk.maxCalls })}
    </span>
  );
}
