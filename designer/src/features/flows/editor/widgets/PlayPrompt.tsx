/** Plays a whole prompt in one language by the real voice, with stand-ins for the values, and shows its words. */
import { useCallback, useState } from 'react';
import { Player } from '@/features/prompts/parts/Player';
import { graphql } from '@/gql';
import { useChange, wordsOf } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { useLanguageNames } from '@/ui/languages';
import { useEditorStore } from '../store';
import type { Part } from './promptParts';
import { sampleValues } from './samples';
import { useScope } from './useScope';
import { widgetWords } from './words';

const RENDER = graphql(`
  mutation PanelRenderPrompt($prompt: JSON!, $language: String!, $values: JSON) {
    renderPrompt(prompt: $prompt, language: $language, values: $values) {
      value { url seconds text }
      errors { ...Refusal }
    }
  }
`);

export function PlayPrompt({ parts, language }: { parts: Part[]; language: string }) {
  const w = useWords(widgetWords);
  const names = useLanguageNames();
  const store = useEditorStore();
  const entries = useScope();
  const [render] = useChange(RENDER);
  const [heard, setHeard] = useState<{ of: Part[]; language: string; text: string; failed: boolean } | null>(
    null,
  );
  const source = useCallback(async () => {
    const values = sampleValues(store.getState().doc, entries, language);
    const answer = await render({ prompt: { parts }, language, values }, { quiet: true });
    const failed = answer.value === null;
    const text = answer.value?.text ?? answer.errors.map(wordsOf).join(' ');
    setHeard({ of: parts, language, text, failed });
    return answer.value?.url ?? null;
  }, [render, parts, language, store, entries]);
  // What was heard belongs to what was written then.
  const current = heard && heard.of === parts && heard.language === language ? heard : null;
  return (
    <>
      <Player compact source={source} label={w('playAll', { language: names(language) })} />
      {current && (
        <p className="cw-heard" role="status" data-failed={current.failed || undefined} lang={language}>
          {current.failed ? w('playFailed', { why: current.text }) : w('playHeard', { text: current.text })}
        </p>
      )}
    </>
  );
}
