/** The pages of all features, in the order of the menu. */
import { auditPages } from '@/features/audit/pages';
import { calendarPages } from '@/features/calendars/pages';
import { callPages } from '@/features/calls/pages';
import { centrePages } from '@/features/centre/pages';
import { consolePages } from '@/features/console/pages';
import { customerPages } from '@/features/customers/pages';
import { datasourcePages } from '@/features/datasources/pages';
import { floorPages } from '@/features/floor/pages';
import { flowPages } from '@/features/flows/pages';
import { identityPages } from '@/features/identity/pages';
import { listPages } from '@/features/lists/pages';
import { numberPages } from '@/features/numbers/pages';
import { promptPages } from '@/features/prompts/pages';
import { queuePages } from '@/features/queues/pages';
import { recordingPages } from '@/features/recordings/pages';
import { referencePages } from '@/features/reference/pages';
import { systemPages } from '@/features/system/pages';
import type { Page } from './pages';

export const pages: Page[] = [
  ...consolePages,
  ...customerPages,
  ...floorPages,
  ...queuePages,
  ...flowPages,
  ...promptPages,
  ...referencePages,
  ...callPages,
  ...numberPages,
  ...calendarPages,
  ...listPages,
  ...datasourcePages,
  ...centrePages,
  ...recordingPages,
  ...identityPages,
  ...auditPages,
  ...systemPages,
];
