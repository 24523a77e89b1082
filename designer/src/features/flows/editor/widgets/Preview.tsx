/** Below an expression or template: what is wrong as it is typed, and what it gave in the last run. */
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import { sentences } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { Time } from '@/ui';
import { useCalm } from '../panel/live';
import { useEditor } from '../store';
import { useForm } from './form';
import { isEmpty, isPreviewed, lastValue, type Mode } from './preview';
import { widgetWords } from './words';

const CHECK = graphql(`
  query WidgetCheckExpression($key: String!, $text: String!, $template: Boolean!) {
    checkExpression(key: $key, text: $text, template: $template) { code message { zh en } start end }
  }
`);

const PREVIEW = graphql(`
  query WidgetPreviewExpression($key: String!, $node: String!, $text: String!, $template: Boolean!) {
    previewExpression(key: $key, node: $node, text: $text, template: $template) {
      runId at value text problem { zh en }
    }
  }
`);

export function Preview({
  source,
  mode,
  secret,
  known,
}: {
  source: string;
  mode: Mode;
  secret: boolean;
  /** What is wrong with it is shown already. */
  known: boolean;
}) {
  const t = useText();
  const w = useWords(widgetWords);
  const { node } = useForm();
  const key = useEditor((state) => state.key);
  const template = mode === 'template';
  const text = useCalm(source, 350);
  const empty = isEmpty(text, mode);
  const [checked] = useQuery({ query: CHECK, variables: { key, text, template }, pause: empty });
  const fault = empty ? undefined : checked.data?.checkExpression[0];
  // A variable that was made a moment ago is not in the saved draft yet: that is for the check of the whole flow.
  const own = fault?.code.startsWith('expression_') ? fault : undefined;
  const [seen] = useQuery({
    query: PREVIEW,
    variables: { key, node, text, template },
    pause: !isPreviewed(text, mode, secret) || fault !== undefined || checked.fetching,
    requestPolicy: 'cache-and-network',
  });
  // Until the answer about this text is there, the one before it is none of it.
  const preview = seen.operation?.variables.text === text ? seen.data?.previewExpression : undefined;
  if (empty || text !== source) return null;
  if (own && !known)
    return (
      <ul className="cw-troubles">
        <li data-severity="error">{sentences([t(own.message)])}</li>
      </ul>
    );
  if (!preview || fault || !isPreviewed(text, mode, secret)) return null;
  return (
    <p className="cw-preview">
      {w('lastValue', { value: lastValue(preview, mode, t) })} · <Time at={preview.at} />
    </p>
  );
}
