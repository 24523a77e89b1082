/** Turn what is selected into a subflow: name it, see what goes in and out, and it takes the nodes' place. */
import { Alert, App, Button, Checkbox, Form, Input, Modal, Table } from 'antd';
import { useMemo, useState } from 'react';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { useCatalogue } from './catalogue';
import { fullShape } from './derive';
import type { ValueType } from './model';
import { nodeName } from './nodeName';
import { useEditor, useEditorStore } from './store';
import { type Extraction, judge, replaced, subflowOf } from './subflow';
import { editorWords } from './words';

const CREATE = graphql(`
  mutation EditorCreateSubflow($document: JSON!) {
    createFlow(document: $document) {
      value { flow { id key name } }
      errors { ...Refusal }
    }
  }
`);

const PUBLISH = graphql(`
  mutation EditorPublishSubflow($key: String!) {
    publishFlow(key: $key) {
      value { version { id number } }
      errors { ...Refusal }
    }
  }
`);

export function SubflowDialog() {
  const open = useEditor((state) => state.dialog === 'subflow');
  return open ? <Asking /> : null;
}

function Asking() {
  const t = useWords(editorWords);
  const c = useWords(common);
  const text = useText();
  const { message } = App.useApp();
  const store = useEditorStore();
  const catalogue = useCatalogue();
  const mayPublish = useMay('flows.publish');
  const [create, creating] = useChange(CREATE);
  const [publish, publishing] = useChange(PUBLISH);
  const [name, setName] = useState('');
  const [live, setLive] = useState(mayPublish);
  const judged = useMemo(() => {
    const { doc, selection } = store.getState();
    const definition = (node: string) => catalogue.types.get(doc.nodes[node]?.type ?? '')?.definition;
    return judge(doc, selection.nodes, {
      outputType(node, output) {
        const outputs = (definition(node)?.outputs ?? []) as {
          name: string;
          type: ValueType;
          secret?: boolean;
        }[];
        const found = outputs.find((one) => one.name === output);
        return { type: found?.type ?? 'any', secret: found?.secret ?? false };
      },
      ports: (node) => fullShape(doc, node, catalogue).ports.map((port) => port.name),
      terminal: (node) => definition(node)?.terminal === true,
      name: (node) => nodeName(doc, node, catalogue),
    });
  }, [store, catalogue]);
  const close = () => store.getState().ask(null);

  if ('problem' in judged) {
    return (
      <Modal
        open
        title={t('toSubflow')}
        onCancel={close}
        footer={<Button onClick={close}>{c('close')}</Button>}
      >
        <Alert type="warning" showIcon title={text(judged.problem)} />
      </Modal>
    );
  }
  const found: Extraction = judged.extraction;
  const make = async () => {
    const { doc } = store.getState();
    const wanted = `${doc.id || store.getState().key}-part`.slice(0, 100);
    const { value } = await create({ document: subflowOf(doc, found, wanted, name.trim()) });
    if (!value) return;
    const { key } = value.flow;
    if (live) await publish({ key });
    const done = replaced(store.getState().doc, found, key, name.trim());
    store.getState().apply({ zh: `提取子流程“${name}”`, en: `Make the subflow “${name}”` }, () => done.doc);
    store.getState().select({ nodes: new Set([done.id]) });
    store.getState().ask(null);
    void message.success(t('subflowMade', { name: value.flow.name }));
  };
  const columns = [
    { title: t('variable'), dataIndex: 'name' },
    { title: t('type'), dataIndex: 'type', render: (type: ValueType) => t(`type_${type}`) },
    { title: t('value'), dataIndex: 'value', render: (value: string) => <code>{value}</code> },
  ];
  return (
    <Modal
      open
      width={640}
      title={t('toSubflow')}
      okText={t('makeSubflow')}
      cancelText={c('cancel')}
      okButtonProps={{ disabled: !name.trim(), loading: creating || publishing }}
      onOk={() => void make()}
      onCancel={close}
    >
      <Form
        layout="vertical"
        className="cw-subflow"
        requiredMark={false}
        onFinish={() => name.trim() && void make()}
      >
        <p>{t('subflowHelp', { count: found.nodes.length })}</p>
        <Form.Item label={c('name')} required>
          <Input
            autoFocus
            aria-label={c('name')}
            value={name}
            maxLength={100}
            onChange={(event) => setName(event.target.value)}
          />
        </Form.Item>
        {(['inputs', 'outputs'] as const).map(
          (side) =>
            found[side].length > 0 && (
              <Form.Item key={side} label={t(side)}>
                <Table
                  size="small"
                  rowKey="name"
                  pagination={false}
                  columns={columns}
                  dataSource={found[side]}
                />
              </Form.Item>
            ),
        )}
        {found.exits.length > 1 && (
          <p className="cw-quiet">{t('subflowExits', { count: found.exits.length })}</p>
        )}
        {mayPublish && (
          <Checkbox checked={live} onChange={(event) => setLive(event.target.checked)}>
            {t('subflowLive')}
          </Checkbox>
        )}
      </Form>
    </Modal>
  );
}
