/** The node types of the server, as the editor uses them. */
import { createContext, useContext } from 'react';
import type { Text } from '@/i18n';
import type { Kind } from './model';

export interface PortInfo {
  name: string;
  title: Text;
  required: boolean;
}

export interface NodeTypeInfo {
  type: string;
  version: number;
  family: string;
  icon: string;
  runs: string;
  terminal: boolean;
  kinds: Kind[];
  title: Text;
  help: Text;
  example: Record<string, unknown>;
  ports: PortInfo[];
  /** The definition as the server sent it (JSON Schema of the settings among it). */
  definition: Record<string, unknown>;
}

export interface Catalogue {
  types: ReadonlyMap<string, NodeTypeInfo>;
  /** In the order in which the palette shows them. */
  families: { family: string; types: NodeTypeInfo[] }[];
}

const FAMILIES = ['voice', 'logic', 'queue', 'customer', 'ticket', 'messaging', 'campaign', 'web'];

/** From the answer of `nodeTypes`; what is not as expected falls back to something that can be shown. */
export function readCatalogue(
  answer: readonly { type: string; version: number; family: string; definition: unknown }[],
): Catalogue {
  const types = new Map<string, NodeTypeInfo>();
  for (const one of answer) {
    const definition = (one.definition ?? {}) as Record<string, unknown>;
    const title = (definition.title ?? { zh: one.type, en: one.type }) as Text;
    types.set(one.type, {
      type: one.type,
      version: one.version,
      family: one.family,
      icon: String(definition.icon ?? 'box'),
      runs: String(definition.runs ?? ''),
      terminal: definition.terminal === true,
      kinds: (definition.kinds ?? []) as Kind[],
      title,
      help: (definition.help ?? { zh: '', en: '' }) as Text,
      example: (definition.example ?? {}) as Record<string, unknown>,
      ports: (definition.ports ?? []) as PortInfo[],
      definition,
    });
  }
  const families = [...new Set([...FAMILIES, ...answer.map((one) => one.family)])]
    .map((family) => ({ family, types: [...types.values()].filter((one) => one.family === family) }))
    .filter((one) => one.types.length > 0);
  return { types, families };
}

export const CatalogueContext = createContext<Catalogue>({ types: new Map(), families: [] });

export function useCatalogue(): Catalogue {
  return useContext(CatalogueContext);
}
