/** Plays one sound: a button, where it is, how long it is. */
import { Alert, Button } from 'antd';
import { LoaderCircle, Pause, Play } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useWords } from '@/i18n';
import './prompts.css';
import { promptWords } from './words';

/** Only one sound plays at a time, whatever started it. */
let playing: HTMLAudioElement | null = null;

function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/**
 * `source` is an address, or a function that makes one when it is wanted (a text that the voice must speak first);
 * such a function gives null after it told the person why there is nothing to play.
 */
export function Player({
  source,
  seconds,
  label,
  compact,
}: {
  source: string | (() => Promise<string | null>);
  seconds?: number;
  label?: string;
  compact?: boolean;
}) {
  const w = useWords(promptWords);
  const audio = useRef<HTMLAudioElement | null>(null);
  const [state, setState] = useState<'still' | 'waiting' | 'playing' | 'failed'>('still');
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(seconds ?? 0);

  // A function makes its sound anew each time; only another address is another sound.
  const fixedAddress = typeof source === 'string' ? source : null;
  useEffect(() => {
    if (fixedAddress === null) return;
    setState('still');
    setAt(0);
  }, [fixedAddress]);

  useEffect(() => {
    const element = audio.current;
    return () => {
      element?.pause();
      if (playing === element) playing = null;
    };
  }, []);

  const play = useCallback(async () => {
    const element = audio.current;
    if (!element) return;
    let wanted: string | null;
    if (typeof source === 'string') wanted = source;
    else {
      setState('waiting');
      wanted = await source();
      if (!wanted) {
        setState('still');
        return;
      }
    }
    if (element.getAttribute('src') !== wanted) element.src = wanted;
    if (playing && playing !== element) playing.pause();
    playing = element;
    try {
      await element.play();
    } catch (error) {
      // A pause that came before the sound began is no fault.
      if (!(error instanceof DOMException && error.name === 'AbortError')) setState('failed');
    }
  }, [source]);

  const isPlaying = state === 'playing';
  const doing = isPlaying ? w('pause') : w('play');
  const name = label ? `${doing}: ${label}` : doing;
  return (
    <div className="cw-player" data-compact={compact || undefined}>
      {/* biome-ignore lint/a11y/useMediaCaption: what is said stands beside it as text */}
      <audio
        ref={audio}
        preload="none"
        // An address that is made on demand is set by hand: setting it twice would stop what begins to play.
        src={fixedAddress ?? undefined}
        onPlay={() => setState('playing')}
        onPause={() => setState('still')}
        onEnded={() => {
          setState('still');
          setAt(0);
        }}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        onLoadedMetadata={(event) => {
          if (Number.isFinite(event.currentTarget.duration)) setLength(event.currentTarget.duration);
        }}
        onError={(event) => event.currentTarget.getAttribute('src') && setState('failed')}
      />
      <Button
        type="text"
        size={compact ? 'small' : 'middle'}
        aria-label={name}
        title={name}
        icon={
          state === 'waiting' ? (
            <LoaderCircle size={16} className="cw-spin" />
          ) : isPlaying ? (
            <Pause size={16} />
          ) : (
            <Play size={16} />
          )
        }
        onClick={() => (isPlaying ? audio.current?.pause() : void play())}
      />
      {!compact && (
        <>
          <input
            type="range"
            className="cw-player-bar"
            aria-label={w('position')}
            aria-valuetext={`${clock(at)} / ${clock(length)}`}
            min={0}
            max={Math.max(0.1, length)}
            step={0.1}
            value={Math.min(at, length)}
            onChange={(event) => {
              const to = Number(event.currentTarget.value);
              setAt(to);
              if (audio.current) audio.current.currentTime = to;
            }}
          />
          <span className="cw-num cw-quiet cw-player-time">
            {clock(at)} / {clock(length)}
          </span>
        </>
      )}
      {state === 'failed' && <Alert type="error" showIcon title={w('cannotPlay')} />}
    </div>
  );
}
