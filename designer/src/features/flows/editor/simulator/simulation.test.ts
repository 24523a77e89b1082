import { beforeEach, describe, expect, it } from 'vitest';
import { readDoc } from '../model';
import { BEEP, beginningAt, readTranscript, type Simulated, simulations, stepOf, walked } from './simulation';

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

describe('the transcript', () => {
  const line = (
    at: number,
    text: string,
    node = 'tell',
    kind = 'heard',
    sound: string | null = `/${at}`,
  ) => ({
    at,
    text,
    node,
    kind,
    sound,
  });

  it('writes one sentence into one line, whatever it is put together of', () => {
    const read = readTranscript([
      line(1, '您的余额是'),
      line(2, '1234.5 CNY'),
      line(3, '，积分是'),
      line(4, '860'),
      line(5, '分。'),
      line(6, '再听一遍请按1。'),
    ]);
    expect(read.map((one) => one.text)).toEqual(['您的余额是1234.5 CNY，积分是860分。', '再听一遍请按1。']);
    expect(read[0]?.sounds).toEqual(['/1', '/2', '/3', '/4', '/5']);
  });

  it('lets a tone stand for itself', () => {
    const read = readTranscript([
      line(1, '请留言'),
      line(2, BEEP, 'tell', 'heard', null),
      line(3, '没有录到。'),
    ]);
    expect(read.map((one) => one.text)).toEqual(['请留言', BEEP, '没有录到。']);
  });

  it('keeps words apart where the language does', () => {
    expect(
      readTranscript([line(1, 'Your balance is'), line(2, '1,234.50'), line(3, 'dollars.')]),
    ).toMatchObject([{ text: 'Your balance is 1,234.50 dollars.' }]);
  });

  it('begins a line with each node, and with what the caller does', () => {
    const read = readTranscript([
      line(1, 'Press one'),
      line(2, '1', 'menu', 'pressed', null),
      line(3, 'You pressed', 'menu'),
      line(4, 'Goodbye', 'bye'),
    ]);
    expect(read.map((one) => one.text)).toEqual(['Press one', '1', 'You pressed', 'Goodbye']);
  });

  it('reads the way out of a step, and what went wrong', () => {
    expect(stepOf('menu → timeout')).toEqual({ port: 'timeout', error: '' });
    expect(stepOf('http → error (refused: no (such) host)')).toEqual({
      port: 'error',
      error: 'refused: no (such) host',
    });
    expect(stepOf('query (failed: gone)')).toEqual({ port: '', error: 'failed: gone' });
    expect(stepOf('menu')).toEqual({ port: '', error: '' });
  });
});
