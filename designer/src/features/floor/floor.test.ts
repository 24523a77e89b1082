import { describe, expect, it } from 'vitest';
import { guestOf } from '../console/guest';
import { countsOf, type FloorAgent, type FloorChange, inOrder, talkOf, withChange } from './floor';

const agent = (userId: string, state: string, since = '2026-01-05T02:00:00Z'): FloorAgent =>
  ({ userId, displayName: userId, state, since, call: null }) as unknown as FloorAgent;

const change = (more: Partial<FloorChange>): FloorChange =>
  ({ full: false, removedAgents: [], at: '', agents: [], queues: [], ...more }) as FloorChange;

describe('the floor', () => {
  it('shows whoever calls for help first, until somebody has answered', () => {
    const calm = agent('a', 'talking', '1');
    const calling = { ...agent('b', 'wrap_up', '2'), helpSince: '3' } as FloorAgent;
    for (const order of ['state', 'name', 'time'] as const) {
      expect(inOrder([calm, calling], order)[0]?.userId).toBe('b');
      expect(inOrder([calm, { ...calling, helpBy: 'boss' }], order)[0]?.userId).toBe('a');
    }
  });
  it('takes what changed and leaves the rest', () => {
    const first = withChange(
      null,
      change({ full: true, agents: [agent('a', 'ready'), agent('b', 'ready')] }),
    );
    const second = withChange(first, change({ agents: [agent('a', 'talking')], removedAgents: ['b'] }));
    expect([...second.agents.values()].map((one) => [one.userId, one.state])).toEqual([['a', 'talking']]);
  });

  it('begins anew with a full message after a lost connection', () => {
    const first = withChange(null, change({ full: true, agents: [agent('gone', 'ready')] }));
    expect([
      ...withChange(first, change({ full: true, agents: [agent('a', 'ready')] })).agents.keys(),
    ]).toEqual(['a']);
  });

  it('tells more of a call than that there is one', () => {
    expect(talkOf({ state: 'talking', talk: 'held' })).toBe('held');
    expect(talkOf({ state: 'talking', talk: 'talking' })).toBeNull();
    // Whoever is asked has a call of their own, and what was left of the last talk tells nothing of wrap-up.
    expect(talkOf({ state: 'busy', talk: 'consulting' })).toBeNull();
    expect(talkOf({ state: 'wrap_up', talk: 'held' })).toBeNull();
  });

  it('tells a call of ones own from a visit to another one', () => {
    expect(guestOf({ state: 'busy', guest: 'listen', hostName: 'Ann' })).toBe('listen');
    expect(guestOf({ state: 'busy', guest: '', hostName: '' })).toBeNull();
    // What was left of the last talk tells nothing of now.
    expect(guestOf({ state: 'wrap_up', guest: 'listen', hostName: 'Ann' })).toBeNull();
  });

  it('is sorted by state, by name or by time', () => {
    const all = [agent('c', 'ready', '3'), agent('a', 'signed_out', '1'), agent('b', 'talking', '2')];
    expect(inOrder(all, 'state').map((one) => one.userId)).toEqual(['b', 'c', 'a']);
    expect(inOrder(all, 'name').map((one) => one.userId)).toEqual(['a', 'b', 'c']);
    expect(inOrder(all, 'time').map((one) => one.userId)).toEqual(['a', 'b', 'c']);
  });

  it('counts who serves, is idle, works after a call, is away', () => {
    expect(
      countsOf(
        ['talking', 'offered', 'ready', 'wrap_up', 'not_ready', 'signed_out'].map((s, i) => agent(`${i}`, s)),
      ),
    ).toEqual({
      serving: 2,
      idle: 1,
      notReady: 1,
      wrapUp: 1,
      closed: 1,
    });
  });
});
