import { describe, expect, it } from 'vitest';
import type { Text } from '@/i18n';
import { isPreviewed, lastValue } from './preview';

const say = (text: Text) => text.en;
const came = (value: unknown, text = String(value)) => ({ value, text, problem: null });

describe('the value of the last run', () => {
  it.each([
    ['vars.amount * 2', 'expression', true],
    ['  ', 'expression', false],
    ['12.50', 'expression', false],
    ["'gold'", 'expression', false],
    ["'gold' + vars.level", 'expression', true],
    ['True', 'expression', false],
    ['Hello', 'template', false],
    ['12', 'template', false],
    ['Hello {{ customer.name }}', 'template', true],
    ['{% if vars.a %}1{% endif %}', 'template', true],
  ] as const)('of %s as %s is asked for: %s', (source, mode, asked) => {
    expect(isPreviewed(source, mode, false)).toBe(asked);
    expect(isPreviewed(source, mode, true)).toBe(false);
  });

  it('is told as what it is', () => {
    expect(lastValue(came(14), 'expression', say)).toBe('14');
    expect(lastValue(came('14'), 'expression', say)).toBe('“14”');
    expect(lastValue(came(false), 'expression', say)).toBe('false');
    expect(lastValue({ text: '' }, 'expression', say)).toBe('null');
    expect(lastValue(came([1, { a: 2 }]), 'expression', say)).toBe('[1,{"a":2}]');
    expect(lastValue(came('Dear Ann', 'Dear Ann'), 'template', say)).toBe('“Dear Ann”');
  });

  it('stays on one line, however long', () => {
    const told = lastValue(came('x'.repeat(500)), 'template', say);
    expect(told).toHaveLength(118);
    expect(told.endsWith('…')).toBe(true);
  });

  it('says why there is none', () => {
    const problem = { zh: '无法计算', en: 'it cannot be computed: no value' };
    expect(lastValue({ text: '', problem }, 'expression', say)).toBe('it cannot be computed: no value');
  });
});
