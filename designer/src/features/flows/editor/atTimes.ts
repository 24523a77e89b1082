import type { Text } from '@/i18n';

/** Ways that a type has with some of its settings only, or that nothing leaves by: its example does not show them. */
export const AT_TIMES: Readonly<Record<string, Text>> = {
  end: { zh: '结束', en: 'End' },
  holiday: { zh: '节假日', en: 'Holiday' },
};
