/** The ring: a quiet two-tone from the browser's own synthesiser, and a blinking title. Can be switched off. */
const KEPT = 'callweave.ring';

export function ringOn(): boolean {
  return localStorage.getItem(KEPT) !== 'off';
}

export function setRing(on: boolean): void {
  localStorage.setItem(KEPT, on ? 'on' : 'off');
}

/** Ring until the returned function is called. */
export function ring(title: string, word: string): () => void {
  let blink = false;
  const timer = setInterval(() => {
    blink = !blink;
    document.title = blink ? `● ${word}` : title;
  }, 800);
  const stop = ringOn() ? chime() : () => {};
  return () => {
    clearInterval(timer);
    document.title = title;
    stop();
  };
}

function chime(): () => void {
  let context: AudioContext;
  try {
    context = new AudioContext();
  } catch {
    return () => {};
  }
  const once = () => {
    if (context.state !== 'running') return;
    const gain = context.createGain();
    gain.connect(context.destination);
    const now = context.currentTime;
    gain.gain.setValueAtTime(0, now);
    gain.gain.linearRampToValueAtTime(0.08, now + 0.05);
    gain.gain.setValueAtTime(0.08, now + 0.75);
    gain.gain.linearRampToValueAtTime(0, now + 0.9);
    for (const hertz of [440, 554]) {
      const tone = context.createOscillator();
      tone.frequency.value = hertz;
      tone.connect(gain);
      tone.start(now);
      tone.stop(now + 1);
    }
  };
  void context.resume().then(once, () => {});
  const timer = setInterval(once, 2500);
  return () => {
    clearInterval(timer);
    void context.close().catch(() => {});
  };
}
