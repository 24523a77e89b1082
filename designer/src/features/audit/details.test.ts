import { describe, expect, it } from 'vitest';
import { linesOf, placeOf, told } from './details';

const teller = (language: 'zh' | 'en') => ({
  language,
  person: (id: string) => (id === 'a'.repeat(32) ? '张伟' : id),
  tongue: (tag: string) => (tag === 'zh' ? '中文' : tag),
});

describe('what the trail says', () => {
  it('tells what was changed first, and what it was', () => {
    const lines = linesOf({ enabled: true, host: 'b', was: { host: 'a' } });
    expect(lines.map((one) => [one.field, one.was, one.now, one.changed])).toEqual([
      ['host', 'a', 'b', true],
      ['enabled', undefined, true, false],
    ]);
    expect(linesOf(null)).toEqual([]);
  });
  it('tells values as people read them', () => {
    const zh = (field: string, value: unknown) => told(field, value, teller('zh'));
    const en = (field: string, value: unknown) => told(field, value, teller('en'));
    expect([zh('enabled', true), en('enabled', false)]).toEqual(['是', 'no']);
    expect([zh('role', 'admin'), en('role', 'Night shift')]).toEqual(['管理员', 'Night shift']);
    expect([zh('wrap_up_seconds', 125), zh('wrap_up_seconds', -1), en('wrap_up_seconds', null)]).toEqual([
      '2 分 05 秒',
      '由坐席结束',
      'As the queue',
    ]);
    expect([en('timeout', '5.0'), zh('wrap_up_seconds', 1800)]).toEqual(['5 s', '30 分']);
    expect([zh('members', ['a'.repeat(32)]), zh('members', [])]).toEqual(['张伟', '（空）']);
    expect(zh('granted', ['audit.read'])).not.toContain('audit');
    expect(en('skills', { english: 7, sales: 3 })).toBe('english 7, sales 3');
    expect([zh('why', '30 days'), en('why', '30 days')]).toEqual(['超过保留期限 30 天', 'kept for 30 days']);
  });
  it('tells a week in one line', () => {
    const day = [
      ['09:00', '12:00'],
      ['13:00', '18:00'],
    ];
    const week = { mon: day, tue: day, wed: day, thu: day, fri: day, sat: [['10:00', '16:00']], sun: [] };
    expect(told('week', week, teller('en')).replaceAll('\u2060', '')).toBe(
      'Mon–Fri 09:00–12:00 13:00–18:00, Sat 10:00–16:00',
    );
    expect(told('week', {}, teller('zh'))).toBe('全部休息');
  });
  it('leaves what it does not know as it is', () => {
    expect(told('novelty', 'as it is', teller('zh'))).toBe('as it is');
    expect(linesOf({ novelty: 1 })[0]?.name).toBeUndefined();
  });
  it('leads to what has no name', () => {
    const id = '0198'.repeat(8);
    expect(placeOf('customer.saved', id)).toBe(`/customers?open=${id}`);
    expect(placeOf('queue.given', id)).toBe(`/calls/${id}`);
    expect(placeOf('queue.saved', 'sales')).toBeNull();
  });
});
