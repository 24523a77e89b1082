/** What belongs to the flow and not to one node: name, languages, variables, what happens from outside. */
import { Button, Checkbox, Form, Input, Select } from 'antd';
import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { remarked, type Text, useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { IconButton } from '@/ui';
import { useCatalogue } from './catalogue';
import type { FlowDoc, ValueType, Variable } from './model';
import { docOf, fixed, useEditor, useEditorStore } from './store';
import {
  addVariable,
  changeVariable,
  NAME,
  readDefault,
  removeVariable,
  renameVariable,
  type Side,
  writeDefault,
} from './variables';
import {
  cutWire,
  ERROR,
  HANGUP,
  keyEvent,
  OUT,
  openKeys,
  removeEvents,
  START,
  setWire,
  targetOf,
} from './wires';
import { editorWords } from './words';

const TYPES: ValueType[] = ['string', 'number', 'boolean', 'object', 'list', 'any'];
const KEYS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'];
const LANGUAGES = [
  { value: 'zh', label: '中文' },
  { value: 'en', label: 'English' },
  { value: 'yue', label: '粤语' },
  { value: 'ja', label: '日本語' },
  { value: 'ko', label: '한국어' },
  { value: 'fr', label: 'Français' },
  { value: 'de', label: 'Deutsch' },
  { value: 'es', label: 'Español' },
];

type Apply = (label: Text, change: (doc: FlowDoc) => FlowDoc, merge?: string) => void;

export function SettingsDrawer() {
  const t = useWords(editorWords);
  const c = useWords(common);
  const store = useEditorStore();
  const doc = useEditor(docOf);
  const locked = useEditor(fixed);
  const apply: Apply = (label, change, merge) =>
    store.getState().apply(label, change, merge ? { merge } : undefined);
  return (
    <Form layout="vertical" className="cw-ed-settings" disabled={locked}>
      <Form.Item label={c('name')}>
        <Input
          aria-label={c('name')}
          value={doc.name}
          maxLength={120}
          onChange={(event) =>
            apply(
              { zh: '修改流程名称', en: 'Rename the flow' },
              (now) => ({ ...now, name: event.target.value }),
              'flow:name',
            )
          }
        />
      </Form.Item>
      <Form.Item label={t('description')}>
        <Input.TextArea
          aria-label={t('description')}
          autoSize={{ minRows: 2, maxRows: 8 }}
          value={doc.description}
          maxLength={2000}
          onChange={(event) =>
            apply(
              { zh: '修改说明', en: 'Change the description' },
              (now) => ({ ...now, description: event.target.value }),
              'flow:description',
            )
          }
        />
      </Form.Item>
      <Form.Item label={t('languages')} extra={t('languagesHelp')}>
        <Select
          mode="tags"
          aria-label={t('languages')}
          options={LANGUAGES}
          value={doc.languages}
          onChange={(languages: string[]) =>
            apply({ zh: '修改语言', en: 'Change the languages' }, (now) => ({
              ...now,
              languages: languages.filter((one) => /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(one)),
            }))
          }
        />
      </Form.Item>
      <Outside doc={doc} apply={apply} />
      <Variables doc={doc} side="variables" apply={apply} />
      <Variables doc={doc} side="inputs" apply={apply} />
      <Variables doc={doc} side="outputs" apply={apply} />
    </Form>
  );
}

/** Where the flow starts, and where it goes on a hang-up, an error, or a key at any time. */
function Outside({ doc, apply }: { doc: FlowDoc; apply: Apply }) {
  const t = useWords(editorWords);
  const c = useWords(common);
  const text = useText();
  const catalogue = useCatalogue();
  const nodes = Object.entries(doc.nodes).map(([id, spec]) => ({
    value: id,
    label: spec.name || remarked(text(catalogue.types.get(spec.type)?.title), id),
  }));
  const keys = [...new Set([...doc.shortcuts.map((one) => one.key), ...openKeys(doc)])].sort();
  const target = (event: string, label: string) => (
    <Select
      allowClear
      showSearch={{ optionFilterProp: 'label' }}
      aria-label={label}
      placeholder={t('nowhere')}
      options={nodes}
      value={targetOf(doc, event, OUT) ?? undefined}
      onChange={(to?: string) =>
        apply({ zh: '修改去向', en: 'Change where it leads' }, (now) =>
          to ? setWire(now, { from: event, port: OUT, to }) : cutWire(now, event, OUT),
        )
      }
    />
  );
  const rows: [string, string][] = [[START, doc.kind === 'ivr' ? t('start') : t('startOther')]];
  if (doc.kind !== 'ticket') rows.push([HANGUP, t('onHangup')]);
  rows.push([ERROR, t('onError')]);
  return (
    <fieldset>
      <legend>{t('outside')}</legend>
      {rows.map(([event, label]) => (
        <div key={event} className="cw-ed-pair">
          <span>{label}</span>
          {target(event, label)}
        </div>
      ))}
      {keys.map((key) => (
        <div key={key} className="cw-ed-pair">
          <span>{t('onKey', { key })}</span>
          <span className="cw-ed-row">
            {target(keyEvent(key), t('onKey', { key }))}
            <IconButton
              size="small"
              label={`${c('delete')} ${t('onKey', { key })}`}
              icon={<Trash2 size={14} />}
              onClick={() =>
                apply({ zh: `删除按键 ${key}`, en: `Remove key ${key}` }, (now) =>
                  removeEvents(now, [keyEvent(key)]),
                )
              }
            />
          </span>
        </div>
      ))}
      {doc.kind !== 'ticket' && (
        <Select
          size="small"
          aria-label={t('addKey')}
          placeholder={`+ ${t('addKey')}`}
          value={null}
          options={KEYS.filter((key) => !keys.includes(key)).map((key) => ({
            value: key,
            label: t('onKey', { key }),
          }))}
          onChange={(key: string | null) => {
            if (!key) return;
            apply({ zh: `添加按键 ${key}`, en: `Add key ${key}` }, (now) => ({
              ...now,
              ui: { ...now.ui, openKeys: [...openKeys(now), key] },
            }));
          }}
        />
      )}
    </fieldset>
  );
}

function Variables({ doc, side, apply }: { doc: FlowDoc; side: Side; apply: Apply }) {
  const t = useWords(editorWords);
  return (
    <fieldset>
      <legend>{t(`flow_${side}`)}</legend>
      <p className="cw-quiet">{t(`flow_${side}Help`)}</p>
      {doc[side].map((variable, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a variable is known by its place; its name is being typed
        <One key={at} variable={variable} at={at} side={side} doc={doc} apply={apply} />
      ))}
      <Button
        size="small"
        icon={<Plus size={14} />}
        onClick={() => apply({ zh: '添加变量', en: 'Add a variable' }, (now) => addVariable(now, side))}
      >
        {t(`flow_${side}Add`)}
      </Button>
    </fieldset>
  );
}

function One({
  variable,
  at,
  side,
  doc,
  apply,
}: {
  variable: Variable;
  at: number;
  side: Side;
  doc: FlowDoc;
  apply: Apply;
}) {
  const t = useWords(editorWords);
  const c = useWords(common);
  const [name, setName] = useState<string | null>(null);
  const [typed, setTyped] = useState<string | null>(null);
  const shown = name ?? variable.name;
  const twice = doc[side].some((one, index) => index !== at && one.name === shown);
  const wrong = !NAME.test(shown) || twice;
  const badDefault = typed !== null && readDefault(typed, variable.type) === undefined;
  const change = (what: Partial<Variable>, merge?: string) =>
    apply({ zh: '修改变量', en: 'Change a variable' }, (now) => changeVariable(now, side, at, what), merge);
  const keepName = () => {
    if (name !== null && !wrong && name !== variable.name)
      apply({ zh: '变量改名', en: 'Rename a variable' }, (now) => renameVariable(now, side, at, name));
    if (!wrong) setName(null);
  };
  return (
    <div className="cw-ed-variable">
      <div className="cw-ed-pair">
        <Input
          size="small"
          aria-label={c('name')}
          status={wrong ? 'error' : undefined}
          value={shown}
          onChange={(event) => setName(event.target.value)}
          onBlur={keepName}
          onPressEnter={keepName}
        />
        <span className="cw-ed-row">
          <Select
            size="small"
            aria-label={t('type')}
            value={variable.type}
            options={TYPES.map((type) => ({ value: type, label: t(`type_${type}`) }))}
            onChange={(type: ValueType) => change({ type, default: null })}
          />
          <IconButton
            size="small"
            label={`${c('delete')} ${variable.name}`}
            icon={<Trash2 size={14} />}
            onClick={() =>
              apply({ zh: '删除变量', en: 'Remove a variable' }, (now) => removeVariable(now, side, at))
            }
          />
        </span>
      </div>
      {wrong && <small role="alert">{twice ? t('nameTwice') : t('nameWrong')}</small>}
      <div className="cw-ed-pair">
        <Input
          size="small"
          placeholder={t('titleOf')}
          aria-label={t('titleOf')}
          value={variable.title}
          maxLength={80}
          onChange={(event) => change({ title: event.target.value }, `flow:${side}:${at}:title`)}
        />
        {side !== 'outputs' && !variable.secret && (
          <Input
            size="small"
            placeholder={t('defaultOf')}
            aria-label={t('defaultOf')}
            status={badDefault ? 'error' : undefined}
            value={typed ?? writeDefault(variable.default)}
            onChange={(event) => setTyped(event.target.value)}
            onBlur={() => {
              if (typed === null || badDefault) return;
              change({ default: readDefault(typed, variable.type) });
              setTyped(null);
            }}
          />
        )}
      </div>
      {badDefault && <small role="alert">{t('defaultWrong', { type: t(`type_${variable.type}`) })}</small>}
      <div className="cw-ed-row">
        {side === 'inputs' && (
          <Checkbox
            checked={variable.required}
            onChange={(event) => change({ required: event.target.checked })}
          >
            {t('requiredInput')}
          </Checkbox>
        )}
        <Checkbox
          checked={variable.secret}
          onChange={(event) => change({ secret: event.target.checked, default: null })}
        >
          {t('secret')}
        </Checkbox>
      </div>
    </div>
  );
}
