import { describe, expect, it } from 'vitest';
import { inputsOf, mergeSteps, type Step, shortValue, since, timed } from './timeline';

const step = (seq: number, second: number, more: Partial<Step> = {}): Step => ({
  runId: 'r',
  seq,
  flowKey: 'main',
  nodeId: `n${seq}`,
  nodeType: 'voice.say',
  nodeName: '',
  attempt: 1,
  entered: `2026-11-25T08:00:${String(second).padStart(2, '0')}Z`,
  outputs: {},
  said: [],
  ...more,
});

describe('a path', () => {
  it('is put in order and a step that is told again replaces the first telling', () => {
    const done = step(1, 0, { left: '2026-11-25T08:00:03Z', port: 'next' });
    const merged = mergeSteps([step(1, 0), step(2, 3)], [step(3, 5), done]);
    expect(merged.map((one) => one.seq)).toEqual([1, 2, 3]);
    expect(merged[0]?.port).toBe('next');
  });

  it('never takes a finished step back to standing when an old telling comes late', () => {
    const done = step(1, 0, { left: '2026-11-25T08:00:03Z' });
    expect(mergeSteps([done], [step(1, 0)])[0]?.left).toBe(done.left);
  });

  it('knows when and how long, what a node was given, and where another flow begins', () => {
    const steps = [step(1, 2, { left: '2026-11-25T08:00:05.500Z' }), step(2, 6, { flowKey: 'sub' })];
    const [first, second] = timed(
      steps,
      '2026-11-25T08:00:00Z',
      inputsOf([{ step: { runId: 'r', seq: 1 }, inputs: { prompt: 'hello' } }]),
    );
    expect(first).toMatchObject({ offset: 2, seconds: 3.5, newFlow: false, inputs: { prompt: 'hello' } });
    expect(second).toMatchObject({ offset: 6, seconds: null, newFlow: true, inputs: null });
  });
});

describe('values and periods', () => {
  it('shows a value in one line and cuts a long one', () => {
    expect(shortValue('plain')).toBe('plain');
    expect(shortValue({ a: [1, 2] })).toBe('{"a":[1,2]}');
    expect(shortValue('x'.repeat(200))).toHaveLength(120);
    expect(shortValue(undefined)).toBe('–');
  });

  it('begins a period at midnight of its first day, and knows no others', () => {
    const now = new Date(2026, 10, 25, 15, 30);
    expect(since('today', now)).toBe(new Date(2026, 10, 25).toISOString());
    expect(since('7d', now)).toBe(new Date(2026, 10, 18).toISOString());
    expect(since('', now)).toBeUndefined();
  });
});
