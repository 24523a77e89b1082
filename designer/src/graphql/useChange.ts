/** Changes (mutations) whose refusals are shown to the person: one place for all errors. */
import { App } from 'antd';
import { useCallback, useState } from 'react';
import { type AnyVariables, type CombinedError, type TypedDocumentNode, useClient } from 'urql';
import { graphql } from '@/gql';
import { currentLanguage, say, type Text } from '@/i18n';
import { common } from '@/i18n/common';
import { said } from '@/i18n/said';
import { checkConnection } from './connection';

/** What every mutation asks for when it is refused: `errors { ...Refusal }`. */
graphql(`
  fragment Refusal on UserError { code field node severity message { zh en } remedy { zh en } }
`);

/** Why a change was refused, as every mutation of the API tells it. */
export interface UserError {
  code: string;
  field: string;
  message: Text;
  remedy: Text;
  /** The node of a flow that it is about. */
  node?: string | null;
  severity?: string;
}

export interface Outcome<T> {
  value: T | null;
  errors: UserError[];
}

type Result<D> = D extends { [key: string]: infer R }
  ? R extends { value?: infer V | null; errors: unknown[] }
    ? NonNullable<V>
    : never
  : never;

export function wordsOf(error: Pick<UserError, 'message' | 'remedy'>): string {
  const language = currentLanguage();
  return sentences([error.message[language], error.remedy[language]]);
}

/** What stood in the way; the warnings of a flow are told along with its errors. */
export function errorsAmong(told: readonly UserError[]): UserError[] {
  const errors = told.filter((one) => one.severity !== 'warning');
  return errors.length > 0 ? errors : [...told];
}

/** Sentences one behind the other: each ends, and begins as one does. */
export function sentences(
  texts: readonly (string | undefined)[],
  language: 'zh' | 'en' = currentLanguage(),
): string {
  const stop = language === 'zh' ? '。' : '.';
  const told = texts.filter((text): text is string => Boolean(text));
  return told
    .map((text) => text.charAt(0).toUpperCase() + text.slice(1))
    .map((text) => (told.length > 1 && /[\p{L}\p{N}\p{Pf}"'`)）]$/u.test(text) ? text + stop : text))
    .join(language === 'zh' ? '' : ' ');
}

const NOTHING: Text = { zh: '', en: '' };

const both = (key: 'offline' | 'unknownError'): Text => ({
  zh: say(common, key, { lng: 'zh' }),
  en: say(common, key, { lng: 'en' }),
});

/** A change that failed as a whole, as far as the server says why in both languages. */
function failureOf(error: CombinedError): UserError {
  const first = error.graphQLErrors[0];
  const told = first?.extensions as Partial<UserError> | undefined;
  const words = first?.message ? { zh: first.message, en: first.message } : both('unknownError');
  return {
    code: String(told?.code ?? 'failed'),
    field: '',
    message: told?.message ?? words,
    remedy: told?.remedy ?? NOTHING,
  };
}

/** Why a question was refused, in the person's language as far as the server says it in both. */
export function refusalOf(error: CombinedError): string {
  const first = error.graphQLErrors[0];
  if (error.networkError || !first) return say(common, 'offline');
  const told = first.extensions as Partial<Pick<UserError, 'message' | 'remedy'>>;
  const language = currentLanguage();
  return sentences([told.message?.[language] ?? first.message, told.remedy?.[language]]);
}

/**
 * A function that runs a mutation of one field and gives its value, or null after the errors were shown.
 * With `quiet` nothing is shown and the errors are returned for the caller to show beside the fields.
 */
export function useChange<Data, Variables extends AnyVariables>(
  document: TypedDocumentNode<Data, Variables>,
): [(variables: Variables, options?: { quiet?: boolean }) => Promise<Outcome<Result<Data>>>, boolean] {
  const client = useClient();
  const { notification } = App.useApp();
  const [busy, setBusy] = useState(0);
  const run = useCallback(
    async (variables: Variables, options?: { quiet?: boolean }): Promise<Outcome<Result<Data>>> => {
      setBusy((count) => count + 1);
      try {
        const answer = await client.mutation(document, variables).toPromise();
        const first = answer.data ? Object.values(answer.data)[0] : undefined;
        const errors: UserError[] = (first as { errors?: UserError[] } | undefined)?.errors ?? [];
        if (answer.error) {
          const network = Boolean(answer.error.networkError);
          if (network) checkConnection();
          errors.push(
            network
              ? { code: 'offline', field: '', message: both('offline'), remedy: NOTHING }
              : failureOf(answer.error),
          );
        }
        if (errors.length > 0 && !options?.quiet) {
          notification.error({
            // The same refusal again takes the place of the first.
            key: errors.map((one) => `${one.code} ${one.field} ${one.message.en}`).join('\n'),
            title: said(() => say(common, 'failed')),
            description: said(() => errorsAmong(errors).map(wordsOf).join('\n')),
          });
        }
        const value = (first as { value?: unknown } | undefined)?.value ?? null;
        return { value: value as Result<Data> | null, errors };
      } finally {
        setBusy((count) => count - 1);
      }
    },
    [client, document, notification],
  );
  return [run, busy > 0];
}
