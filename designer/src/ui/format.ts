/** Times, durations and numbers as people read them. */
import dayjs from 'dayjs';
import type { Language } from '@/i18n';

/** "2 min 05 s", "1 h 02 min"; in Chinese "2 分 05 秒". */
export function duration(seconds: number, language: Language): string {
  const [s, min, h, d] = language === 'zh' ? ['秒', '分', '小时', '天'] : ['s', 'min', 'h', 'd'];
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} ${s}`;
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} ${min} ${two(whole % 60)} ${s}`;
  if (whole < 86_400)
    return `${Math.floor(whole / 3600)} ${h} ${two(Math.floor((whole % 3600) / 60))} ${min}`;
  return `${Math.floor(whole / 86_400)} ${d} ${Math.floor((whole % 86_400) / 3600)} ${h}`;
}

/** 2026-11-22 14:05:09, in the browser's zone. */
export function absolute(at: string | Date): string {
  return dayjs(at).format('YYYY-MM-DD HH:mm:ss');
}

/** "3 min ago", "yesterday 14:05", "2026-11-20". */
export function ago(at: string, language: Language, now: number = Date.now()): string {
  const seconds = Math.round((now - Date.parse(at)) / 1000);
  const zh = language === 'zh';
  if (seconds < 0) return dayjs(at).format('YYYY-MM-DD HH:mm');
  if (seconds < 45) return zh ? '刚刚' : 'just now';
  if (seconds < 3600)
    return zh
      ? `${Math.max(1, Math.round(seconds / 60))} 分钟前`
      : `${Math.max(1, Math.round(seconds / 60))} min ago`;
  const then = dayjs(at);
  if (then.isSame(dayjs(now), 'day'))
    return zh ? `今天 ${then.format('HH:mm')}` : `today ${then.format('HH:mm')}`;
  if (then.isSame(dayjs(now).subtract(1, 'day'), 'day'))
    return zh ? `昨天 ${then.format('HH:mm')}` : `yesterday ${then.format('HH:mm')}`;
  return then.format('YYYY-MM-DD');
}

/** "+8613812345678" as "+86 138 1234 5678", "13812345678" as "138 1234 5678"; others in threes and fours. */
export function groupedPhone(number: string): string {
  const found = /^(\+86)?(1\d{2})([\d*]{4})(\d{4})$/.exec(number.replace(/\s/g, ''));
  if (found) return [found[1], found[2], found[3], found[4]].filter(Boolean).join(' ');
  const plus = /^(\+\d{1,3})(\d{3,4})(\d{3,4})(\d{2,4})$/.exec(number);
  if (plus) return plus.slice(1).join(' ');
  return number;
}
