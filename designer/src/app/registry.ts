/** The pages of all features, in the order of the menu. */
import { calendarPages } from '@/features/calendars/pages';
import { callPages } from '@/features/calls/pages';
import { centrePages } from '@/features/centre/pages';
import { consolePages } from '@/features/console/pages';
import { customerPages } from '@/features/customers/pages';
import { floorPages } from '@/features/floor/pages';
import { flowPages } from '@/features/flows/pages';
import { numberPages } from '@/features/numbers/pages';
import { promptPages } from '@/features/prompts/pages';
import { queuePages } from '@/features/queues/pages';
import { recordingPages } from '@/features/recordings/pages';
import type { Page } from './pages';

export const pages: Page[] = [
  ...consolePages,
  ...customerPages,
  ...floorPages,
  ...queuePages,
  ...flowPages,
  ...calendarPages,
  ...callPages,
  ...numberPages,
  ...promptPages,
  ...centrePages,
  ...recordingPages,
];
