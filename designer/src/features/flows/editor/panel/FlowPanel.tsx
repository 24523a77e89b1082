/** Nothing is selected: the flow itself in short, and the way to its settings. */
import { Button, Input } from 'antd';
import { Settings2 } from 'lucide-react';
import { useId } from 'react';
import { useLanguage, useWords } from '@/i18n';
import { useLanguageNames } from '@/ui/languages';
import { docOf, fixed, useEditor, useEditorStore } from '../store';
import { useNodeName } from '../useNodeName';
import { panelWords } from './words';

export function FlowPanel() {
  const w = useWords(panelWords);
  const language = useLanguage();
  const names = useLanguageNames();
  const store = useEditorStore();
  const readOnly = useEditor(fixed);
  const doc = useEditor(docOf);
  const own = useId();
  const nameOf = useNodeName();
  const comma = language === 'zh' ? '、' : ', ';
  const listed = (list: readonly { name: string }[]) => list.map((one) => one.name).join(comma) || w('none');
  const to = (node: string | null) => (node === null ? w('none') : nameOf(node));
  return (
    <div className="cw-panel">
      <header className="cw-panel-head">
        <h3>{w('flow')}</h3>
        <p className="cw-quiet">{w('flowHelp')}</p>
      </header>
      <div className="cw-field">
        <div className="cw-field-head">
          <label htmlFor={own}>{w('description')}</label>
        </div>
        <Input.TextArea
          id={own}
          autoSize={{ minRows: 2, maxRows: 8 }}
          placeholder={w('descriptionHint')}
          readOnly={readOnly}
          value={doc.description ?? ''}
          onChange={(event) => {
            const description = event.target.value;
            store
              .getState()
              .apply(
                { zh: '修改流程说明', en: 'Change the description' },
                (now) => ({ ...now, description }),
                { merge: 'description' },
              );
          }}
        />
      </div>
      <dl className="cw-panel-facts">
        <dt>{w('kind')}</dt>
        <dd>{w(`kind_${doc.kind}`)}</dd>
        <dt>{w('languages')}</dt>
        <dd>{doc.languages.map(names).join(comma) || w('none')}</dd>
        <dt>{w('nodes')}</dt>
        <dd className="cw-num">{Object.keys(doc.nodes).length}</dd>
        <dt>{w('variables')}</dt>
        <dd>{listed(doc.variables)}</dd>
        {(doc.inputs.length > 0 || doc.kind === 'subflow') && (
          <>
            <dt>{w('inputs')}</dt>
            <dd>{listed(doc.inputs)}</dd>
          </>
        )}
        {(doc.outputs.length > 0 || doc.kind === 'subflow') && (
          <>
            <dt>{w('outputs')}</dt>
            <dd>{listed(doc.outputs)}</dd>
          </>
        )}
        <dt>{w('shortcuts')}</dt>
        <dd>{doc.shortcuts.map((one) => `${one.key} → ${to(one.to)}`).join(comma) || w('none')}</dd>
        <dt>{w('handlers')}</dt>
        <dd>{to(doc.handlers.error)}</dd>
        {doc.kind !== 'ticket' && (
          <>
            <dt>{w('onHangup')}</dt>
            <dd>{to(doc.handlers.hangup)}</dd>
          </>
        )}
      </dl>
      <Button icon={<Settings2 size={15} />} onClick={() => store.getState().open('settings')}>
        {w('openSettings')}
      </Button>
    </div>
  );
}
