/** Ways out of nodes by what people call them, in the drawing as it is shown now. */
import { useText } from '@/i18n';
import { useCatalogue } from './catalogue';
import { fullShape } from './derive';
import { docOf, useEditor } from './store';

export function usePortName(): (node: string, port: string) => string {
  const text = useText();
  const catalogue = useCatalogue();
  const doc = useEditor(docOf);
  return (node, port) => {
    const found = doc.nodes[node] && fullShape(doc, node, catalogue).ports.find((one) => one.name === port);
    return found ? text(found.title) : port;
  };
}
