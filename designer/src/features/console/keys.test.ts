import { describe, expect, it } from 'vitest';
import { actOf } from './keys';

const pressed = (key: string, more = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
});

describe('keys of the console', () => {
  it('answer a ringing call by Enter, but not out of a note that is typed', () => {
    expect(actOf(pressed('Enter'), false, true)).toBe('answer');
    expect(actOf(pressed('Enter'), true, true)).toBeNull();
    expect(actOf(pressed('Enter'), false, false)).toBeNull();
    expect(actOf(pressed('a', { altKey: true }), true, true)).toBe('answer');
  });

  it('leave letters alone while somebody types', () => {
    expect(actOf(pressed('h'), true, false)).toBeNull();
    expect(actOf(pressed('h'), false, false)).toBe('hold');
  });

  it('save by Ctrl+Enter from everywhere', () => {
    expect(actOf(pressed('Enter', { ctrlKey: true }), true, false)).toBe('next');
  });

  it('act once, however long a key is held', () => {
    expect(actOf(pressed('Escape', { repeat: true }), false, false)).toBeNull();
  });
});
