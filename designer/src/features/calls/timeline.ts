/** The path of a call as a timeline: pure functions. */

export interface Step {
  runId: string;
  seq: number;
  flowKey: string;
  nodeId: string;
  nodeType: string;
  nodeName: string;
  attempt: number;
  entered: string;
  left?: string | null;
  port?: string | null;
  outputs: unknown;
  said: string[];
  error?: string | null;
  errorMessage?: string | null;
}

export interface TimedStep extends Step {
  /** Seconds since the beginning of the call or run. */
  offset: number;
  /** Seconds in the node; none while it stands there. */
  seconds: number | null;
  inputs: Record<string, unknown> | null;
  /** The first step of another flow than the one before. */
  newFlow: boolean;
}

export function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

const keyOf = (step: { runId: string; seq: number }) => `${step.runId}:${step.seq}`;

/** Steps by the time they were entered; a step that is told again replaces the one that was known. */
export function mergeSteps(known: readonly Step[], news: readonly Step[]): Step[] {
  const byKey = new Map<string, Step>();
  for (const step of [...known, ...news]) {
    const before = byKey.get(keyOf(step));
    // News may arrive late: a step that was left is never taken back to standing.
    if (before?.left && !step.left) continue;
    byKey.set(keyOf(step), step);
  }
  return [...byKey.values()].sort(
    (one, two) => Date.parse(one.entered) - Date.parse(two.entered) || one.seq - two.seq,
  );
}

export function timed(
  steps: readonly Step[],
  began: string,
  inputs: ReadonlyMap<string, unknown> = new Map(),
): TimedStep[] {
  const zero = Date.parse(began);
  return steps.map((step, index) => ({
    ...step,
    offset: Math.max(0, (Date.parse(step.entered) - zero) / 1000),
    seconds: step.left ? Math.max(0, (Date.parse(step.left) - Date.parse(step.entered)) / 1000) : null,
    inputs: record(inputs.get(keyOf(step))),
    newFlow: index > 0 && steps[index - 1]?.flowKey !== step.flowKey,
  }));
}

export function inputsOf(
  steps: readonly { step: { runId: string; seq: number }; inputs?: unknown }[],
): Map<string, unknown> {
  return new Map(steps.map((one) => [keyOf(one.step), one.inputs]));
}

/** A value in one line, as people read it. */
export function shortValue(value: unknown, longest = 120): string {
  const whole = typeof value === 'string' ? value : JSON.stringify(value);
  if (whole === undefined) return '–';
  return whole.length > longest ? `${whole.slice(0, longest - 1)}…` : whole;
}

/** The beginning of a period of the filter, in the browser's zone. */
export function since(period: string, now: Date = new Date()): string | undefined {
  const days = { today: 0, '7d': 7, '30d': 30 }[period];
  if (days === undefined) return undefined;
  const start = new Date(now);
  start.setHours(0, 0, 0, 0);
  start.setDate(start.getDate() - days);
  return start.toISOString();
}
