/** The language that all prompts of the panel show; it stays while the person goes from node to node. */
import { createStore, useStore } from 'zustand';
import { currentLanguage } from '@/i18n';

const chosen = createStore<{ language: string | null }>()(() => ({ language: null }));

export function usePromptLanguage(languages: readonly string[]): [string, (language: string) => void] {
  const language = useStore(chosen, (now) => now.language);
  const own = currentLanguage();
  const first = languages.includes(own) ? own : (languages[0] ?? own);
  return [language ?? first, setPromptLanguage];
}

function setPromptLanguage(language: string): void {
  chosen.setState({ language });
}
