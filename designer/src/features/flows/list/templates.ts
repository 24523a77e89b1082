/** Templates that the gallery shows beside the blanks. */
import { useMemo } from 'react';
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import { useText } from '@/i18n';
import { type FlowFile, readFlow } from './model';

const TEMPLATES = graphql(`
  query FlowTemplates {
    flowTemplates { key kind title { zh en } description { zh en } document }
  }
`);

export interface Template {
  id: string;
  title: string;
  help: string;
  kind: string;
  document: FlowFile;
}

export function useTemplates(open: boolean): Template[] {
  const text = useText();
  const [answer] = useQuery({ query: TEMPLATES, pause: !open });
  return useMemo(
    () =>
      (answer.data?.flowTemplates ?? []).flatMap((one) => {
        const read = readFlow(one.document);
        if (!read.ok) return [];
        return [
          {
            id: one.key,
            title: text(one.title),
            help: text(one.description),
            kind: one.kind,
            document: read.document,
          },
        ];
      }),
    [answer.data, text],
  );
}
