/** Nodes and their ways out by what people call them; a key of a menu and the like stay as they are. */
import { useMemo } from 'react';
import { useQuery } from 'urql';
import { useMay } from '@/app/session';
import { type Text, useText, useWords } from '@/i18n';
import { AT_TIMES } from '../flows/editor/atTimes';
import { type NodeTypeInfo, readCatalogue } from '../flows/editor/catalogue';
import { calledBy } from '../flows/editor/nodeName';
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

/** Who may not see flows sees names as they were recorded. */
function useNodeTypes() {
  const may = useMay('flows.read');
  const [answer] = useQuery({ query: NODE_TYPES, pause: !may });
  return answer.data?.nodeTypes;
}

export function usePortTitle(): (type: string, port: string) => string {
  const text = useText();
  const t = useWords(editorWords);
  const found = useNodeTypes();
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

export interface StepWords {
  /** The node of a step by the name on its card. */
  nameOf(step: { nodeType: string; nodeName: string; nodeId: string }): string;
  /** What a type of nodes is called. */
  titleOf(type: string): string;
}

export function useStepWords(): StepWords {
  const text = useText();
  const found = useNodeTypes();
  return useMemo(() => {
    const types = found && read(found).types;
    return {
      nameOf: (step) => text(calledBy(step.nodeName, types?.get(step.nodeType)?.title, step.nodeId)),
      titleOf: (type) => text(types?.get(type)?.title) || type,
    };
  }, [found, text]);
}
