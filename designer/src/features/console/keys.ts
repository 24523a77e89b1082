/** Keys of the console. They act everywhere on the page, but not while somebody types, except those with Ctrl or Alt. */
export type Act = 'answer' | 'hold' | 'mute' | 'transfer' | 'consult' | 'next' | 'ready' | 'hangup';

interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  repeat?: boolean;
}

/** What a key does. `typing` is whether the cursor is in a field, `ringing` whether a call rings. */
export function actOf(event: Pressed, typing: boolean, ringing: boolean): Act | null {
  if (event.repeat) return null;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key === 'Enter') return 'next';
  if (event.altKey && !command) {
    const found = { a: 'answer', h: 'hold', m: 'mute', t: 'transfer', c: 'consult', r: 'ready' }[
      event.key.toLowerCase()
    ];
    return (found as Act | undefined) ?? null;
  }
  if (command || typing) return null;
  switch (event.key) {
    case 'Enter':
      return ringing ? 'answer' : null;
    case 'Escape':
      return 'hangup';
    case 'h':
    case 'H':
      return 'hold';
    case 'm':
    case 'M':
      return 'mute';
    case 't':
    case 'T':
      return 'transfer';
    case 'c':
    case 'C':
      return 'consult';
    default:
      return null;
  }
}
