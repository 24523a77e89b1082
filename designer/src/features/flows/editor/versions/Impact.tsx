import { Alert } from 'antd';
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import { useWords } from '@/i18n';
import { versionWords } from './words';

const IMPACT = graphql(`
  query FlowImpact($key: String!) {
    flow(key: $key) { id }
    phoneNumbers { id number flowId alias version enabled }
    liveCalls { id flowKey }
  }
`);

/** Whom a moved alias touches: calls that stay where they are, numbers whose next calls are other ones. */
export function Impact({ flowKey, alias }: { flowKey: string; alias: string }) {
  const t = useWords(versionWords);
  const [answer] = useQuery({ query: IMPACT, variables: { key: flowKey }, requestPolicy: 'network-only' });
  if (!answer.data) return null;
  const { flow, liveCalls, phoneNumbers } = answer.data;
  const calls = liveCalls.filter((call) => call.flowKey === flowKey).length;
  const numbers = phoneNumbers
    .filter((one) => one.flowId === flow.id && one.alias === alias && one.version === null && one.enabled)
    .map((one) => one.number);
  return (
    <Alert
      type="info"
      showIcon
      title={calls === 0 ? t('noCalls') : t('callsStay', { count: calls })}
      description={numbers.length > 0 ? t('numbersMove', { numbers: numbers.join(', ') }) : t('noNumbers')}
    />
  );
}
