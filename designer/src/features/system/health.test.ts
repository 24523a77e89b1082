import { expect, test } from 'vitest';
import { healthZh } from './health';

test('what is known is said in Chinese, with its values', () => {
  expect(healthZh('no answer within 3 s')).toBe('3 秒内没有回应');
  expect(healthZh('Temporal at 127.0.0.1:7233 does not answer')).toBe(
    '位于 127.0.0.1:7233 的 Temporal 没有回应',
  );
});

test('what the system itself said stays as it is', () => {
  expect(healthZh('OperationalError: disk I/O error')).toBe('OperationalError: disk I/O error');
});
