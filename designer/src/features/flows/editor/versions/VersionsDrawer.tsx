import { useReactFlow } from '@xyflow/react';
import { App, Button, Modal, Select, Space, Tag, Tooltip } from 'antd';
import { Download, FileDiff, RotateCcw } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useClient, useQuery } from 'urql';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import type { FlowVersionsQuery } from '@/gql/graphql';
import { useChange } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { EmptyState, IconButton, Time, useAliasName, useWhoName } from '@/ui';
import { useMarks } from '../marks';
import { readDoc } from '../model';
import { useEditor, useEditorStore } from '../store';
import { useSync } from '../syncContext';
import { Changes } from './Changes';
import { comparison, DIFFERENCE, overlay, useComparison } from './diff';
import { Impact } from './Impact';
import './versions.css';
import { versionWords } from './words';

const VERSIONS = graphql(`
  query FlowVersions($key: String!) {
    flow(key: $key) {
      id
      aliases { name version }
      versions { id number author note createdAt }
    }
  }
`);

const DOCUMENT = graphql(`
  query VersionDocument($key: String!, $number: Int!) {
    flowVersion(key: $key, number: $number) { id number document }
  }
`);

const MOVE = graphql(`
  mutation MoveAlias($key: String!, $alias: String!, $version: Int!) {
    moveAlias(key: $key, alias: $alias, version: $version) {
      value { name version }
      errors { ...Refusal }
    }
  }
`);

type Version = FlowVersionsQuery['flow']['versions'][number];

