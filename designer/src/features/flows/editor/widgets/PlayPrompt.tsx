/** Plays a whole prompt in one language by the real voice. */
import type { Part } from './promptParts';

export function PlayPrompt(_: { parts: Part[]; language: string }) {
  return null;
}
