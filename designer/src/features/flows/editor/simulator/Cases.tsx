import { Alert, Button, Collapse, Input, List, Modal, Space, Switch } from 'antd';
import { Braces, Play, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import type { FlowCasesQuery } from '@/gql/graphql';
import { sentences, useChange, wordsOf } from '@/graphql/useChange';
import { labelled, useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, EmptyState, IconButton, StateTag, Time } from '@/ui';
import { jsonFault, useJsonFault } from '@/ui/json';
import { useEditor } from '../store';
import { useNodeName } from '../useNodeName';
import { usePortName } from '../usePortName';
import { placeOf } from './simulation';
import { simulatorWords } from './words';

const CASES = graphql(`
  query FlowCases($key: String!) {
    flow(key: $key) { id casesRequired }
    flowCases(key: $key) {
      id name case passed ranAt updatedBy
      lastResult { passed outcome reason seconds path failures { step message { zh en } } }
    }
  }
`);

const RUN = graphql(`
  mutation RunFlowCases($key: String!, $names: [String!]) {
    runFlowCases(key: $key, names: $names) {
      value { name passed }
      errors { ...Refusal }
    }
  }
`);

const SAVE = graphql(`
  mutation SaveFlowCase($key: String!, $case: JSON!, $id: String) {
    saveFlowCase(key: $key, case: $case, id: $id) {
      value { id name case }
      errors { ...Refusal }
    }
  }
`);

const DELETE = graphql(`
  mutation DeleteFlowCase($id: String!) {
    deleteFlowCase(id: $id) { value { ok } errors { ...Refusal } }
  }
`);

const REQUIRE = graphql(`
  mutation RequireGreenCases($key: String!, $required: Boolean!) {
    requireGreenCases(key: $key, required: $required) {
      value { ok }
      errors { ...Refusal }
    }
  }
`);

type Case = FlowCasesQuery['flowCases'][number];

/** The test cases of a flow: run them, see why one is red, demand green before a publish. */
export function Cases() {
  const t = useWords(simulatorWords);
  const c = useWords(common);
  const key = useEditor((state) => state.key);
  const readOnly = useEditor((state) => state.readOnly);
  const [answer, ask] = useQuery({ query: CASES, variables: { key }, requestPolicy: 'cache-and-network' });
  const [run, running] = useChange(RUN);
  const [remove] = useChange(DELETE);
  const [require, requiring] = useChange(REQUIRE);
  const [editing, setEditing] = useState<Case | null>(null);
  const again = () => ask({ requestPolicy: 'network-only' });
  const cases = answer.data?.flowCases ?? [];
  const green = cases.filter((one) => one.passed).length;

  return (
    <div className="cw-sim-cases">
      <p className="cw-quiet">{t('casesHelp')}</p>
      <Space wrap>
        <Button
          type="primary"
          icon={<Play size={14} aria-hidden />}
          loading={running}
          disabled={cases.length === 0}
          onClick={async () => {
            await run({ key, names: null });
            again();
          }}
        >
          {t('runAll')}
        </Button>
        {cases.length > 0 && (
          <StateTag
            tone={green === cases.length ? 'good' : cases.some((one) => one.passed === false) ? 'bad' : 'off'}
          >
            {t('greenCount', { green, all: cases.length })}
          </StateTag>
        )}
      </Space>
      <span className="cw-sim-demand" title={t('needGreenHelp')}>
        <Switch
          size="small"
          disabled={readOnly}
          loading={requiring}
          checked={answer.data?.flow.casesRequired ?? false}
          aria-label={t('needGreen')}
          onChange={async (required) => {
            await require({ key, required });
            again();
          }}
        />{' '}
        {t('needGreen')}
      </span>
      {cases.length === 0 && !answer.fetching ? (
        <EmptyState title={t('noCases')} help={t('noCasesHelp')} />
      ) : (
        <List
          size="small"
          loading={answer.fetching && cases.length === 0}
          dataSource={cases}
          rowKey="id"
          renderItem={(one) => (
            <List.Item
              actions={[
                <IconButton
                  key="run"
                  size="small"
                  label={t('run')}
                  icon={<Play size={14} />}
                  onClick={async () => {
                    await run({ key, names: [one.name] });
                    again();
                  }}
                />,
                <IconButton
                  key="edit"
                  size="small"
                  label={t('editCase')}
                  icon={<Braces size={14} />}
                  onClick={() => setEditing(one)}
                />,
                <ConfirmDelete
                  key="delete"
                  name={one.name}
                  onConfirm={async () => {
                    await remove({ id: one.id });
                    again();
                  }}
                >
                  <Button
                    type="text"
                    size="small"
                    danger
                    disabled={readOnly}
                    aria-label={c('delete')}
                    icon={<Trash2 size={14} />}
                  />
                </ConfirmDelete>,
              ]}
            >
              <CaseRow one={one} />
            </List.Item>
          )}
        />
      )}
      {editing && (
        <CaseEditor
          one={editing}
          close={(changed) => {
            setEditing(null);
            if (changed) again();
          }}
        />
      )}
    </div>
  );
}

function CaseRow({ one }: { one: Case }) {
  const t = useWords(simulatorWords);
  const text = useText();
  const failures = one.lastResult?.failures ?? [];
  const description = (one.case as { description?: string }).description;
  const state = (
    <StateTag tone={one.passed ? 'good' : one.passed === false ? 'bad' : 'off'}>
      {one.passed ? t('green') : one.passed === false ? t('red') : t('never')}
    </StateTag>
  );
  return (
    <div className="cw-sim-case">
      <div>
        {state} <strong>{one.name}</strong>
        {one.ranAt && (
          <span className="cw-quiet">
            {' '}
            <Time at={one.ranAt} />
          </span>
        )}
      </div>
      {description && <div className="cw-quiet">{description}</div>}
      {failures.map((failure) => (
        <div key={`${failure.step}${failure.message.en}`} className="cw-wrong">
          {labelled(
            failure.step ? t('step', { step: failure.step }) : t('atEnd'),
            sentences([text(failure.message)]),
          )}
        </div>
      ))}
      {one.lastResult && one.passed === false && (
        <Collapse
          ghost
          size="small"
          items={[
            {
              key: 'path',
              label: t('toCase'),
              children: <Path steps={one.lastResult.path} />,
            },
          ]}
        />
      )}
    </div>
  );
}

/** The way of a call through the flow, as the cards name it. */
function Path({ steps }: { steps: readonly string[] }) {
  const nameOf = useNodeName();
  const portName = usePortName();
  return (
    <ol className="cw-sim-path">
      {steps.map((step, index) => {
        const { node, port } = placeOf(step);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps stay in their order
          <li key={index}>
            {nameOf(node)}
            {port && <span className="cw-quiet"> ▸ {portName(node, port)}</span>}
          </li>
        );
      })}
    </ol>
  );
}

