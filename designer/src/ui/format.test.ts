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
  it('groups hotlines, landlines and numbers abroad by their country codes', () => {
    expect(groupedPhone('+864008001234')).toBe('+86 400 800 1234');
    expect(groupedPhone('4008001234')).toBe('400 800 1234');
    expect(groupedPhone('02155550000')).toBe('021 5555 0000');
    expect(groupedPhone('+861088886666')).toBe('+86 10 8888 6666');
    expect(groupedPhone('+8675588886666')).toBe('+86 755 8888 6666');
    expect(groupedPhone('+442079460000')).toBe('+44 207 946 0000');
    expect(groupedPhone('+12025550123')).toBe('+1 202 555 0123');
    expect(groupedPhone('+85221234567')).toBe('+852 2123 4567');
    expect(groupedPhone('+86138****5678')).toBe('+86 138 **** 5678');
  });
  it('loses no digit', () => {
    for (const number of [
      '+4930123456',
      '+33140000000',
      '+7495123456',
      '13800000001',
      '110',
      'anonymous',
      '',
    ])
      expect(groupedPhone(number).replaceAll(' ', '')).toBe(number);
  });
});
