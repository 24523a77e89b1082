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

/** Country codes of two digits; +1 and +7 have one, all others three. */
const TWO_DIGITS = /^(2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;
/** How numbers of mainland China are read, the rest of them in threes and fours. */
const MAINLAND = [
  /^(1\d{2})([\d*]{4})(\d{4})$/,
  /^([48]00)([\d*]{3})(\d{4})$/,
  /^(0?10|0?2\d)([\d*]{4})(\d{4})$/,
  /^(0?[3-9]\d{2})([\d*]{3,4})(\d{4})$/,
];

/** "+8613812345678" as "+86 138 1234 5678", "4008001234" as "400 800 1234"; others in threes and fours. */
export function groupedPhone(number: string): string {
  const plain = number.replace(/\s/g, '');
  const [, plus = '', rest = ''] = /^(\+(?=[\d*]{8,})|)([\d*]+)$/.exec(plain) ?? [];
  // Without a country code only a trunk zero tells a landline.
  const known = rest.startsWith('0') ? MAINLAND : MAINLAND.slice(0, 2);
  if (!plus) return rest.length > 8 ? groupsOf(rest, known) || number : number;
  const code = /^[17]/.test(rest) ? 1 : TWO_DIGITS.test(rest) ? 2 : 3;
  const local = rest.slice(code);
  const groups = rest.startsWith('86') ? groupsOf(local, MAINLAND) : '';
  return `+${rest.slice(0, code)} ${groups || threes(local)}`;
}

function groupsOf(digits: string, shapes: readonly RegExp[]): string {
  for (const shape of shapes) {
    const found = shape.exec(digits);
    if (found) return found.slice(1).join(' ');
  }
  return '';
}

/** "2079460000" as "207 946 0000": threes, and fours at the end where they come out even. */
function threes(digits: string): string {
  const fours = { 0: 0, 1: 4, 2: 8 }[digits.length % 3] ?? 0;
  const split = Math.max(0, digits.length - fours);
  const cut = (text: string, size: number) => text.match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
  return [...cut(digits.slice(0, split), 3), ...cut(digits.slice(split), 4)].join(' ');
}
