/** What an agent reads aloud: the script of a queue, with the customer's name in it. */
import { currentLanguage, type Language, say } from '@/i18n';
import { consoleWords } from './words';

const CUSTOMER = '{customer}';

/** The language in which a script is written; a script without any words is in the page's. */
export function languageOf(script: string): Language {
  const words = script.replaceAll(CUSTOMER, '');
  if (/\p{Script=Han}/u.test(words)) return 'zh';
  return /\p{L}/u.test(words) ? 'en' : currentLanguage();
}

/** A script for a customer; one whose name is not known is addressed in the language of the script. */
export function scriptFor(script: string, name: string): string {
  const called = name || say(consoleWords, 'somebody', { lng: languageOf(script) });
  return script.replaceAll(CUSTOMER, () => called);
}
