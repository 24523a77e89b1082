import { createContext, useContext } from 'react';
import type { Sync } from './sync';

export const SyncContext = createContext<Sync | null>(null);

/** Autosave of the open flow: `flush()` before something that needs the newest draft on the server. */
export function useSync(): Sync {
  const sync = useContext(SyncContext);
  if (!sync) throw new Error('no flow is open here');
  return sync;
}
