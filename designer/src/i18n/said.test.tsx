import { act, render } from '@testing-library/react';
import { expect, it } from 'vitest';
import { defineWords, say, setLanguage } from './index';
import { said, textNow } from './said';

const words = defineWords('said-test', { en: { full: '{{who}} is full' }, zh: { full: '{{who}} 已满' } });

it('says what was handed away in the language of now', async () => {
  setLanguage('en');
  const label = { zh: '售后', en: 'Support' };
  const shown = render(<p>{said(() => say(words, 'full', { who: textNow(label) }))}</p>);
  expect(shown.container.textContent).toBe('Support is full');
  await act(async () => setLanguage('zh'));
  expect(shown.container.textContent).toBe('售后 已满');
});
