import { Alert } from 'antd';
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import { useWords } from '@/i18n';
import { groupedPhone } from '@/ui';
import { versionWords } from './words';

const IMPACT = graphql(`
  query FlowImpact($key: String!, $alias: String!) {
    aliasImpact(key: $key, alias: $alias) {
      version
      calls { version count }
      runs { version count }
      numbers { number }
      flows
    }
  }
`);

/** Whom a moved alias touches: calls that stay where they are, numbers and flows whose next runs are other ones. */
export function Impact({ flowKey, alias }: { flowKey: string; alias: string }) {
  const t = useWords(versionWords);
  const [answer] = useQuery({
    query: IMPACT,
    variables: { key: flowKey, alias },
    requestPolicy: 'network-only',
  });
  if (!answer.data) return null;
  const { calls, flows, numbers, runs } = answer.data.aliasImpact;
  const talking = calls.reduce((sum, one) => sum + one.count, 0);
  const versions = calls.map((one) => one.version).join(', ');
  return (
    <Alert
      type="info"
      showIcon
      title={talking === 0 ? t('noCalls') : t('callsStay', { count: talking, versions })}
      description={
        <>
          {runs.length > 0 && (
            <div>{t('runsStay', { count: runs.reduce((sum, one) => sum + one.count, 0) })}</div>
          )}
          <div>
            {numbers.length > 0
              ? t('numbersMove', { numbers: numbers.map((one) => groupedPhone(one.number)).join(', ') })
              : t('noNumbers')}
          </div>
          {flows.length > 0 && <div>{t('flowsMove', { flows: flows.join(', ') })}</div>}
        </>
      }
    />
  );
}
