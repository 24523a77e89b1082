/** What an expression or template gave in the last run, below the field. */
export function Preview(_: { source: string; mode: 'expression' | 'template'; secret: boolean }) {
  return null;
}
