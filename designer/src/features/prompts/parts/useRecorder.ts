/** Recording in the browser: asks for the microphone, shows how loud it is, gives a WAV file. */
import { useCallback, useEffect, useRef, useState } from 'react';
import processor from './microphone.worklet.ts?worker&url';
import { encodeWav, loudness } from './wav';

/** Why there is no recording, for people (see the words of this folder). */
export type Trouble = 'denied' | 'noMicrophone' | 'insecure' | 'busyMicrophone';

export interface Recording {
  file: Blob;
  url: string;
  seconds: number;
  /** Nothing louder than a whisper was heard. */
  silent: boolean;
}

export interface Recorder {
  state: 'idle' | 'asking' | 'recording' | 'done';
  trouble: Trouble | null;
  seconds: number;
  /** 0 to 1, while recording. */
  level: number;
  recording: Recording | null;
  start(): Promise<void>;
  stop(): void;
  discard(): void;
}

interface Running {
  context: AudioContext;
  stream: MediaStream;
  chunks: Float32Array[];
  loudest: number;
  count: number;
}

const SILENCE = 0.15;

export function useRecorder(longest = 600): Recorder {
  const [state, setState] = useState<Recorder['state']>('idle');
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [level, setLevel] = useState(0);
  const [seconds, setSeconds] = useState(0);
  const [recording, setRecording] = useState<Recording | null>(null);
  const running = useRef<Running | null>(null);
  const kept = useRef<string | null>(null);

  const forget = useCallback(() => {
    if (kept.current) URL.revokeObjectURL(kept.current);
    kept.current = null;
    setRecording(null);
  }, []);

  const release = useCallback(() => {
    const now = running.current;
    running.current = null;
    for (const track of now?.stream.getTracks() ?? []) track.stop();
    void now?.context.close();
    setLevel(0);
    return now;
  }, []);

  const stop = useCallback(() => {
    const done = release();
    if (!done) return;
    const rate = done.context.sampleRate;
    const file = encodeWav(done.chunks, rate);
    const url = URL.createObjectURL(file);
    kept.current = url;
    setRecording({ file, url, seconds: done.count / rate, silent: done.loudest < SILENCE });
    setState('done');
  }, [release]);

  const start = useCallback(async () => {
    forget();
    setTrouble(null);
    setSeconds(0);
    if (!navigator.mediaDevices?.getUserMedia) {
      setTrouble('insecure');
      return;
    }
    setState('asking');
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (error) {
      const name = error instanceof DOMException ? error.name : '';
      setTrouble(
        name === 'NotFoundError' ? 'noMicrophone' : name === 'NotReadableError' ? 'busyMicrophone' : 'denied',
      );
      setState('idle');
      return;
    }
    const context = new AudioContext();
    const now: Running = { context, stream, chunks: [], loudest: 0, count: 0 };
    running.current = now;
    await context.audioWorklet.addModule(processor);
    if (running.current !== now) return;
    const node = new AudioWorkletNode(context, 'microphone');
    node.port.onmessage = ({ data }: MessageEvent<Float32Array>) => {
      if (running.current !== now) return;
      now.chunks.push(data);
      now.count += data.length;
      const heard = loudness(data);
      now.loudest = Math.max(now.loudest, heard);
      setLevel(heard);
      setSeconds(now.count / context.sampleRate);
      if (now.count / context.sampleRate >= longest) stop();
    };
    context.createMediaStreamSource(stream).connect(node);
    setState('recording');
  }, [forget, stop, longest]);

  const discard = useCallback(() => {
    release();
    forget();
    setState('idle');
  }, [release, forget]);

  useEffect(
    () => () => {
      release();
      if (kept.current) URL.revokeObjectURL(kept.current);
    },
    [release],
  );

  return { state, trouble, seconds, level, recording, start, stop, discard };
}
