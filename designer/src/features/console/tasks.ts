/** Today's tasks and counters, live. */
import { useEffect, useMemo, useState } from 'react';
import { useSubscription } from 'urql';
import type { MyTasksQuery, TaskPartsFragment } from '@/gql/graphql';
import { useTick } from '@/ui';
import { type Pages, usePages } from '@/ui/paging';
import { MY_TASKS, TASK_EVENTS } from './operations';

export type Task = TaskPartsFragment;

const DAY = 24 * 3600 * 1000;

/** The end of a day, so many days from today, in the browser's zone. */
export function endOfDay(now: Date, days = 0): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days + 1);
}

/** What is overdue first, then by time; of one time the weightier first. */
export function inOrder(tasks: readonly Task[]): Task[] {
  return [...tasks].sort(
    (a, b) =>
      Number(b.overdue) - Number(a.overdue) || a.dueAt.localeCompare(b.dueAt) || b.priority - a.priority,
  );
}

export function useTasks(): {
  board: MyTasksQuery['taskBoard'] | null;
  tasks: Task[];
  tomorrow: Task[];
  /** All of them: those that are not read yet are asked for. */
  pages: Pages<MyTasksQuery, Task>;
  again(): void;
} {
  const [day, setDay] = useState(() => endOfDay(new Date()).toISOString());
  // The business has its own midnight: what is asked for reaches past it in any zone.
  const until = useMemo(() => endOfDay(new Date(Date.parse(day) - 1), 2).toISOString(), [day]);
  const pages = usePages(MY_TASKS, { until }, (data) => data.tasks);
  useSubscription({ query: TASK_EVENTS }, (_, event) => {
    pages.reload();
    return event;
  });
  // A console that stays open overnight goes on with the new day.
  useTick(60_000);
  useEffect(() => {
    const now = endOfDay(new Date()).toISOString();
    if (now !== day) setDay(now);
  });
  const all = pages.rows ?? [];
  const midnight = Date.parse(pages.data?.taskBoard.ends ?? day);
  const isToday = (task: Task) => Date.parse(task.dueAt) < midnight;
  const isTomorrow = (task: Task) => !isToday(task) && Date.parse(task.dueAt) < midnight + DAY;
  return {
    board: pages.data?.taskBoard ?? null,
    tasks: inOrder(all.filter(isToday)),
    tomorrow: inOrder(all.filter(isTomorrow)),
    pages,
    again: pages.reload,
  };
}
