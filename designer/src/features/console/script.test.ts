import { afterAll, expect, it } from 'vitest';
import { setLanguage } from '@/i18n';
import { scriptFor } from './script';

afterAll(() => setLanguage('en'));

it('addresses whoever is not known in the language of the script, whatever the page is in', () => {
  for (const page of ['en', 'zh'] as const) {
    setLanguage(page);
    expect(scriptFor('{customer}，您好，这里是客服 VIP 热线。', '')).toBe(
      '先生/女士，您好，这里是客服 VIP 热线。',
    );
    expect(scriptFor('Good day, {customer}.', '')).toBe('Good day, Sir or Madam.');
    expect(scriptFor('{customer}: {customer}!', '$& Wang')).toBe('$& Wang: $& Wang!');
    expect(scriptFor('{customer}', '')).toBe(page === 'zh' ? '先生/女士' : 'Sir or Madam');
  }
});
