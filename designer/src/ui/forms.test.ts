import { expect, it } from 'vitest';
import { fieldName, sortErrors } from './forms';

const error = (field: string) => ({
  code: 'bad',
  field,
  message: { zh: '', en: field },
  remedy: { zh: '', en: '' },
});

it('names a field of the API as the form does', () => {
  expect(fieldName('max_per_hour')).toBe('maxPerHour');
  expect(fieldName('number')).toBe('number');
});

it('puts an error at its field, also one deep inside it, and keeps the rest for the top', () => {
  const { byField, others } = sortErrors(
    [error('caller_id'), error('week.mon.0'), error('nothing')],
    ['callerId', 'week'],
  );
  expect([...byField.keys()]).toEqual(['callerId', 'week']);
  expect(others.map((one) => one.field)).toEqual(['nothing']);
});
