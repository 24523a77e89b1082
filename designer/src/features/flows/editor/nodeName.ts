/** What people call a node, the same everywhere: on its card, in lists, paths, messages and histories. */
import type { Text } from '@/i18n';
import type { Catalogue } from './catalogue';

/** Nodes by id, of a document or of something like one. */
export interface Named {
  nodes: Readonly<Record<string, { type: string; name?: string } | undefined>>;
}

/** Its own name; without one, or with one that only repeats the title of its type, that title in both languages. */
export function calledBy(name: string | undefined, title: Text | undefined, id: string): Text {
  if (name && name !== title?.zh && name !== title?.en) return { zh: name, en: name };
  return title ?? { zh: name || id, en: name || id };
}

export function nodeName(doc: Named, id: string, catalogue: Catalogue): Text {
  const spec = doc.nodes[id];
  return calledBy(spec?.name, spec && catalogue.types.get(spec.type)?.title, id);
}
