/** Asks the server what nodes look like with their settings, a moment after they changed. Draws nothing. */
import { useEffect } from 'react';
import { useClient } from 'urql';
import { graphql } from '@/gql';
import { useConnection } from '@/graphql/connection';
import { forgetShapes, learnShapes, told } from './shapes';
import { docOf, useEditor, useEditorStore } from './store';

const QUIET_MS = 120;
const AT_ONCE = 150;

const SHAPES = graphql(`
  query EditorShapes($nodes: [NodeShapeInput!]!) {
    nodeShapes(nodes: $nodes) {
      id
      known
      ports { name title { zh en } required }
      summary { zh en }
    }
  }
`);

export function ShapeTeller() {
  const client = useClient();
  const store = useEditorStore();
  const nodes = useEditor((state) => docOf(state).nodes);
  const { online } = useConnection();
  useEffect(() => forgetShapes, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever a node changed
  useEffect(() => {
    if (!online) return;
    let gone = false;
    const ask = async () => {
      for (;;) {
        const current = docOf(store.getState()).nodes;
        const asked = Object.entries(current)
          .filter(([, spec]) => !told(spec))
          .slice(0, AT_ONCE);
        if (gone || asked.length === 0) return;
        const answer = await client
          .query(
            SHAPES,
            {
              nodes: asked.map(([id, spec]) => ({
                id,
                type: spec.type,
                config: spec.config,
                version: spec.type_version,
              })),
            },
            { requestPolicy: 'network-only' },
          )
          .toPromise();
        const shapes = answer.data?.nodeShapes;
        if (!shapes) return;
        const found = new Map(shapes.map((one) => [one.id, one]));
        learnShapes(
          asked.flatMap(([id, spec]) => {
            const shape = found.get(id);
            return shape
              ? [
                  {
                    id,
                    type: spec.type,
                    config: spec.config,
                    shape: { ports: shape.ports, summary: shape.summary },
                  },
                ]
              : [];
          }),
        );
        if (asked.every(([, spec]) => !told(spec))) return;
      }
    };
    const timer = setTimeout(() => void ask(), QUIET_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [nodes, online, client, store]);
  return null;
}
