import { describe, expect, it } from 'vitest';
import { endOfDay, inOrder, type Task } from './tasks';

const task = (id: string, dueAt: string, more: Partial<Task> = {}): Task =>
  ({ id, dueAt, priority: 5, overdue: false, ...more }) as Task;

describe('tasks', () => {
  it('come overdue first, then by time and weight', () => {
    const tasks = [
      task('later', '2026-01-05T10:00:00Z'),
      task('late', '2026-01-05T11:00:00Z', { overdue: true }),
      task('heavy', '2026-01-05T09:00:00Z', { priority: 8 }),
      task('light', '2026-01-05T09:00:00Z'),
    ];
    expect(inOrder(tasks).map((one) => one.id)).toEqual(['late', 'heavy', 'light', 'later']);
  });

  it('of today end at midnight', () => {
    expect(endOfDay(new Date(2026, 0, 31, 15))).toEqual(new Date(2026, 1, 1));
    expect(endOfDay(new Date(2026, 0, 31, 15), 1)).toEqual(new Date(2026, 1, 2));
  });
});
