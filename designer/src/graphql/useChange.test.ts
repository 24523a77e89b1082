import { expect, it } from 'vitest';
import { setLanguage } from '@/i18n';
import { wordsOf } from './useChange';

const error = {
  code: 'unreached',
  field: '',
  message: { zh: '没有任何连线通向此节点', en: 'nothing leads to this node' },
  remedy: { zh: '请连接它。', en: 'Connect it.' },
};

it('tells a refusal in whole sentences of either language', () => {
  setLanguage('en');
  expect(wordsOf(error)).toBe('Nothing leads to this node. Connect it.');
  expect(wordsOf({ ...error, remedy: { zh: '', en: '' } })).toBe('Nothing leads to this node');
  setLanguage('zh');
  expect(wordsOf(error)).toBe('没有任何连线通向此节点。请连接它。');
});
