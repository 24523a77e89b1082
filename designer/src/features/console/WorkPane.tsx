/** What to say and what came of it: script, company page, notes, result, next contact; one key saves and goes on. */
import { App, Button, DatePicker, Input, Select, Tabs } from 'antd';
import dayjs from 'dayjs';
import { ExternalLink } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useQuery } from 'urql';
import { useChange, wordsOf } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { type Draft, desk, draftOf, type Focus, keepDraft, NO_DRAFT, popUrl, useDesk } from './desk';
import { COMPLETE_TASK, DISPOSITIONS, END_WRAP_UP, SAVE_WRAP_UP } from './operations';
import { scriptFor } from './script';
import { consoleWords } from './words';

export function WorkPane({ focus, next }: { focus: Focus | null; next: number }) {
  const t = useWords(consoleWords);
  const offer = useDesk((now) => (now.agent?.call?.callId === focus?.callId ? now.agent?.call : null));
  const url =
    offer && focus
      ? popUrl(offer.popUrl, {
          caller: focus.number,
          called: offer.called,
          call: focus.callId,
          customer: focus.customerId ?? '',
          queue: focus.queue,
        })
      : null;
  return (
    <section className="cw-pane cw-work" aria-label={t('work')}>
      <Tabs
        size="small"
        className="cw-work-tabs"
        items={[
          {
            key: 'script',
            label: t('script'),
            children: offer?.script ? (
              <div className="cw-script">{scriptFor(offer.script, offer.customerName)}</div>
            ) : (
              <p className="cw-quiet">{t(focus ? 'noScript' : 'scriptHere')}</p>
            ),
          },
          ...(url
            ? [
                {
                  key: 'page',
                  label: t('companyPage'),
                  children: (
                    <div className="cw-page-pop">
                      <a href={url} target="_blank" rel="noreferrer noopener">
                        <ExternalLink size={14} aria-hidden /> {t('openPage')}
                      </a>
                      <iframe
                        src={url}
                        title={t('companyPage')}
                        sandbox="allow-scripts allow-forms allow-same-origin allow-popups"
                        referrerPolicy="no-referrer"
                      />
                    </div>
                  ),
                },
              ]
            : []),
        ]}
      />
      <WrapUp focus={focus} next={next} />
    </section>
  );
}

function WrapUp({ focus, next }: { focus: Focus | null; next: number }) {
  const t = useWords(consoleWords);
  const text = useText();
  const { message } = App.useApp();
  const agent = useDesk((now) => now.agent);
  const taskId = useDesk((now) => now.taskId);
  const customerId = useDesk((now) => now.customerId);
  const callId = focus?.callId ?? null;
  const [draft, setDraft] = useState<Draft>(NO_DRAFT);
  const [problem, setProblem] = useState('');
  const [answer] = useQuery({ query: DISPOSITIONS, variables: { queue: focus?.queue || null } });
  const [save, saving] = useChange(SAVE_WRAP_UP);
  const [endWrapUp] = useChange(END_WRAP_UP);
  const [completeTask] = useChange(COMPLETE_TASK);
  const notes = useRef<HTMLTextAreaElement | null>(null);

  useEffect(() => {
    setDraft(callId ? draftOf(callId) : NO_DRAFT);
    setProblem('');
  }, [callId]);

  // After the call the cursor is in the notes.
  const phase = focus?.phase;
  useEffect(() => {
    if (phase === 'wrap_up') notes.current?.focus();
  }, [phase]);

  const change = (part: Partial<Draft>) => {
    const now = { ...draft, ...part };
    setDraft(now);
    setProblem('');
    if (callId) keepDraft(callId, now);
  };

  const codes = (answer.data?.dispositions ?? []).filter((one) => one.enabled);
  const chosen = codes.find((one) => one.id === draft.dispositionId);
  const roots = codes.filter((one) => !one.parentId);

  const done = useCallback(async () => {
    if (!callId) return;
    if (chosen?.needsNextContact && !draft.nextContactAt) return setProblem('needsNextContact');
    if (chosen?.needsNote && !draft.note.trim()) return setProblem('needsNote');
    const saved = await save(
      {
        call: callId,
        input: {
          dispositionId: draft.dispositionId,
          note: draft.note,
          nextContactAt: draft.nextContactAt,
          nextContactNote: draft.nextContactNote,
          queue: focus?.queue ?? '',
          customerId: focus?.customerId ?? customerId,
        },
      },
      { quiet: true },
    );
    if (!saved.value) return setProblem(saved.errors.map(wordsOf).join(' '));
    keepDraft(callId, null);
    void message.success(t('wrapSaved'));
    if (taskId) {
      await completeTask({ id: taskId, result: chosen?.code ?? '', note: draft.note });
      desk.getState().set({ taskId: null });
    }
    if (agent?.state === 'wrap_up') {
      const ended = await endWrapUp({});
      if (ended.value) desk.getState().set({ agent: ended.value });
    }
  }, [agent, callId, chosen, completeTask, customerId, draft, endWrapUp, focus, message, save, t, taskId]);

  const last = useRef(next);
  useEffect(() => {
    if (next === last.current) return;
    last.current = next;
    void done();
  }, [next, done]);

  return (
    <div className="cw-wrapup">
      <label className="cw-label" htmlFor="call-notes">
        {t('callNotes')}
      </label>
      <Input.TextArea
        id="call-notes"
        ref={(field) => {
          notes.current = field?.resizableTextArea?.textArea ?? null;
        }}
        rows={5}
        disabled={!callId}
        value={draft.note}
        maxLength={8000}
        placeholder={t('callNotesHint')}
        onChange={(event) => change({ note: event.target.value })}
      />
      <label className="cw-label" htmlFor="call-result">
        {t('result')}
      </label>
      <Select
        id="call-result"
        className="cw-wide"
        allowClear
        showSearch={{ optionFilterProp: 'label' }}
        disabled={!callId}
        placeholder={t('resultNone')}
        aria-label={t('result')}
        value={draft.dispositionId}
        options={roots.map((root) => {
          const below = codes.filter((one) => one.parentId === root.id);
          const label = text(root.label) || root.code;
          return below.length > 0
            ? { label, options: below.map((one) => ({ value: one.id, label: text(one.label) || one.code })) }
            : { value: root.id, label };
        })}
        onChange={(id) => change({ dispositionId: (id as string | undefined) ?? null })}
      />
      <label className="cw-label" htmlFor="call-next">
        {t('nextContact')}
      </label>
      <DatePicker
        id="call-next"
        disabled={!callId}
        showTime={{ format: 'HH:mm', minuteStep: 5 }}
        format="YYYY-MM-DD HH:mm"
        value={draft.nextContactAt ? dayjs(draft.nextContactAt) : null}
        onChange={(at) => change({ nextContactAt: at ? at.toISOString() : null })}
      />
      {draft.nextContactAt && (
        <Input
          value={draft.nextContactNote}
          placeholder={t('nextContactNote')}
          aria-label={t('nextContactNote')}
          onChange={(event) => change({ nextContactNote: event.target.value })}
        />
      )}
      {problem && (
        <div role="alert" className="cw-wrong">
          {problem === 'needsNextContact' || problem === 'needsNote' ? t(problem) : problem}
        </div>
      )}
      <Button
        type="primary"
        disabled={!callId || phase === 'ringing'}
        loading={saving}
        onClick={() => void done()}
      >
        {t('saveNext')} <kbd>Ctrl Enter</kbd>
      </Button>
    </div>
  );
}
