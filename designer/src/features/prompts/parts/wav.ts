/** Sound as numbers: what the microphone gives becomes a WAV file that every server can read. */

/** 16 bit mono WAV of samples between -1 and 1. */
export function encodeWav(chunks: Float32Array[], rate: number): Blob {
  const count = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const bytes = new DataView(new ArrayBuffer(44 + count * 2));
  const word = (at: number, text: string) => {
    for (let index = 0; index < text.length; index += 1) bytes.setUint8(at + index, text.charCodeAt(index));
  };
  word(0, 'RIFF');
  bytes.setUint32(4, 36 + count * 2, true);
  word(8, 'WAVEfmt ');
  bytes.setUint32(16, 16, true);
  bytes.setUint16(20, 1, true);
  bytes.setUint16(22, 1, true);
  bytes.setUint32(24, rate, true);
  bytes.setUint32(28, rate * 2, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  word(36, 'data');
  bytes.setUint32(40, count * 2, true);
  let at = 44;
  for (const chunk of chunks) {
    for (const sample of chunk) {
      const bounded = Math.max(-1, Math.min(1, sample));
      bytes.setInt16(at, bounded < 0 ? bounded * 0x8000 : bounded * 0x7fff, true);
      at += 2;
    }
  }
  return new Blob([bytes], { type: 'audio/wav' });
}

/** Loudness from 0 to 1 as an ear feels it: -60 dB is silence, 0 dB is as loud as it gets. */
export function loudness(chunk: Float32Array): number {
  let sum = 0;
  for (const sample of chunk) sum += sample * sample;
  const root = Math.sqrt(sum / Math.max(1, chunk.length));
  return root <= 0.001 ? 0 : Math.min(1, Math.max(0, 1 + (20 * Math.log10(root)) / 60));
}
