import { beforeEach, describe, expect, it } from 'vitest';
import { readDoc } from '../model';
import { beginningAt, type Simulated, simulations, walked } from './simulation';

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

describe('trying a flow from a node', () => {
  const doc = readDoc({
    id: 'demo',
    entry: 'answer',
    nodes: {
      answer: { type: 'voice.answer', config: {} },
      menu: { type: 'voice.menu', config: {} },
      say: { type: 'voice.say', config: {} },
      bye: { type: 'voice.hangup', config: {} },
    },
    edges: [
      { from: 'answer', port: 'next', to: 'menu' },
      { from: 'menu', port: '1', to: 'say' },
      { from: 'say', port: 'next', to: 'menu' },
    ],
    handlers: { hangup: 'bye', error: null },
  });

  it('answers the caller first and leaves out what cannot be reached', () => {
    const begun = beginningAt({ ...doc, edges: doc.edges.slice(0, 2) }, 'say');
    expect(begun.entry).toBe('answer');
    expect(Object.keys(begun.nodes).sort()).toEqual(['answer', 'bye', 'say']);
    expect(begun.edges).toEqual([{ from: 'answer', port: 'next', to: 'say' }]);
  });

  it('begins as drawn at what is the beginning anyway', () => {
    expect(beginningAt(doc, 'answer')).toEqual(doc);
  });

  it('answers only callers', () => {
    expect(beginningAt({ ...doc, kind: 'ticket' }, 'say').entry).toBe('say');
  });
});
