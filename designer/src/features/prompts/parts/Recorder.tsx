/** Record with the browser's microphone, or choose a file; listen, and use it or do it again. */
import { Alert, Button, Upload } from 'antd';
import { Mic, Square, Upload as UploadIcon } from 'lucide-react';
import { useState } from 'react';
import { useWords } from '@/i18n';
import { Duration } from '@/ui';
import { Player } from './Player';
import './prompts.css';
import { MAX_UPLOAD } from './upload';
import { useRecorder } from './useRecorder';
import { promptWords } from './words';

export function Recorder({
  onDone,
  busy,
  disabled,
  again,
}: {
  /** The sound that the person chose to use. */
  onDone: (file: Blob, seconds: number | null) => void;
  busy?: boolean;
  /** Nothing can be recorded yet. */
  disabled?: boolean;
  /** There is a recording already: the button says so. */
  again?: boolean;
}) {
  const w = useWords(promptWords);
  const recorder = useRecorder();
  const [refused, setRefused] = useState(false);
  const { state, recording } = recorder;
  return (
    <div className="cw-recorder">
      {state === 'recording' ? (
        <div className="cw-recorder-row">
          <Button icon={<Square size={14} />} onClick={recorder.stop}>
            {w('stop')}
          </Button>
          <Level level={recorder.level} />
          <span className="cw-recorder-live" role="status" aria-label={w('recording')}>
            <Duration seconds={recorder.seconds} />
          </span>
        </div>
      ) : recording ? (
        <>
          <Player source={recording.url} seconds={recording.seconds} label={w('sound')} />
          {recording.silent && <Alert type="warning" showIcon title={w('silent')} />}
          <div className="cw-recorder-row">
            <Button
              type="primary"
              loading={busy}
              onClick={() => {
                onDone(recording.file, recording.seconds);
              }}
            >
              {w('useIt')}
            </Button>
            <Button icon={<Mic size={14} />} onClick={() => void recorder.start()} disabled={busy}>
              {w('recordAgain')}
            </Button>
            <Button type="text" onClick={recorder.discard} disabled={busy}>
              {w('discard')}
            </Button>
          </div>
        </>
      ) : (
        <div className="cw-recorder-row">
          <Button
            icon={<Mic size={14} />}
            loading={state === 'asking'}
            disabled={busy || disabled}
            onClick={() => void recorder.start()}
          >
            {again ? w('recordAgain') : w('record')}
          </Button>
          <Upload
            accept="audio/*,.wav,.flac,.ogg,.mp3"
            showUploadList={false}
            disabled={busy || disabled}
            beforeUpload={(file) => {
              setRefused(file.size > MAX_UPLOAD);
              if (file.size <= MAX_UPLOAD) onDone(file, null);
              return false;
            }}
          >
            <Button
              icon={<UploadIcon size={14} />}
              title={w('uploadHelp')}
              loading={busy}
              disabled={disabled}
            >
              {w('upload')}
            </Button>
          </Upload>
        </div>
      )}
      {state === 'asking' && <Alert type="info" showIcon title={w('asking')} />}
      {recorder.trouble && <Alert type="warning" showIcon title={w(recorder.trouble)} />}
      {refused && <Alert type="error" showIcon title={w('tooLarge')} />}
    </div>
  );
}

/** How loud the microphone is, in bars: green where a voice should be, amber where it is too loud. */
function Level({ level }: { level: number }) {
  const w = useWords(promptWords);
  const bars = 16;
  const on = Math.round(level * bars);
  return (
    <div
      className="cw-level"
      role="meter"
      aria-label={w('microphone')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(level * 100)}
    >
      {Array.from({ length: bars }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars never move
        <i key={index} data-on={index < on || undefined} data-loud={index >= bars - 2 || undefined} />
      ))}
    </div>
  );
}
