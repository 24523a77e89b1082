/** Plays a recording with its waveform. The sound is fetched when somebody wants to hear it: listening is recorded. */
import { Alert, Button, Select } from 'antd';
import { Download, LoaderCircle, Pause, Play } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type WaveSurfer from 'wavesurfer.js';
import { useLook } from '@/app/theme';
import { useWords } from '@/i18n';
import './recordings.css';
import { recordingWords } from './words';

export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

const SPEEDS = [0.75, 1, 1.25, 1.5, 2];

export function RecordingPlayer({
  url,
  seconds,
  complete = true,
  label,
  download = true,
  startAt,
}: {
  url: string;
  seconds: number;
  complete?: boolean;
  label: string;
  download?: boolean;
  /** Seconds to jump to, when a step of the call is chosen; a new object jumps again. */
  startAt?: { seconds: number } | null;
}) {
  const w = useWords(recordingWords);
  const { mode } = useLook();
  const holder = useRef<HTMLDivElement>(null);
  const wave = useRef<WaveSurfer | null>(null);
  const [state, setState] = useState<'still' | 'loading' | 'ready' | 'failed'>('still');
  const [playing, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(seconds);
  const [speed, setSpeed] = useState(1);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another recording begins afresh
  useEffect(() => {
    setState('still');
    setPlaying(false);
    setAt(0);
    setLength(seconds);
    return () => {
      wave.current?.destroy();
      wave.current = null;
    };
  }, [url]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read from the page's variables
  useEffect(() => {
    wave.current?.setOptions(colours());
  }, [mode]);

  const load = async (from: number): Promise<void> => {
    if (wave.current || !holder.current) return;
    setState('loading');
    const { default: Surfer } = await import('wavesurfer.js');
    if (!holder.current || wave.current) return;
    const made = Surfer.create({
      container: holder.current,
      height: 48,
      barWidth: 2,
      barGap: 1,
      barRadius: 2,
      normalize: true,
      dragToSeek: true,
      cursorWidth: 2,
      ...colours(),
    });
    wave.current = made;
    made.on('play', () => setPlaying(true));
    made.on('pause', () => setPlaying(false));
    made.on('finish', () => setPlaying(false));
    made.on('timeupdate', (now) => setAt(now));
    made.on('error', () => setState('failed'));
    made.on('ready', (total) => {
      setState('ready');
      setLength(total);
      made.setPlaybackRate(speed);
      if (from) made.setTime(from);
      void made.play();
    });
    try {
      await made.load(url);
    } catch {
      setState('failed');
    }
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new wish jumps
  useEffect(() => {
    if (!startAt) return;
    if (wave.current) {
      wave.current.setTime(Math.min(startAt.seconds, length));
      void wave.current.play();
    } else void load(startAt.seconds);
  }, [startAt]);

  const move = (by: number) => wave.current?.setTime(Math.min(length, Math.max(0, at + by)));

  return (
    <div className="cw-recording">
      <Button
        shape="circle"
        type="primary"
        aria-label={`${playing ? w('pause') : w('play')}: ${label}`}
        icon={
          state === 'loading' ? (
            <LoaderCircle size={16} className="cw-spin" />
          ) : playing ? (
            <Pause size={16} />
          ) : (
            <Play size={16} />
          )
        }
        onClick={() => {
          if (state === 'failed') {
            wave.current?.destroy();
            wave.current = null;
          }
          if (wave.current) void wave.current.playPause();
          else void load(0);
        }}
      />
      <div
        className="cw-recording-wave"
        data-state={state}
        role="slider"
        tabIndex={0}
        aria-label={w('waveform')}
        aria-valuemin={0}
        aria-valuemax={Math.ceil(length)}
        aria-valuenow={Math.floor(at)}
        aria-valuetext={`${clock(at)} / ${clock(length)}`}
        onKeyDown={(event) => {
          if (event.key === 'ArrowLeft') move(-5);
          else if (event.key === 'ArrowRight') move(5);
          else if (event.key === 'Home') move(-length);
          else return;
          event.preventDefault();
        }}
      >
        <div ref={holder} />
      </div>
      <span className="cw-num cw-quiet cw-recording-time">
        {clock(at)} / {clock(length)}
      </span>
      <Select
        size="small"
        variant="borderless"
        aria-label={w('speed')}
        value={speed}
        popupMatchSelectWidth={false}
        options={SPEEDS.map((value) => ({ value, label: `${value}×` }))}
        onChange={(value: number) => {
          setSpeed(value);
          wave.current?.setPlaybackRate(value);
        }}
      />
      {download && (
        <Button
          type="text"
          aria-label={`${w('download')}: ${label}`}
          title={w('download')}
          icon={<Download size={16} />}
          href={`${url}${url.includes('?') ? '&' : '?'}download=true`}
        />
      )}
      {state === 'failed' && <Alert type="error" showIcon title={w('cannotPlay')} role="alert" />}
      {!complete && <Alert type="warning" showIcon title={w('incomplete')} />}
    </div>
  );
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return { waveColor: of('--off'), progressColor: of('--act'), cursorColor: of('--act') };
}
