/** The language of the app: Chinese or English, chosen by the person, kept in the browser. */
import i18next from 'i18next';
import { useMemo } from 'react';
import { initReactI18next, useTranslation } from 'react-i18next';

export type Language = 'zh' | 'en';

/** One text in both languages, as the API sends them. */
export interface Text {
  zh: string;
  en: string;
}

const KEPT = 'callweave.language';

function first(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept === 'zh' || kept === 'en') return kept;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

void i18next.use(initReactI18next).init({
  lng: first(),
  fallbackLng: 'en',
  interpolation: { escapeValue: false },
  resources: {},
  react: { useSuspense: false },
});
document.documentElement.lang = i18next.language === 'zh' ? 'zh-CN' : 'en';

export function setLanguage(language: Language): void {
  localStorage.setItem(KEPT, language);
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  void i18next.changeLanguage(language);
}

export function currentLanguage(): Language {
  return i18next.language === 'zh' ? 'zh' : 'en';
}

/** The words of one feature: every key in both languages, checked by the compiler. */
export interface Words<K extends string> {
  namespace: string;
  keys: K[];
}

/**
 * Declare the words of a feature. Both languages hold the same keys; `{{name}}` inserts a value.
 * For plural forms in English write `key_one` and `key_other` in both languages and ask for `key` with `count`.
 */
export function defineWords<const E extends Record<string, string>>(
  namespace: string,
  words: { en: E; zh: { [K in keyof E]: string } },
): Words<Plain<keyof E & string>> {
  i18next.addResourceBundle('en', namespace, words.en, true, true);
  // Chinese has one form of the plural: i18next asks for `_other`.
  i18next.addResourceBundle('zh', namespace, words.zh, true, true);
  return { namespace, keys: Object.keys(words.en) as Plain<keyof E & string>[] };
}

type Plain<K extends string> = K extends `${infer B}_one` | `${infer B}_other` ? B : K;

export type Translate<K extends string> = (key: K, values?: Record<string, string | number>) => string;

/** A function that gives a feature's words in the person's language. */
export function useWords<K extends string>(words: Words<K>): Translate<K> {
  const { t } = useTranslation(words.namespace);
  return useMemo(() => (key, values) => t(key as never, values as never) as unknown as string, [t]);
}

/** Words outside of components (notifications, pure functions). */
export function say<K extends string>(
  words: Words<K>,
  key: K,
  values?: Record<string, string | number>,
): string {
  return i18next.t(key as never, { ns: words.namespace, ...values } as never) as unknown as string;
}

/** Picks the person's language from a text that the API sends in both. */
export function useText(): (text: Text | null | undefined) => string {
  const { i18n } = useTranslation();
  const language: Language = i18n.language === 'zh' ? 'zh' : 'en';
  return useMemo(() => (text) => (text ? text[language] || text.en || text.zh : ''), [language]);
}

export function useLanguage(): Language {
  const { i18n } = useTranslation();
  return i18n.language === 'zh' ? 'zh' : 'en';
}

/** Names one behind the other, as the person's language writes a list. */
export function listed(names: readonly string[]): string {
  return names.join(currentLanguage() === 'zh' ? '、' : ', ');
}

/** A name with a remark in the brackets of the person's language. */
export function remarked(name: string, remark: string): string {
  return currentLanguage() === 'zh' ? `${name}（${remark}）` : `${name} (${remark})`;
}

/** A label before what it names, with the colon of the person's language. */
export function labelled(label: string, value = ''): string {
  return `${label}${currentLanguage() === 'zh' ? '：' : ': '}${value}`;
}
