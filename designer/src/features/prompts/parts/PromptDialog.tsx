/** One prompt of the library in each language: record it, upload it, or write what the voice speaks. */
import { Alert, Button, Input, Modal, Segmented, Tabs } from 'antd';
import { useEffect, useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import { type UserError, useChange, wordsOf } from '@/graphql/useChange';
import { labelled, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { StateTag } from '@/ui';
import { useLanguageNames } from '@/ui/languages';
import { Player } from './Player';
import './prompts.css';
import { Recorder } from './Recorder';
import { isUploaded, uploadPrompt } from './upload';
import { promptWords } from './words';

const PROMPT_ROWS = graphql(`
  query PromptDialogPrompts {
    prompts { id name language text seconds url updatedAt }
  }
`);

const SAVE_TEXT = graphql(`
  mutation PromptDialogText($name: String!, $language: String!, $text: String!) {
    savePromptText(name: $name, language: $language, text: $text) {
      value { id name language text seconds url updatedAt }
      errors { ...Refusal }
    }
  }
`);

export function PromptDialog({
  open,
  name,
  languages,
  language,
  onClose,
  onSaved,
}: {
  open: boolean;
  /** Empty for a new prompt, whose name the person writes. */
  name: string;
  languages: readonly string[];
  /** The language that is shown first. */
  language?: string;
  onClose: () => void;
  /** Called after each change, with the prompt's name. */
  onSaved?: (name: string) => void;
}) {
  const w = useWords(promptWords);
  const c = useWords(common);
  const [typed, setTyped] = useState(name);
  const [shown, setShown] = useState(language ?? languages[0] ?? 'zh');
  const [refused, setRefused] = useState<UserError | null>(null);
  const [answer, ask] = useQuery({ query: PROMPT_ROWS, requestPolicy: 'cache-and-network', pause: !open });
  useEffect(() => {
    if (open) {
      setTyped(name);
      setRefused(null);
      setShown(language ?? languages[0] ?? 'zh');
    }
  }, [open, name, language, languages]);
  const rows = useMemo(
    () => (answer.data?.prompts ?? []).filter((one) => one.name === typed.trim()),
    [answer.data, typed],
  );
  const tags = [...new Set([...languages, ...rows.map((one) => one.language)])];
  const names = useLanguageNames();
  return (
    <Modal
      open={open}
      onCancel={onClose}
      title={name ? labelled(w('editPrompt'), name) : w('newPrompt')}
      footer={null}
      width={560}
      destroyOnHidden
      closable={{ 'aria-label': c('close') }}
    >
      <div className="cw-prompt-dialog">
        {!name && (
          <label className="cw-prompt-name" htmlFor="cw-prompt-name">
            <span>{w('promptName')}</span>
            <Input
              id="cw-prompt-name"
              autoFocus
              value={typed}
              maxLength={128}
              status={refused ? 'error' : undefined}
              onChange={(event) => {
                setTyped(event.target.value);
                setRefused(null);
              }}
              aria-invalid={!!refused}
              aria-describedby="cw-prompt-name-help"
            />
            {refused ? (
              <small className="cw-prompt-refused" role="alert" id="cw-prompt-name-help">
                {wordsOf(refused)}
              </small>
            ) : (
              <small className="cw-quiet" id="cw-prompt-name-help">
                {w('promptNameHelp')}
              </small>
            )}
          </label>
        )}
        <Tabs
          activeKey={shown}
          onChange={setShown}
          items={tags.map((tag) => {
            const row = rows.find((one) => one.language === tag);
            return {
              key: tag,
              label: (
                <span className="cw-prompt-tab">
                  {names(tag)}{' '}
                  <StateTag tone={row ? 'good' : 'wait'}>
                    {row ? (row.url ? w('sound') : w('text')) : w('missing')}
                  </StateTag>
                </span>
              ),
              children: (
                <OneLanguage
                  key={`${typed}-${tag}-${row?.updatedAt}`}
                  name={typed.trim()}
                  language={tag}
                  row={row}
                  onName={name ? undefined : setRefused}
                  onSaved={() => {
                    ask({ requestPolicy: 'network-only' });
                    onSaved?.(typed.trim());
                  }}
                />
              ),
            };
          })}
        />
      </div>
    </Modal>
  );
}

interface Row {
  text: string;
  seconds: number;
  url?: string | null;
  updatedAt: string;
}

function OneLanguage({
  name,
  language,
  row,
  onName,
  onSaved,
}: {
  name: string;
  language: string;
  row: Row | undefined;
  /** A refusal of the name is shown at the name. */
  onName: ((refused: UserError) => void) | undefined;
  onSaved: () => void;
}) {
  const w = useWords(promptWords);
  const [way, setWay] = useState<'sound' | 'text'>(row && !row.url ? 'text' : 'sound');
  const [text, setText] = useState(row?.text ?? '');
  const [sending, setSending] = useState(false);
  const [error, setError] = useState<UserError | null>(null);
  const [lost, setLost] = useState(false);
  const [save, saving] = useChange(SAVE_TEXT);
  const tell = (refused: UserError) =>
    onName && refused.field === 'name' ? onName(refused) : setError(refused);
  const send = async (file: Blob) => {
    setSending(true);
    setError(null);
    setLost(false);
    const answer = await uploadPrompt({ name, language, file, transcript: text });
    setSending(false);
    if (isUploaded(answer)) onSaved();
    else if (answer) tell(answer);
    else setLost(true);
  };
  const write = async () => {
    setError(null);
    const { errors } = await save({ name, language, text }, { quiet: true });
    if (errors[0]) tell(errors[0]);
    else onSaved();
  };
  return (
    <div className="cw-prompt-language" lang={language}>
      {row?.url && (
        <Player
          source={`${row.url}?at=${encodeURIComponent(row.updatedAt)}`}
          seconds={row.seconds}
          label={name}
        />
      )}
      <Segmented
        value={way}
        onChange={(next) => setWay(next as 'sound' | 'text')}
        options={[
          { value: 'sound', label: w('sound') },
          { value: 'text', label: w('text') },
        ]}
      />
      {way === 'sound' ? (
        <>
          <Recorder onDone={(file) => void send(file)} busy={sending} disabled={!name} again={!!row?.url} />
          <label className="cw-prompt-name" htmlFor={`cw-prompt-said-${language}`}>
            <span className="cw-quiet">{w('transcript')}</span>
            <Input.TextArea
              id={`cw-prompt-said-${language}`}
              value={text}
              autoSize={{ minRows: 1, maxRows: 6 }}
              onChange={(event) => setText(event.target.value)}
            />
          </label>
        </>
      ) : (
        <>
          <label className="cw-prompt-name" htmlFor={`cw-prompt-text-${language}`}>
            <span>{w('typeHelp')}</span>
            <Input.TextArea
              id={`cw-prompt-text-${language}`}
              value={text}
              autoSize={{ minRows: 2, maxRows: 10 }}
              onChange={(event) => setText(event.target.value)}
            />
          </label>
          {row?.url && <Alert type="warning" showIcon title={w('replaceSound')} />}
          <SaveText busy={saving} disabled={!name || text.trim() === ''} onClick={() => void write()} />
        </>
      )}
      {lost && <Alert type="error" showIcon title={w('uploadFailed')} />}
      {error && <Alert type="error" showIcon title={wordsOf(error)} />}
    </div>
  );
}

function SaveText({ busy, disabled, onClick }: { busy: boolean; disabled: boolean; onClick: () => void }) {
  const w = useWords(promptWords);
  return (
    <div>
      <Button type="primary" loading={busy} disabled={disabled} onClick={onClick}>
        {w('saveText')}
      </Button>
    </div>
  );
}
