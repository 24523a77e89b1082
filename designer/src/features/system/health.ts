/** What a part says about its health, in Chinese; the server says it in English. */
const SAID_ZH: readonly (readonly [RegExp, string])[] = [
  [/^no answer within ([\d.]+) s$/, '$1 秒内没有回应'],
  [/^Temporal at (\S+) does not answer$/, '位于 $1 的 Temporal 没有回应'],
  [/^waits for Temporal$/, '正在等待流程引擎'],
  [/^not ready for calls yet$/, '尚未就绪，还不能处理通话'],
  [/^another process owns the telephony engine; this one stands by$/, '电话引擎由另一个进程掌管，本进程待命'],
  [/^Asterisk does not answer$/, 'Asterisk 没有回应'],
  [/^starting$/, '正在启动'],
  [/^language packs are being loaded$/, '正在加载语言包'],
];

/** In Chinese as far as it is known, else as it was said: a fault of the system's in its own words. */
export function healthZh(message: string): string {
  for (const [pattern, words] of SAID_ZH) if (pattern.test(message)) return message.replace(pattern, words);
  return message;
}
