/** Many files at once, and what became of each. */
import { Alert, Button, Checkbox, Modal, Select, Upload } from 'antd';
import { CircleCheck, CircleX, FileUp, X } from 'lucide-react';
import { useState } from 'react';
import { tray } from '@/app/tray';
import { type UserError, wordsOf } from '@/graphql/useChange';
import { useLanguage, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { IconButton } from '@/ui';
import { Field } from '@/ui/lists';
import { libraryWords } from './words';

interface Told {
  file: string;
  ok: boolean;
  name: string;
  language: string;
  seconds: number;
  error: UserError | null;
}
const MOST = 100 * 1024 * 1024;

export function ImportPrompts({
  open,
  languages,
  onClose,
  onDone,
}: {
  open: boolean;
  languages: readonly string[];
  onClose: () => void;
  onDone: () => void;
}) {
  const w = useWords(libraryWords);
  const c = useWords(common);
  const named = new Intl.DisplayNames([useLanguage()], { type: 'language' });
  const [files, setFiles] = useState<File[]>([]);
  const [language, setLanguage] = useState(languages[0] ?? 'zh');
  const [split, setSplit] = useState(false);
  const [busy, setBusy] = useState(false);
  const [rows, setRows] = useState<Told[] | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const size = files.reduce((sum, file) => sum + file.size, 0);

  const send = async () => {
    const job = { id: `prompts:${Date.now()}`, title: w('importTitle'), progress: null };
    tray.getState().put({ ...job, state: 'running' });
    setBusy(true);
    setFailed(null);
    const form = new FormData();
    form.set('language', language);
    form.set('split', String(split));
    for (const file of files) form.append('files', file, file.name);
    try {
      const answer = await fetch('/files/prompts/import', {
        method: 'POST',
        body: form,
        headers: { 'x-callweave': '1' },
        credentials: 'same-origin',
      });
      const told = (await answer.json()) as { rows?: Told[]; error?: UserError };
      if (told.rows) {
        setRows(told.rows);
        setFiles([]);
        const bad = told.rows.filter((row) => !row.ok).length;
        const message = w('report', { good: told.rows.length - bad, bad });
        tray.getState().put({ ...job, progress: 1, state: bad ? 'failed' : 'done', message });
        onDone();
      } else {
        const why = told.error ? wordsOf(told.error) : w('sendFailed');
        setFailed(why);
        tray.getState().put({ ...job, state: 'failed', message: why });
      }
    } catch {
      setFailed(w('sendFailed'));
      tray.getState().put({ ...job, state: 'failed', message: w('sendFailed') });
    } finally {
      setBusy(false);
    }
  };
  const bad = rows?.filter((row) => !row.ok).length ?? 0;
  return (
    <Modal
      open={open}
      title={w('importTitle')}
      width={640}
      onCancel={onClose}
      destroyOnHidden
      afterClose={() => {
        setRows(null);
        setFiles([]);
        setFailed(null);
      }}
      footer={
        rows ? (
          <>
            <Button onClick={() => setRows(null)}>{w('again')}</Button>
            <Button type="primary" onClick={onClose}>
              {c('close')}
            </Button>
          </>
        ) : (
          <Button
            type="primary"
            loading={busy}
            disabled={files.length === 0 || size > MOST}
            onClick={() => void send()}
          >
            {w('send', { count: files.length })}
          </Button>
        )
      }
    >
      {rows ? (
        <>
          <Alert
            type={bad ? 'warning' : 'success'}
            showIcon
            title={w('report', { good: rows.length - bad, bad })}
            className="cw-form-error"
          />
          <ul className="cw-report">
            {[...rows]
              .sort((one, two) => Number(one.ok) - Number(two.ok))
              .map((row, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the report never changes
                <li key={index}>
                  {row.ok ? (
                    <CircleCheck size={14} color="var(--good)" aria-hidden />
                  ) : (
                    <CircleX size={14} color="var(--bad)" aria-hidden />
                  )}{' '}
                  {row.file}{' '}
                  <small>
                    {row.ok
                      ? `→ ${row.name} · ${named.of(row.language) ?? row.language}`
                      : row.error && wordsOf(row.error)}
                  </small>
                </li>
              ))}
          </ul>
        </>
      ) : (
        <div className="cw-fields">
          <p className="cw-quiet">{w('importHelp')}</p>
          <Upload.Dragger
            multiple
            showUploadList={false}
            accept="audio/*,.wav,.flac,.ogg,.opus,.mp3,.txt,.docx,.pdf,.zip"
            beforeUpload={(file) => {
              setFiles((now) => [...now, file]);
              return false;
            }}
          >
            <p className="cw-drop-words">
              <FileUp size={20} aria-hidden /> {w('choose')}
            </p>
          </Upload.Dragger>
          {files.length > 0 && (
            <ul className="cw-report">
              {files.map((file, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: two files may have one name
                <li key={index} className="cw-file-row">
                  <span>
                    {file.name} <small>{Math.ceil(file.size / 1024)} KB</small>
                  </span>
                  <IconButton
                    size="small"
                    label={`${c('delete')} ${file.name}`}
                    icon={<X size={14} />}
                    onClick={() => setFiles((now) => now.filter((one) => one !== file))}
                  />
                </li>
              ))}
            </ul>
          )}
          <Field label={w('importLanguage')}>
            <Select
              aria-label={w('importLanguage')}
              value={language}
              onChange={setLanguage}
              options={languages.map((value) => ({ value, label: named.of(value) ?? value }))}
            />
          </Field>
          <Checkbox checked={split} onChange={(event) => setSplit(event.target.checked)}>
            {w('split')}
          </Checkbox>
          {size > MOST && <Alert type="error" showIcon title={w('tooMuch')} />}
          {failed && <Alert type="error" showIcon title={failed} role="alert" />}
        </div>
      )}
    </Modal>
  );
}
