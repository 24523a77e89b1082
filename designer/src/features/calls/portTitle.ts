/** Ways out of nodes by what people call them; a key of a menu and the like stay as they are. */
import { useMemo } from 'react';
import { useQuery } from 'urql';
import { type Text, useText, useWords } from '@/i18n';
import { AT_TIMES } from '../flows/editor/atTimes';
import { type NodeTypeInfo, readCatalogue } from '../flows/editor/catalogue';
import { NODE_TYPES } from '../flows/editor/opening';
import { editorWords } from '../flows/editor/words';

interface Known {
  from: unknown;
  types: ReadonlyMap<string, NodeTypeInfo>;
  /** Where the type is not known: what most nodes call a way out. */
  common: ReadonlyMap<string, Text>;
}
let known: Known | null = null;

/** Read once, however many steps ask. */
function read(from: Parameters<typeof readCatalogue>[0]): Known {
  if (known?.from === from) return known;
  const { types } = readCatalogue(from);
  const common = new Map<string, Text>();
  for (const type of types.values())
    for (const port of type.ports) if (!common.has(port.name)) common.set(port.name, port.title);
  known = { from, types, common };
  return known;
}

export function usePortTitle(): (type: string, port: string) => string {
  const text = useText();
  const t = useWords(editorWords);
  const [answer] = useQuery({ query: NODE_TYPES });
  const found = answer.data?.nodeTypes;
  return useMemo(() => {
    const nodes = found ? read(found) : null;
    return (type, port) => {
      if (port.startsWith('@')) return t('onKey', { key: port.slice(1) });
      // Titles of an example's own ways ("1 Balance") are not those of this flow.
      if (!nodes || /^\d/.test(port)) return port;
      const named = nodes.types.get(type)?.ports.find((one) => one.name === port);
      return text(named?.title ?? AT_TIMES[port] ?? (type ? undefined : nodes.common.get(port))) || port;
    };
  }, [found, text, t]);
}