/** The history of a flow: compare, take into the draft, put live, go back. */
export function VersionsDrawer() {
  const t = useWords(versionWords);
  const { message } = App.useApp();
  const store = useEditorStore();
  const client = useClient();
  const key = useEditor((state) => state.key);
  const readOnly = useEditor((state) => state.readOnly);
  const mayPublish = useMay('flows.publish');
  const [answer, ask] = useQuery({ query: VERSIONS, variables: { key }, requestPolicy: 'cache-and-network' });
  const [moving, setMoving] = useState<{ alias: string; version: Version } | null>(null);
  const difference = useComparison((now) => now.difference);
  const old = useComparison((now) => now.old);
  const marks = useComparison((now) => now.marks);
  const flow = answer.data?.flow;
  const versions = flow?.versions ?? [];

  const aliasName = useAliasName();
  const whoName = useWhoName();
  const flowView = useReactFlow();
  const sync = useSync();
  useMarks('comparison', marks);
  const endComparison = () => {
    comparison.getState().end();
    store.getState().show(null);
  };
  useEffect(
    () => () => {
      comparison.getState().end();
      store.getState().show(null);
    },
    [store],
  );

  const documentOf = async (number: number) => {
    const found = await client.query(DOCUMENT, { key, number }).toPromise();
    return found.data ? readDoc(found.data.flowVersion.document) : null;
  };

  const compare = async (from: string) => {
    const number = from === 'live' ? flow?.aliases.find((one) => one.name === 'live')?.version : Number(from);
    if (!number) return;
    // The server compares what it has: the last changes go there first.
    await sync.flush();
    const [document, told] = await Promise.all([
      documentOf(number),
      client
        .query(DIFFERENCE, { key, old: String(number), new: 'draft' }, { requestPolicy: 'network-only' })
        .toPromise(),
    ]);
    if (!document || !told.data) return;
    const both = overlay(told.data.flowDiff, document, store.getState().doc);
    comparison.getState().show(from, told.data.flowDiff, both.marks);
    store.getState().show(both.doc);
    // What differs comes into view; the canvas needs a moment to draw both.
    const touched = Object.keys(both.marks.nodes ?? {}).map((id) => ({ id }));
    if (touched.length > 0)
      setTimeout(
        () => void flowView.fitView({ nodes: touched, padding: 0.15, minZoom: 0.4, maxZoom: 0.75 }),
        60,
      );
  };

  const restore = async (version: Version) => {
    const document = await documentOf(version.number);
    if (!document) return;
    store
      .getState()
      .apply({ zh: `恢复版本 ${version.number}`, en: `Take version ${version.number}` }, (doc) => ({
        ...document,
        id: doc.id,
      }));
    void message.success(t('restored', { number: version.number }));
  };

  const save = async (version: Version) => {
    const document = await documentOf(version.number);
    if (!document) return;
    const link = window.document.createElement('a');
    link.href = URL.createObjectURL(
      new Blob([JSON.stringify(document, null, 2)], { type: 'application/json' }),
    );
    link.download = `${key}-v${version.number}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  };

  if (versions.length === 0 && !answer.fetching)
    return <EmptyState title={t('noVersions')} help={t('noVersionsHelp')} />;

  return (
    <section className="cw-versions" aria-label={t('title')}>
      <ol className="cw-version-list">
        {versions.map((version) => {
          const aliases = (flow?.aliases ?? []).filter((one) => one.version === version.number);
          return (
            <li key={version.id} data-on={old === String(version.number)}>
              <div className="cw-version-head">
                <strong>{t('version', { number: version.number })}</strong>
                {aliases.map((one) => (
                  <Tag key={one.name} color={one.name === 'live' ? 'success' : 'processing'}>
                    {aliasName(one.name)}
                  </Tag>
                ))}
                <span className="cw-quiet">
                  <Time at={version.createdAt} />{' '}
                  {version.author && t('by', { who: whoName(version.author) })}
                </span>
              </div>
              {version.note && <p>{version.note}</p>}
              <Space size={4} wrap className="cw-version-acts">
                <Button
                  size="small"
                  icon={<FileDiff size={14} aria-hidden />}
                  onClick={() => void compare(String(version.number))}
                >
                  {t('compare')}
                </Button>
                <Tooltip title={t('restoreHelp', { number: version.number })}>
                  <Button
                    size="small"
                    disabled={readOnly}
                    icon={<RotateCcw size={14} aria-hidden />}
                    onClick={() => void restore(version)}
                  >
                    {t('restore')}
                  </Button>
                </Tooltip>
                {mayPublish && !aliases.some((one) => one.name === 'live') && (
                  <Button size="small" onClick={() => setMoving({ alias: 'live', version })}>
                    {t('putLive')}
                  </Button>
                )}
                {mayPublish && !aliases.some((one) => one.name === 'test') && (
                  <Button size="small" onClick={() => setMoving({ alias: 'test', version })}>
                    {t('putTest')}
                  </Button>
                )}
                <IconButton
                  size="small"
                  label={t('export')}
                  icon={<Download size={14} />}
                  onClick={() => void save(version)}
                />
              </Space>
            </li>
          );
        })}
      </ol>
      <div className="cw-version-diff">
        <Space wrap>
          <span>{t('compareTwo')}</span>
          <Select
            size="small"
            style={{ minWidth: 140 }}
            value={old}
            placeholder="…"
            aria-label={t('compareTwo')}
            options={versions.map((one) => ({
              value: String(one.number),
              label: t('version', { number: one.number }),
            }))}
            onChange={(value) => void compare(value)}
          />
          <span>{t('with')}</span>
          {difference && (
            <Button size="small" onClick={endComparison}>
              {t('endCompare')}
            </Button>
          )}
        </Space>
        {difference ? <Changes difference={difference} /> : <p className="cw-quiet">{t('compareHelp')}</p>}
      </div>
      {moving && (
        <MoveDialog
          {...moving}
          from={flow?.aliases.find((one) => one.name === moving.alias)?.version ?? null}
          close={(done) => {
            setMoving(null);
            if (done) ask({ requestPolicy: 'network-only' });
          }}
        />
      )}
    </section>
  );
}

function MoveDialog({
  alias,
  version,
  from,
  close,
}: {
  alias: string;
  version: Version;
  from: number | null;
  close: (done: boolean) => void;
}) {
  const t = useWords(versionWords);
  const c = useWords(common);
  const { message } = App.useApp();
  const key = useEditor((state) => state.key);
  const [move, busy] = useChange(MOVE);
  const aliasName = useAliasName();
  return (
    <Modal
      open
      title={t('moveTitle', { alias: aliasName(alias), number: version.number })}
      okText={t('move')}
      cancelText={c('cancel')}
      confirmLoading={busy}
      onCancel={() => close(false)}
      onOk={async () => {
        const answer = await move({ key, alias, version: version.number });
        if (!answer.value) return;
        void message.success(t('moved', { alias: aliasName(alias), number: version.number }));
        close(true);
      }}
    >
      <div className="cw-publish">
        {from !== null && (
          <p>{t(from > version.number ? 'rollBack' : 'goForward', { from, number: version.number })}</p>
        )}
        <Impact flowKey={key} alias={alias} />
      </div>
    </Modal>
  );
}
