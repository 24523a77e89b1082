import { describe, expect, it } from 'vitest';
import { shortly } from './shortly';

describe('a setting on one line', () => {
  it('says a prompt in the language asked for', () => {
    const prompt = {
      parts: [
        { kind: 'text', text: { zh: '您好', en: 'Hello' } },
        { kind: 'value', value: 'vars.a' },
      ],
    };
    expect(shortly(prompt, 'en')).toBe('Hello {vars.a}');
    expect(shortly(prompt, 'zh')).toBe('您好 {vars.a}');
  });

  it('leaves texts as they are, tells the rest as JSON, and nothing as nothing', () => {
    expect(shortly('nodes.pin.digits', 'en')).toBe('nodes.pin.digits');
    expect(shortly([{ key: '1' }], 'en')).toBe('[{"key":"1"}]');
    expect(shortly(false, 'en')).toBe('false');
    expect(shortly(undefined, 'en')).toBe('');
  });

  it('cuts what is long', () => {
    expect(shortly('x'.repeat(200), 'en')).toHaveLength(120);
  });
});
