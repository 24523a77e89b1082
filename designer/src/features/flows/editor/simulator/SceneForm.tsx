import { DatePicker, Form, Input, Select } from 'antd';
import dayjs from 'dayjs';
import { useMemo, useState } from 'react';
import { labelled, useText, useWords } from '@/i18n';
import { type NodeTypeInfo, useCatalogue } from '../catalogue';
import { useEditor } from '../store';
import { useNodeName } from '../useNodeName';
import { type Mock, type Scene, simulations, useSimulations } from './simulation';
import { simulatorWords } from './words';

const EMPTY: Scene = {};

/** Who calls and when, and what data nodes answer: the world of the next simulated call. */
export function SceneForm() {
  const t = useWords(simulatorWords);
  const key = useEditor((state) => state.key);
  const doc = useEditor((state) => state.doc);
  const { types } = useCatalogue();
  const nameOf = useNodeName();
  const scene = useSimulations((now) => now.scenes[key] ?? EMPTY);
  const change = (part: Partial<Scene>) => simulations.getState().setScene(key, { ...scene, ...part });
  const data = useMemo(
    () => Object.entries(doc.nodes).filter(([, node]) => isData(types, node.type)),
    [doc.nodes, types],
  );
  return (
    <Form layout="vertical" size="small" className="cw-sim-scene" requiredMark={false}>
      <p className="cw-quiet">{t('sceneHelp')}</p>
      <div className="cw-sim-two">
        <Form.Item label={t('caller')} htmlFor="scene-caller">
          <Input
            id="scene-caller"
            value={scene.caller ?? ''}
            placeholder="13800000001"
            onChange={(event) => change({ caller: event.target.value || undefined })}
          />
        </Form.Item>
        <Form.Item label={t('called')} htmlFor="scene-called">
          <Input
            id="scene-called"
            value={scene.called ?? ''}
            placeholder="100"
            onChange={(event) => change({ called: event.target.value || undefined })}
          />
        </Form.Item>
        <Form.Item label={t('begin')} htmlFor="scene-begin">
          <DatePicker
            id="scene-begin"
            showTime={{ format: 'HH:mm' }}
            format="YYYY-MM-DD HH:mm"
            placeholder={t('now')}
            value={scene.begin ? dayjs(scene.begin) : null}
            onChange={(at) => change({ begin: at ? at.toISOString() : undefined })}
          />
        </Form.Item>
        <Form.Item label={t('language')} htmlFor="scene-language">
          <Select
            id="scene-language"
            value={scene.language ?? ''}
            options={[
              { value: '', label: t('ownLanguage') },
              ...doc.languages.map((value) => ({ value, label: value })),
            ]}
            onChange={(language) => change({ language: language || undefined })}
          />
        </Form.Item>
      </div>
      {doc.inputs.length > 0 && (
        <Form.Item label={t('inputs')}>
          <JsonField
            label={t('inputs')}
            value={scene.inputs ?? {}}
            onChange={(inputs) => change({ inputs })}
          />
        </Form.Item>
      )}
      <h4>{t('answersOf')}</h4>
      <p className="cw-quiet">{data.length > 0 ? t('answersHelp') : t('noDataNodes')}</p>
      {data.map(([id, node]) => (
        <MockRow
          key={id}
          name={nameOf(id)}
          ports={portsOf(types, node.type)}
          mock={single(scene.mocks?.[id])}
          onChange={(mock) => {
            const { [id]: _, ...others } = scene.mocks ?? {};
            change({ mocks: mock ? { ...others, [id]: mock } : others });
          }}
        />
      ))}
    </Form>
  );
}

const single = (mock: Mock | Mock[] | undefined): Mock | undefined => (Array.isArray(mock) ? mock[0] : mock);

/** Nodes that ask the world around the call: whatever runs outside of the workflow and is no telephony. */
function isData(types: ReadonlyMap<string, NodeTypeInfo>, type: string): boolean {
  const found = types.get(type);
  return found !== undefined && ['quick', 'activity'].includes(found.runs);
}

function portsOf(
  types: ReadonlyMap<string, NodeTypeInfo>,
  type: string,
): { name: string; title: { zh: string; en: string } }[] {
  return types.get(type)?.ports ?? [];
}

function MockRow({
  name,
  ports,
  mock,
  onChange,
}: {
  name: string;
  ports: { name: string; title: { zh: string; en: string } }[];
  mock: Mock | undefined;
  onChange: (mock: Mock | undefined) => void;
}) {
  const t = useWords(simulatorWords);
  const text = useText();
  return (
    <div role="group" aria-label={name} className="cw-sim-mock">
      <strong>{name}</strong>
      <Select
        size="small"
        aria-label={labelled(name, t('port'))}
        value={mock?.port ?? ''}
        options={[
          { value: '', label: t('real') },
          ...ports
            .filter((port) => port.name !== 'hangup')
            .map((port) => ({ value: port.name, label: text(port.title) || port.name })),
        ]}
        onChange={(port) => onChange(port ? { ...mock, port } : undefined)}
      />
      {mock && (
        <JsonField
          label={labelled(name, t('outputs'))}
          value={mock.outputs ?? {}}
          onChange={(outputs) => onChange({ ...mock, outputs })}
        />
      )}
    </div>
  );
}

function JsonField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: Record<string, unknown>;
  onChange: (value: Record<string, unknown>) => void;
}) {
  const t = useWords(simulatorWords);
  const [typed, setTyped] = useState(() => JSON.stringify(value));
  const [bad, setBad] = useState(false);
  return (
    <>
      <Input.TextArea
        autoSize={{ minRows: 1, maxRows: 6 }}
        aria-label={label}
        aria-invalid={bad}
        status={bad ? 'error' : ''}
        className="cw-sim-json"
        spellCheck={false}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          const read = readObject(event.target.value);
          setBad(read === null);
          if (read) onChange(read);
        }}
      />
      {bad && <div className="cw-wrong">{t('badJson')}</div>}
    </>
  );
}

function readObject(text: string): Record<string, unknown> | null {
  try {
    const read: unknown = JSON.parse(text || '{}');
    return typeof read === 'object' && read !== null && !Array.isArray(read)
      ? (read as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
