/** Somebody saved a newer draft: both sides, node by node, and the ways out. Nothing is lost in any of them. */
import { App, Button, Modal, Table, Tag } from 'antd';
import { useMemo } from 'react';
import { useNavigate } from 'react-router';
import { useStore } from 'zustand';
import { graphql } from '@/gql';
import { useChange } from '@/graphql/useChange';
import { useLanguage, useText, useWords } from '@/i18n';
import { Time, useWhoName } from '@/ui';
import { useCatalogue } from './catalogue';
import { type Change, changes, FLOW_PARTS, merge } from './merge';
import type { FlowDoc } from './model';
import { shortly } from './shortly';
import { useEditor, useEditorStore } from './store';
import { useSync } from './syncContext';
import { useNodeName } from './useNodeName';
import { editorWords } from './words';

const COPY = graphql(`
  mutation EditorKeepCopy($document: JSON!) {
    createFlow(document: $document) {
      value { flow { id key name } }
      errors { ...Refusal }
    }
  }
`);

interface Row {
  id: string;
  name: string;
  mine?: Change;
  theirs?: Change;
  clash: boolean;
}

/** Parts of the flow, and of a node besides its settings. */
const PARTS = ['type', 'policy', ...FLOW_PARTS] as const;

/** A part of a node, or of the flow (id ''), as one side has it. */
function partOf(doc: FlowDoc, id: string, part: string): unknown {
  if (id === '') return doc[part as keyof FlowDoc];
  const spec = doc.nodes[id];
  if (part === 'name' || part === 'type' || part === 'policy') return spec?.[part];
  return spec?.config[part];
}

export function ConflictDialog() {
  const t = useWords(editorWords);
  const text = useText();
  const whoName = useWhoName();
  const language = useLanguage();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const store = useEditorStore();
  const sync = useSync();
  const catalogue = useCatalogue();
  const open = useEditor((state) => state.dialog === 'conflict');
  const doc = useEditor((state) => state.doc);
  const theirs = useStore(sync.theirs, (state) => state.theirs);
  const nameOf = useNodeName();
  const [copy, copying] = useChange(COPY);
  const both = useMemo(
    () => (theirs && open ? merge(theirs.base, doc, theirs.doc) : null),
    [theirs, doc, open],
  );
  const rows = useMemo((): Row[] => {
    if (!theirs || !both) return [];
    const mine = new Map(changes(theirs.base, doc).map((one) => [one.id, one]));
    const other = new Map(changes(theirs.base, theirs.doc).map((one) => [one.id, one]));
    const clashing = new Set(both.conflicts.map((one) => (one.kind === 'flow' ? '' : one.id)));
    return [...new Set([...mine.keys(), ...other.keys()])]
      .map((id) => ({
        id,
        name:
          id === ''
            ? t('flowItself')
            : nameOf(
                id,
                [doc, theirs.doc, theirs.base].find((one) => id in one.nodes),
              ),
        mine: mine.get(id),
        theirs: other.get(id),
        clash: clashing.has(id),
      }))
      .sort((a, b) => Number(b.clash) - Number(a.clash));
  }, [theirs, both, doc, t, nameOf]);
  if (!theirs || !both) return null;
  const who = theirs.by ? whoName(theirs.by) : t('somebody');

  const fieldTitle = (id: string, field: string): string => {
    const part = PARTS.find((one) => one === field);
    if (part && (id === '' || part === 'name' || part === 'type' || part === 'policy'))
      return t(`part_${part}`);
    const type = (doc.nodes[id] ?? theirs.doc.nodes[id])?.type ?? '';
    const schema = catalogue.types.get(type)?.definition.schema as
      | { properties?: Record<string, { title?: unknown; 'x-title'?: unknown }> }
      | undefined;
    const title = schema?.properties?.[field]?.['x-title'] ?? schema?.properties?.[field]?.title;
    if (typeof title === 'string') return title;
    return title ? text(title as never) : field;
  };
  const said = (side: FlowDoc, id: string, change: Change | undefined) => {
    if (!change) return <span className="cw-quiet">–</span>;
    return (
      <>
        {t(`change_${change.kind}`)}
        {change.fields.length > 0 && (
          <dl className="cw-ed-side">
            {change.fields.map((field) => (
              <div key={field}>
                <dt>{fieldTitle(id, field)}</dt>
                <dd>{shortly(partOf(side, id, field), language) || '–'}</dd>
              </div>
            ))}
          </dl>
        )}
      </>
    );
  };
  const clashes = rows.filter((row) => row.clash).length;
  const later = () => store.getState().ask(null);
  const takeTheirs = () => {
    sync.settle(theirs.doc);
    void message.success(t('tookTheirs'));
  };
  const keepCopy = async () => {
    const { value } = await copy({
      document: { ...doc, name: t('copyOf', { name: doc.name || doc.id }) },
    });
    if (!value) return;
    sync.settle(theirs.doc);
    void message.success(
      <span>
        {t('copied', { name: value.flow.name })}{' '}
        <Button size="small" type="link" onClick={() => navigate(`/flows/${value.flow.key}`)}>
          {t('openCopy')}
        </Button>
      </span>,
      8,
    );
  };
  return (
    <Modal
      open={open}
      width={760}
      title={t('conflictTitle', { who: who })}
      onCancel={later}
      footer={[
        <Button key="copy" loading={copying} onClick={() => void keepCopy()}>
          {t('keepCopy')}
        </Button>,
        <Button key="theirs" danger onClick={takeTheirs}>
          {t('takeTheirs')}
        </Button>,
        <Button key="mine" type="primary" onClick={() => sync.settle(both.doc)}>
          {clashes > 0 ? t('keepMine') : t('mergeBoth')}
        </Button>,
      ]}
    >
      <p>
        {clashes > 0 ? t('conflictHelp', { count: clashes }) : t('mergeHelp')}{' '}
        <span className="cw-quiet">
          <Time at={theirs.at} />
        </span>
      </p>
      <Table<Row>
        className="cw-ed-conflict"
        size="small"
        rowKey="id"
        pagination={rows.length > 8 ? { pageSize: 8 } : false}
        dataSource={rows}
        columns={[
          {
            title: t('node'),
            render: (_, row) => (
              <>
                {row.name} {row.clash && <Tag color="error">{t('bothChanged')}</Tag>}
              </>
            ),
          },
          { title: t('yours'), render: (_, row) => said(doc, row.id, row.mine) },
          { title: who, render: (_, row) => said(theirs.doc, row.id, row.theirs) },
        ]}
      />
    </Modal>
  );
}
