/** What expressions of the open flow may name. */
import { createContext, useContext } from 'react';
import type { Entry } from './scope';

export const ScopeContext = createContext<readonly Entry[]>([]);

export function useScope(): readonly Entry[] {
  return useContext(ScopeContext);
}
