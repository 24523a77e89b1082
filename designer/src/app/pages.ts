/** Every page of the app. A feature adds its own list; the menu, the routes and the palette come from it. */
import type { LucideIcon } from 'lucide-react';
import type { ComponentType, LazyExoticComponent } from 'react';
import type { Text } from '@/i18n';

export type Group = 'work' | 'floor' | 'design' | 'records' | 'setup' | 'system';

export interface Page {
  /** Route pattern, as `/flows` or `/flows/:key`. */
  path: string;
  title: Text;
  component: LazyExoticComponent<ComponentType>;
  /** Who sees it: a permission of the API; none means everybody who is signed in. */
  permission?: string;
  /** Where the menu shows it; a page without a group is reached from others. */
  group?: Group;
  icon?: LucideIcon;
  /** Fills the whole room beside the menu, without padding (the canvas, the console). */
  full?: boolean;
}

export const groups: Group[] = ['work', 'floor', 'design', 'records', 'setup', 'system'];

/** The pages of the menu that a person may see, in its order. */
export function inMenu(pages: readonly Page[], may: (permission: string | undefined) => boolean): Page[] {
  return groups.flatMap((group) => pages.filter((page) => page.group === group && may(page.permission)));
}
