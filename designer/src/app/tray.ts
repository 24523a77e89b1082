/** Long work that a person may leave and find again: imports, uploads, exports. */
import { createStore, useStore } from 'zustand';

export interface Job {
  id: string;
  title: string;
  /** 0 to 1; null while unknown. */
  progress: number | null;
  state: 'running' | 'done' | 'failed';
  message?: string;
}

interface Tray {
  jobs: Job[];
  put(job: Job): void;
  remove(id: string): void;
}

export const tray = createStore<Tray>()((set) => ({
  jobs: [],
  put: (job) => set((now) => ({ jobs: [job, ...now.jobs.filter((one) => one.id !== job.id)] })),
  remove: (id) => set((now) => ({ jobs: now.jobs.filter((one) => one.id !== id) })),
}));

export function useTray(): Tray {
  return useStore(tray);
}

/** Run long work in the tray. `work` reports its progress from 0 to 1. */
export async function inTray<T>(
  title: string,
  work: (report: (progress: number) => void) => Promise<T>,
): Promise<T> {
  const id = crypto.randomUUID();
  const put = tray.getState().put;
  put({ id, title, progress: null, state: 'running' });
  try {
    const result = await work((progress) => put({ id, title, progress, state: 'running' }));
    put({ id, title, progress: 1, state: 'done' });
    return result;
  } catch (error) {
    put({
      id,
      title,
      progress: null,
      state: 'failed',
      message: error instanceof Error ? error.message : String(error),
    });
    throw error;
  }
}
