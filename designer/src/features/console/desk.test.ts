import { describe, expect, it } from 'vitest';
import { type Agent, focusOf, isMuted, mainCall, NO_PHONE, type OwnCall, popUrl, standOf } from './desk';

const call = (callId: string, state: string, more: Partial<OwnCall> = {}): OwnCall =>
  ({
    callId,
    legId: `${callId}-leg`,
    role: 'agent',
    state,
    direction: 'in',
    number: '13800000001',
    name: '',
    customerId: null,
    called: '100',
    flowKey: '',
    startedAt: '2026-01-05T02:00:00Z',
    answeredAt: null,
    since: '2026-01-05T02:00:00Z',
    recording: '',
    thirdResult: '',
    parties: [],
    ...more,
  }) as OwnCall;

it('is muted by the browser phone or by the server, so that the same key undoes it', () => {
  const mine = (muted: boolean) => call('a', 'talking', { parties: [{ mine: true, muted }] as never });
  const line = (muted: boolean) => ({
    ...NO_PHONE,
    calls: [{ id: '1', serverId: 'a', state: 'active', muted }] as never,
  });
  expect(isMuted(mine(false), line(true))).toBe(true);
  expect(isMuted(mine(true), NO_PHONE)).toBe(true);
  expect(isMuted(mine(false), line(false))).toBe(false);
});

const agent = (state: string, callId = ''): Agent =>
  ({
    state,
    call: callId ? { callId, caller: '139', customerId: 'c1', queue: 'sales' } : null,
  }) as unknown as Agent;

describe('the call that the screen is about', () => {
  it('is the one that talks, also when another one rings', () => {
    expect(mainCall([call('a', 'talking'), call('b', 'ringing')])?.callId).toBe('a');
    expect(mainCall([call('a', 'ringing'), call('b', 'held')])?.callId).toBe('b');
  });

  it('is known from the offer before the phone rings', () => {
    expect(focusOf(agent('offered', 'a'), [])).toMatchObject({
      callId: 'a',
      phase: 'ringing',
      number: '139',
    });
  });

  it('stays while it is wrapped up', () => {
    expect(focusOf(agent('wrap_up', 'a'), [])).toMatchObject({
      callId: 'a',
      phase: 'wrap_up',
      queue: 'sales',
    });
  });

  it('takes the customer from the offer when the call has none yet', () => {
    expect(focusOf(agent('talking', 'a'), [call('a', 'talking')])).toMatchObject({
      customerId: 'c1',
      queue: 'sales',
    });
  });

  it('does not ring when the person dialled it', () => {
    expect(focusOf(agent('ready'), [call('out-1', 'ringing')], 'out-1')).toMatchObject({ phase: 'talking' });
  });

  it('is none for a supervisor who listens', () => {
    expect(focusOf(agent('ready'), [call('a', 'talking', { role: 'supervisor' })])).toBeNull();
  });
});

describe('how a call stands', () => {
  const party = (role: string, hears: string, up = true) =>
    ({ role, hears, up, number: '', name: '', muted: false, mine: false }) as OwnCall['parties'][number];
  const stand = (state: string, ...parties: OwnCall['parties']) => standOf(call('a', state, { parties }));

  it('is with the customer again while the third party waits', () => {
    expect(stand('consulting', party('customer', 'music'), party('third', 'talk'))).toBe('asking');
    expect(stand('consulting', party('customer', 'music'), party('third', 'nothing', false))).toBe('asking');
    expect(stand('consulting', party('customer', 'talk'), party('third', 'music'))).toBe('waits');
  });

  it('is a plain talk for the agent when it is a supervisor who joined', () => {
    expect(stand('conference', party('customer', 'talk'), party('supervisor', 'talk'))).toBe('talking');
    expect(stand('conference', party('customer', 'music'), party('supervisor', 'talk'))).toBe('held');
    expect(stand('conference', party('customer', 'talk'), party('third', 'talk'))).toBe('together');
  });
});

describe('the company page', () => {
  const values = { caller: '+86 138', called: '100', call: 'x', customer: '', queue: 'a&b' };
  it('gets the parameters of the call', () => {
    expect(popUrl('https://crm.example/?n={caller}&q={queue}', values)).toBe(
      'https://crm.example/?n=%2B86%20138&q=a%26b',
    );
  });
  it('is never a script', () => {
    expect(popUrl('javascript:alert({call})', values)).toBeNull();
  });
});
