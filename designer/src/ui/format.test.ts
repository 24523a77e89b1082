import { describe, expect, it } from 'vitest';
import { ago, duration, groupedPhone } from './format';

describe('duration', () => {
  it('is read in the largest two units', () => {
    expect(duration(7, 'en')).toBe('7 s');
    expect(duration(125, 'en')).toBe('2 min 05 s');
    expect(duration(3725, 'zh')).toBe('1 小时 02 分');
    expect(duration(90_000, 'en')).toBe('1 d 1 h');
  });
});

describe('ago', () => {
  it('turns to minutes and days', () => {
    const now = new Date(2026, 10, 25, 15, 0, 0).getTime();
    expect(ago(new Date(now - 10_000).toISOString(), 'en', now)).toBe('just now');
    expect(ago(new Date(now - 180_000).toISOString(), 'zh', now)).toBe('3 分钟前');
    expect(ago(new Date(2026, 10, 24, 14, 5).toISOString(), 'en', now)).toBe('yesterday 14:05');
  });
});

describe('groupedPhone', () => {
  it('groups Chinese mobiles, masked ones too', () => {
    expect(groupedPhone('+8613812345678')).toBe('+86 138 1234 5678');
    expect(groupedPhone('138****5678')).toBe('138 **** 5678');
    expect(groupedPhone('8001')).toBe('8001');
  });
});