function CaseEditor({ one, close }: { one: Case; close: (changed: boolean) => void }) {
  const t = useWords(simulatorWords);
  const c = useWords(common);
  const key = useEditor((state) => state.key);
  const [save, busy] = useChange(SAVE);
  const [text, setText] = useState(() => JSON.stringify(one.case, null, 2));
  const [problem, setProblem] = useState('');
  const faultWords = useJsonFault();
  return (
    <Modal
      open
      width={720}
      title={one.name}
      okText={c('save')}
      cancelText={c('cancel')}
      confirmLoading={busy}
      onCancel={() => close(false)}
      onOk={async () => {
        const fault = jsonFault(text);
        if (fault) {
          setProblem(faultWords(fault));
          return;
        }
        const answer = await save({ key, case: JSON.parse(text), id: one.id }, { quiet: true });
        if (answer.value) close(true);
        else setProblem(answer.errors.map(wordsOf).join(' '));
      }}
    >
      {problem && <Alert type="error" showIcon title={problem} style={{ marginBottom: 8 }} />}
      <Input.TextArea
        rows={20}
        value={text}
        spellCheck={false}
        aria-label={t('editCase')}
        className="cw-sim-json"
        onChange={(event) => setText(event.target.value)}
      />
    </Modal>
  );
}
