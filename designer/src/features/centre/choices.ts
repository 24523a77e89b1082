/** Choices of a field as lines of text: `value | Chinese | English`, a line each. */
export interface Choice {
  value: string;
  label: { zh: string; en: string };
}

export function linesOf(choices: readonly Choice[]): string {
  return choices.map((one) => [one.value, one.label.zh, one.label.en].join(' | ')).join('\n');
}

export function choicesOf(lines: string): { value: string; zh: string; en: string }[] {
  return lines.split('\n').flatMap((line) => {
    const [value, zh, en] = line.split('|').map((part) => part.trim());
    return value ? [{ value, zh: zh || value, en: en || zh || value }] : [];
  });
}
