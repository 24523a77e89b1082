import { Alert, App, Button, Form, Input, Modal, Radio, Spin } from 'antd';
import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import { errorsAmong, type UserError, useChange } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ProblemList } from '../problems/ProblemList';
import { useProblems } from '../problems/useProblems';
import { useEditor, useEditorStore } from '../store';
import { useSync } from '../syncContext';
import { Changes } from './Changes';
import { DIFFERENCE } from './diff';
import { Impact } from './Impact';
import { versionWords } from './words';

const STATE = graphql(`
  query PublishState($key: String!) {
    flow(key: $key) {
      id revision casesRequired
      aliases { name version }
      versions { id number }
    }
    flowCases(key: $key) { id name passed }
  }
`);

const PUBLISH = graphql(`
  mutation PublishFlow($key: String!, $revision: Int, $note: String!, $alias: String) {
    publishFlow(key: $key, revision: $revision, note: $note, alias: $alias) {
      value { isNew version { id number } }
      errors { ...Refusal }
    }
  }
`);

const RUN = graphql(`
  mutation RunCasesBeforePublish($key: String!) {
    runFlowCases(key: $key) { value { name passed } errors { ...Refusal } }
  }
`);

/** Publish the draft: what changes, what blocks it, whom it touches. */
export function PublishDialog({ close }: { close: () => void }) {
  const t = useWords(versionWords);
  const c = useWords(common);
  const { message } = App.useApp();
  const store = useEditorStore();
  const key = useEditor((state) => state.key);
  const doc = useEditor((state) => state.doc);
  const sync = useSync();
  const [revision, setRevision] = useState<number | null>(null);
  useEffect(() => {
    void sync.flush().then((done) => {
      if (done) setRevision(store.getState().revision);
    });
  }, [sync, store]);
  const [state, askState] = useQuery({ query: STATE, variables: { key }, requestPolicy: 'network-only' });
  const flow = state.data?.flow;
  const live = flow?.aliases.find((one) => one.name === 'live')?.version;
  const [diff] = useQuery({
    query: DIFFERENCE,
    variables: { key, old: 'live', new: 'draft' },
    pause: live === undefined || revision === null,
    requestPolicy: 'network-only',
  });
  const checked = useProblems();
  const [publish, publishing] = useChange(PUBLISH);
  const [runCases, running] = useChange(RUN);
  const [note, setNote] = useState('');
  const [alias, setAlias] = useState<'live' | 'test' | 'none'>('live');
  const [refused, setRefused] = useState<UserError[]>([]);

  const errors = checked.problems.filter((one) => one.severity === 'error');
  const warnings = checked.problems.filter((one) => one.severity !== 'error');
  // Where the problems cannot be told the server itself refuses what is wrong.
  const checking = checked.state === 'checking' || checked.state === 'behind';
  const red = flow?.casesRequired ? (state.data?.flowCases ?? []).filter((one) => !one.passed).length : 0;
  const next = Math.max(0, ...(flow?.versions.map((one) => one.number) ?? [])) + 1;
  const waiting = state.fetching || checking || revision === null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a refusal is about the document that was sent
  useEffect(() => setRefused([]), [doc]);

  return (
    <Modal
      open
      width={680}
      centered
      title={t('publishTitle', { name: doc.name })}
      okText={t('publish')}
      cancelText={c('cancel')}
      onCancel={close}
      confirmLoading={publishing}
      okButtonProps={{ disabled: waiting || errors.length > 0 || red > 0 }}
      onOk={async () => {
        const answer = await publish(
          { key, revision, note, alias: alias === 'none' ? null : alias },
          { quiet: true },
        );
        if (!answer.value) {
          setRefused(errorsAmong(answer.errors));
          askState({ requestPolicy: 'network-only' });
          return;
        }
        const { isNew, version } = answer.value;
        void message.success(t(isNew ? 'published' : 'nothingNew', { number: version.number }));
        close();
      }}
    >
      <div className="cw-publish">
        {revision === null && <Alert type="info" showIcon title={t('unsaved')} />}
        {refused.length > 0 && <ProblemList title={t('refused')} problems={refused} onJump={close} />}
        {flow && <p className="cw-quiet">{t('publishHelp', { number: next })}</p>}
        {errors.length > 0 && <ProblemList title={t('blocked')} problems={errors} onJump={close} />}
        {red > 0 && (
          <Alert
            type="error"
            showIcon
            title={t('casesRed', { count: red })}
            action={
              <Button
                size="small"
                loading={running}
                onClick={async () => {
                  await runCases({ key });
                  askState({ requestPolicy: 'network-only' });
                }}
              >
                {t('runCases')}
              </Button>
            }
          />
        )}
        {warnings.length > 0 && (
          <ProblemList title={t('warnings')} type="warning" problems={warnings} onJump={close} />
        )}
        <section>
          <h4>{t('changes')}</h4>
          <div className="cw-publish-changes">
            {waiting || diff.fetching ? (
              <Spin size="small" />
            ) : live === undefined ? (
              <p className="cw-quiet">{t('firstVersion')}</p>
            ) : diff.data && isSame(diff.data.flowDiff) ? (
              <p className="cw-quiet">{t('noChanges')}</p>
            ) : (
              diff.data && <Changes difference={diff.data.flowDiff} />
            )}
          </div>
        </section>
        <Form layout="vertical" requiredMark={false}>
          <Form.Item label={t('note')} htmlFor="publish-note">
            <Input
              id="publish-note"
              autoFocus
              maxLength={2000}
              value={note}
              placeholder={t('noteHint')}
              onChange={(event) => setNote(event.target.value)}
            />
          </Form.Item>
          <Form.Item label={t('alias')}>
            <Radio.Group
              vertical
              value={alias}
              onChange={(event) => setAlias(event.target.value)}
              options={[
                { value: 'live', label: t('aliasLive') },
                { value: 'test', label: t('aliasTest') },
                { value: 'none', label: t('aliasNone') },
              ]}
            />
          </Form.Item>
        </Form>
        {alias !== 'none' && <Impact flowKey={key} alias={alias} />}
      </div>
    </Modal>
  );
}

function isSame(diff: { nodes: unknown[]; wires: unknown[]; flow: unknown[] }): boolean {
  return diff.nodes.length + diff.wires.length + diff.flow.length === 0;
}

/** The button in the top bar. */
export function PublishAction() {
  const t = useWords(versionWords);
  const [open, setOpen] = useState(false);
  const readOnly = useEditor((state) => state.readOnly || state.shown !== null);
  const may = useMay('flows.publish');
  return (
    <>
      <Button type="primary" size="small" disabled={!may || readOnly} onClick={() => setOpen(true)}>
        {t('publish')}
      </Button>
      {open && <PublishDialog close={() => setOpen(false)} />}
    </>
  );
}
