/** Names of nodes in the drawing as it is shown now, or in another document. */
import { useCallback } from 'react';
import { useText } from '@/i18n';
import { useCatalogue } from './catalogue';
import { type Named, nodeName } from './nodeName';
import { docOf, useEditor } from './store';

export function useNodeName(): (id: string, doc?: Named) => string {
  const text = useText();
  const catalogue = useCatalogue();
  const shown = useEditor(docOf);
  return useCallback((id, doc = shown) => text(nodeName(doc, id, catalogue)), [text, catalogue, shown]);
}
