import { beforeEach, describe, expect, it } from 'vitest';
import { type Simulated, simulations, walked } from './simulation';

const view = (at: number, more: Partial<Simulated> = {}): Simulated => ({
  id: 'a',
  key: 'demo',
  over: false,
  outcome: '',
  reason: '',
  at,
  standing: '',
  ringing: false,
  variables: {},
  path: [],
  transcript: [],
  ...more,
});

beforeEach(() => simulations.getState().clear());

describe('the simulated call', () => {
  it('never goes back to an older view of itself', () => {
    simulations.getState().take('demo', view(5));
    simulations.getState().take('demo', view(3));
    expect(simulations.getState().call?.at).toBe(5);
  });

  it('stays over once it is over', () => {
    simulations.getState().take('demo', view(5, { over: true }));
    simulations.getState().take('demo', view(6));
    expect(simulations.getState().call?.over).toBe(true);
  });

  it('makes way for the next call', () => {
    simulations.getState().take('demo', view(50));
    simulations.getState().take('demo', view(1, { id: 'b' }));
    expect(simulations.getState().call?.id).toBe('b');
  });
});

describe('walked', () => {
  it('lights up nodes and the ports they were left by', () => {
    expect(walked(['menu.1', 'say'], 'say')).toEqual({
      nodes: { menu: { state: 'passed' }, say: { state: 'running' } },
      edges: { 'menu|1': { state: 'passed' } },
    });
  });
});
