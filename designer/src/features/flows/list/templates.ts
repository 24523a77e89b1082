/** Templates that the gallery shows beside the blanks. */
import type { FlowFile } from './model';

export interface Template {
  id: string;
  title: string;
  help: string;
  kind: string;
  document: FlowFile;
}

export function useTemplates(_open: boolean): Template[] {
  return [];
}
