/** What the command palette finds besides pages. A feature adds its searcher here. */
import type { LucideIcon } from 'lucide-react';
import { customerSearcher } from '@/features/customers/searcher';
import { flowSearcher } from '@/features/flows/searcher';
import type { Text } from '@/i18n';
import { setupSearchers } from './setupSearcher';

export interface Found {
  id: string;
  label: string;
  kind: Text;
  to: string;
  icon: LucideIcon;
}

export interface Searcher {
  permission?: string;
  /** What matches the typed words; all or the newest few when nothing is typed. */
  search(typed: string): Promise<Found[]>;
}

export const searchers: Searcher[] = [flowSearcher, customerSearcher, ...setupSearchers];
