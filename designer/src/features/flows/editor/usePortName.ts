/** Ways out of nodes by what people call them, in the drawing as it is shown now. */
import { useText, useWords } from '@/i18n';
import { AT_TIMES } from './atTimes';
import { useCatalogue } from './catalogue';
import { fullShape } from './derive';
import { docOf, useEditor } from './store';
import { editorWords } from './words';

export function usePortName(): (node: string, port: string) => string {
  const text = useText();
  const t = useWords(editorWords);
  const catalogue = useCatalogue();
  const doc = useEditor(docOf);
  return (node, port) => {
    if (port.startsWith('@')) return t('onKey', { key: port.slice(1) });
    const found = doc.nodes[node] && fullShape(doc, node, catalogue).ports.find((one) => one.name === port);
    return text(found?.title ?? AT_TIMES[port]) || port;
  };
}
