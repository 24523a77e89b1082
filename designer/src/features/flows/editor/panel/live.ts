/** What the server says about the selected node while it is changed: names for expressions, results, ways out. */
import { useEffect, useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import type { Text } from '@/i18n';
import { useCatalogue } from '../catalogue';
import type { NodeSpec } from '../model';
import { calledBy } from '../nodeName';
import { docOf, useEditor } from '../store';
import { type Entry, type Group, localScope, type OutputInfo, readOutputs } from '../widgets/scope';

const SCOPE = graphql(`
  query PanelScope($key: String!, $node: String!) {
    expressionScope(key: $key, node: $node) {
      names { path kind type title { zh en } secret }
    }
  }
`);

const SHAPE = graphql(`
  query PanelShape($nodes: [NodeShapeInput!]!) {
    nodeShapes(nodes: $nodes) {
      id
      known
      outputs { name type title { zh en } secret }
    }
  }
`);

const GROUPS: Record<string, Group> = {
  variable: 'variables',
  input: 'variables',
  output: 'variables',
  call: 'caller',
  customer: 'customer',
  node: 'outputs',
  time: 'other',
};

/** Everything expressions at a node may name: at once from the document, exactly once the server has the draft. */
export function useLiveScope(node: string): Entry[] {
  const key = useEditor((state) => state.key);
  const revision = useEditor((state) => state.revision);
  const doc = useEditor(docOf);
  const catalogue = useCatalogue();
  const [answer, ask] = useQuery({
    query: SCOPE,
    variables: { key, node },
    requestPolicy: 'cache-and-network',
  });
  useEffect(() => {
    if (revision > 0) ask({ requestPolicy: 'network-only' });
  }, [revision, ask]);
  const told = answer.data?.expressionScope.names;
  return useMemo(() => {
    const nameOf = (spec: NodeSpec, id: string): Text =>
      calledBy(spec.name, catalogue.types.get(spec.type)?.title, id);
    const local = localScope(
      doc,
      (spec) => readOutputs(catalogue.types.get(spec.type)?.definition.outputs),
      nameOf,
    );
    if (!told) return local.filter((one) => !one.path.startsWith(`nodes.${node}.`));
    const exact: Entry[] = told.map((one) => ({
      path: one.path,
      type: one.type,
      title: one.title,
      group: GROUPS[one.kind] ?? 'other',
      secret: one.secret,
    }));
    const known = new Set(exact.map((one) => one.path));
    // A variable that was made a moment ago is not on the server yet.
    return [...exact, ...local.filter((one) => one.group === 'variables' && !known.has(one.path))];
  }, [doc, catalogue, told, node]);
}

/** A value that follows another one after a pause. */
export function useCalm<T>(value: T, milliseconds: number): T {
  const [calm, setCalm] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setCalm(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return calm;
}

/** The results that a node leaves with its settings as they are. */
export function useNodeShape(id: string): OutputInfo[] {
  const spec = useEditor((state) => docOf(state).nodes[id]);
  const catalogue = useCatalogue();
  const calm = useCalm(spec, 400);
  const [answer] = useQuery({
    query: SHAPE,
    variables: {
      nodes: calm ? [{ id, type: calm.type, version: calm.type_version ?? 1, config: calm.config }] : [],
    },
    pause: !calm,
  });
  const shape = answer.data?.nodeShapes[0];
  if (shape?.known) return shape.outputs;
  return readOutputs(spec ? catalogue.types.get(spec.type)?.definition.outputs : []);
}
