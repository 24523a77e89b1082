import { describe, expect, it } from 'vitest';
import { type TrailStep, withStep } from './testcall';

const step = (seq: number, more: Partial<TrailStep> = {}): TrailStep => ({
  runId: 'r',
  seq,
  flowKey: 'demo',
  nodeId: `n${seq}`,
  nodeName: '',
  nodeType: 'voice.say',
  entered: `2026-01-05T02:00:0${seq}Z`,
  left: null,
  port: null,
  said: [],
  error: null,
  errorMessage: null,
  ...more,
});

describe('the path of a call', () => {
  it('has each step once, with what came of it', () => {
    const steps = [step(1), step(2), step(1, { port: 'next' })].reduce(withStep, [] as readonly TrailStep[]);
    expect(steps.map((one) => [one.seq, one.port])).toEqual([
      [1, 'next'],
      [2, null],
    ]);
  });
});
