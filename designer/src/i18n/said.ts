/** Words that are handed away, as to a notification, and follow the person's language all the same. */
import { createElement, type ReactNode } from 'react';
import { currentLanguage, type Text, useLanguage } from './index';

function Said({ by }: { by: () => string }): ReactNode {
  useLanguage();
  return by();
}

/** What `by` says, said again whenever the language changes. */
export const said = (by: () => string): ReactNode => createElement(Said, { by });

/** A text of the API in the language of this moment. */
export function textNow(text: Text | null | undefined): string {
  return text ? text[currentLanguage()] || text.en || text.zh : '';
}
