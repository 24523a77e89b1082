/** Finding in a flow: names, ids, texts, expressions, any setting. Pure. */
import type { Catalogue } from './catalogue';
import type { FlowDoc } from './model';

export interface Hit {
  node: string;
  /** Where it was found: the path of a setting, or '' for the name. */
  field: string;
  /** The words around it. */
  before: string;
  found: string;
  after: string;
}

const AROUND = 28;

function* texts(value: unknown, path: string): Generator<[string, string]> {
  if (typeof value === 'string') yield [path, value];
  else if (typeof value === 'number') yield [path, String(value)];
  else if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) yield* texts(value[at], path ? `${path}.${at}` : String(at));
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, one] of Object.entries(value)) yield* texts(one, path ? `${path}.${key}` : key);
  }
}

/** One hit at most per node and field, in the order of the nodes. */
export function find(doc: FlowDoc, typed: string, catalogue: Catalogue, most = 200): Hit[] {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return [];
  const hits: Hit[] = [];
  const look = (node: string, field: string, text: string): boolean => {
    const at = text.toLowerCase().indexOf(wanted);
    if (at < 0) return false;
    hits.push({
      node,
      field,
      before: (at > AROUND ? '…' : '') + text.slice(Math.max(0, at - AROUND), at),
      found: text.slice(at, at + wanted.length),
      after: text.slice(at + wanted.length, at + wanted.length + AROUND),
    });
    return true;
  };
  for (const [id, spec] of Object.entries(doc.nodes)) {
    if (hits.length >= most) break;
    const title = catalogue.types.get(spec.type)?.title;
    look(id, '', spec.name ?? '') ||
      look(id, '', id) ||
      look(id, '', `${title?.zh ?? ''} ${title?.en ?? ''}`);
    for (const [field, text] of texts(spec.config, '')) look(id, field, text);
  }
  for (const note of doc.ui.comments ?? []) look(`note:${note.id}`, '', note.text);
  return hits.slice(0, most);
}
