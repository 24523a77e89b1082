/** Who else has this flow open. Being here is being subscribed. */
import { Tooltip } from 'antd';
import { useMemo } from 'react';
import { useSubscription } from 'urql';
import { graphql } from '@/gql';
import { listed, useWords } from '@/i18n';
import { useWhoName } from '@/ui';
import { useEditorStore } from './store';
import { editorWords } from './words';

const HERE = graphql(`
  subscription EditorPresence($key: String!) {
    flowPresence(key: $key) { client userId name since me }
  }
`);

const TONES = ['act', 'good', 'outbound', 'wait'];

export function Presence() {
  const t = useWords(editorWords);
  const whoName = useWhoName();
  const { key } = useEditorStore().getState();
  const [answer] = useSubscription({ query: HERE, variables: { key } });
  const others = useMemo(() => {
    const names = new Map<string, string>();
    for (const one of answer.data?.flowPresence ?? [])
      if (!one.me) names.set(one.userId ?? one.name, whoName(one.name));
    return [...names.values()];
  }, [answer.data, whoName]);
  if (others.length === 0) return null;
  return (
    <span className="cw-ed-presence" role="status" aria-label={t('alsoHere', { names: listed(others) })}>
      {others.slice(0, 4).map((name, index) => (
        <Tooltip key={name} title={t('isHere', { name })}>
          <span className="cw-ed-person" style={{ background: `var(--${TONES[index % TONES.length]})` }}>
            {[...name][0]?.toUpperCase()}
          </span>
        </Tooltip>
      ))}
      {others.length > 4 && <span className="cw-quiet">+{others.length - 4}</span>}
    </span>
  );
}
