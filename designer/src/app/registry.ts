/** The pages of all features, in the order of the menu. */
import { callPages } from '@/features/calls/pages';
import { flowPages } from '@/features/flows/pages';
import { numberPages } from '@/features/numbers/pages';
import type { Page } from './pages';

export const pages: Page[] = [...flowPages, ...callPages, ...numberPages];
