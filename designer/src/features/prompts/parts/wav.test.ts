import { describe, expect, it } from 'vitest';
import { encodeWav, loudness } from './wav';

describe('recordings', () => {
  it('become WAV files with every sample', async () => {
    const blob = encodeWav([new Float32Array([0, 1, -1]), new Float32Array([2, 0.5])], 16_000);
    const bytes = new DataView(await blob.arrayBuffer());
    const word = (at: number) =>
      String.fromCharCode(...Array.from({ length: 4 }, (_, index) => bytes.getUint8(at + index)));
    expect([word(0), word(8), word(36)]).toEqual(['RIFF', 'WAVE', 'data']);
    expect(bytes.getUint32(24, true)).toBe(16_000);
    expect(bytes.getUint32(40, true)).toBe(10);
    const samples = Array.from({ length: 5 }, (_, index) => bytes.getInt16(44 + index * 2, true));
    expect(samples).toEqual([0, 32767, -32768, 32767, 16383]);
  });

  it('are as loud as an ear feels them', () => {
    expect(loudness(new Float32Array(100))).toBe(0);
    expect(loudness(new Float32Array(100).fill(1))).toBe(1);
    const quiet = loudness(new Float32Array(100).fill(0.01));
    expect(quiet).toBeGreaterThan(0.3);
    expect(quiet).toBeLessThan(0.4);
  });
});
