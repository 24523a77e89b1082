import { expect, it } from 'vitest';
import { loadOf } from '../numbers/trunkState';
import { type Line, type LinesChange, type Trunk, withLines } from './liveLines';

const trunk = (name: string, more: Partial<Trunk> = {}): Trunk => ({
  id: name,
  name,
  host: 'sip.example.com',
  state: 'registered',
  since: null,
  registers: true,
  calls: 0,
  maxCalls: 30,
  ...more,
});
const line = (callId: string, caller: string): Line => ({
  callId,
  direction: 'inbound',
  state: 'up',
  caller,
  called: '4001',
  region: null,
  customerName: '',
  agents: [],
  trunks: ['city'],
  flowKey: 'hotline',
  anonymous: false,
  startedAt: '2026-11-22T09:00:00Z',
  answeredAt: null,
});
const change = (more: Partial<LinesChange>): LinesChange => ({
  full: false,
  removedLines: [],
  at: '2026-11-22T09:00:00Z',
  trunks: [trunk('city')],
  lines: [],
  ...more,
});

it('follows calls as they come, change and go, and begins anew with a full message', () => {
  let now = withLines(null, change({ full: true, lines: [line('a', '1'), line('b', '2')] }));
  now = withLines(
    now,
    change({ lines: [line('b', '3')], removedLines: ['a'], trunks: [trunk('city', { calls: 1 })] }),
  );
  expect([...now.lines.values()].map((one) => one.caller)).toEqual(['3']);
  expect(now.trunks[0]?.calls).toBe(1);
  expect(withLines(now, change({ full: true })).lines.size).toBe(0);
});

it('tells how full a trunk is', () => {
  expect(loadOf(trunk('a', { calls: 23 }))).toBe('free');
  expect(loadOf(trunk('a', { calls: 24 }))).toBe('nearly');
  expect(loadOf(trunk('a', { calls: 30 }))).toBe('full');
});
