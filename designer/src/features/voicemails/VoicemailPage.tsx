/** Voicemail: the messages of one's boxes, and the boxes themselves. */
import { App, Button, Form, Input, Select, Switch, Tabs } from 'antd';
import { Inbox, Phone as PhoneIcon, Trash2, Voicemail } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { useQuery, useSubscription } from 'urql';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import type { VoicemailBoxesQuery, VoicemailListQuery } from '@/gql/graphql';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, EmptyState, groupedPhone, PageHeader, Phone, StateTag, Time, type Tone } from '@/ui';
import { Crud } from '@/ui/crud';
import { useFilters } from '@/ui/filters';
import { Failure, FilterBar, LoadMore, SearchBox } from '@/ui/lists';
import { usePages } from '@/ui/paging';
import { ListTable } from '@/ui/table';
import { useDesk } from '../console/desk';
import { clock, RecordingPlayer } from '../recordings/Player';
import { voicemailWords } from './words';

const LIST = graphql(`
  query VoicemailList($after: String, $filter: VoicemailFilterInput!) {
    voicemails(first: 100, after: $after, filter: $filter) {
      nodes {
        id box seconds complete state note createdAt caller region { zh en } callbackNumber assignedTo assignedName handledName url
        customer { id name }
      }
      endCursor
      hasNext
    }
    colleagues { id name }
  }
`);
const BOXES = graphql(`
  query VoicemailBoxes {
    voicemailBoxes { id name label { zh en } queue members createTask new total }
    queueNames { name label { zh en } }
  }
`);
const EVENTS = graphql(`
  subscription VoicemailNews {
    voicemailEvents { __typename }
  }
`);
const STATE = graphql(`
  mutation SetVoicemailState($id: String!, $state: String!) {
    setVoicemailState(id: $id, state: $state) {
      value { id state } errors { ...Refusal }
    }
  }
`);
const ASSIGN = graphql(`
  mutation AssignVoicemail($id: String!, $user: String) {
    assignVoicemail(id: $id, userId: $user) { value { id } errors { ...Refusal } }
  }
`);
const NOTE = graphql(`
  mutation NoteVoicemail($id: String!, $note: String!) {
    noteVoicemail(id: $id, note: $note) { value { id } errors { ...Refusal } }
  }
`);
const CALL_BACK = graphql(`
  mutation CallBackVoicemail($id: String!, $extension: String!) {
    callBackVoicemail(id: $id, extension: $extension) {
      value { callId } errors { ...Refusal }
    }
  }
`);
const DELETE = graphql(`
  mutation DeleteVoicemail($id: String!) {
    deleteVoicemail(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
const SAVE_BOX = graphql(`
  mutation SaveVoicemailBox($input: VoicemailBoxInput!) {
    saveVoicemailBox(input: $input) { value { name } errors { ...Refusal } }
  }
`);
const DELETE_BOX = graphql(`
  mutation DeleteVoicemailBox($id: String!) {
    deleteVoicemailBox(id: $id) { value { ok } errors { ...Refusal } }
  }
`);

type Row = VoicemailListQuery['voicemails']['nodes'][number];
type Box = VoicemailBoxesQuery['voicemailBoxes'][number];
const KEYS = ['tab', 'box', 'state', 'number'] as const;
const STATES = ['new', 'heard', 'accepted', 'done'] as const;
const TONES: Record<string, Tone> = { new: 'wait', heard: 'off', accepted: 'act', done: 'good' };

export default function VoicemailPage() {
  const w = useWords(voicemailWords);
  const mayBoxes = useMay('voicemails.all');
  const [filters, setFilters] = useFilters('voicemail', KEYS);
  const [boxes, ask] = useQuery({ query: BOXES, requestPolicy: 'cache-and-network' });
  const reload = () => ask({ requestPolicy: 'network-only' });
  const list = boxes.data?.voicemailBoxes;
  return (
    <>
      <PageHeader title={w('title')} help={w('help')} />
      {filters.tab === 'boxes' && (
        <Failure error={boxes.error} retry={() => ask({ requestPolicy: 'network-only' })} />
      )}
      {mayBoxes ? (
        <Tabs
          activeKey={filters.tab || 'messages'}
          onChange={(tab) => setFilters({ tab: tab === 'messages' ? '' : tab })}
          destroyOnHidden
          items={[
            {
              key: 'messages',
              label: w('messages'),
              children: <Messages boxes={list ?? []} moved={reload} />,
            },
            {
              key: 'boxes',
              label: w('boxes'),
              children: (
                <Boxes
                  boxes={list}
                  queues={boxes.data?.queueNames ?? []}
                  loading={boxes.fetching && !list}
                  reload={reload}
                />
              ),
            },
          ]}
        />
      ) : (
        <Messages boxes={list ?? []} moved={reload} />
      )}
    </>
  );
}

function Messages({ boxes, moved }: { boxes: readonly Box[]; moved: () => void }) {
  const w = useWords(voicemailWords);
  const c = useWords(common);
  const text = useText();
  const { message } = App.useApp();
  const mayDelete = useMay('voicemails.delete');
  const extension = useDesk((now) => now.agent?.extension ?? '');
  const [filters, setFilters] = useFilters('voicemail', KEYS);
  const [number, setNumber] = useState(filters.number);
  useEffect(() => {
    if (number === filters.number) return;
    const timer = setTimeout(() => setFilters({ number }), 300);
    return () => clearTimeout(timer);
  }, [number, filters.number, setFilters]);
  const filter = useMemo(
    () => ({ box: filters.box || null, state: filters.state || null, number: filters.number }),
    [filters.box, filters.state, filters.number],
  );
  const pages = usePages(LIST, { filter }, (data) => data.voicemails);
  const { rows } = pages;
  const reload = () => {
    pages.reload();
    moved();
  };
  useSubscription({ query: EVENTS }, (_, news) => {
    reload();
    return news;
  });
  const [setState] = useChange(STATE);
  const [assign] = useChange(ASSIGN);
  const [note] = useChange(NOTE);
  const [callBack] = useChange(CALL_BACK);
  const [remove] = useChange(DELETE);
  const boxName = (name: string) => text(boxes.find((one) => one.name === name)?.label) || name;
  const stateName = (state: string) =>
    (STATES as readonly string[]).includes(state) ? w(state as 'new') : state;
  const put = async (one: Row, state: string) => {
    if ((await setState({ id: one.id, state })).value) reload();
  };
  return (
    <>
      <Failure error={pages.error} retry={reload} />
      <FilterBar>
        <SearchBox value={number} onChange={setNumber} label={w('number')} width={180} />
        <Select
          style={{ minWidth: 150 }}
          value={filters.box}
          aria-label={w('box')}
          onChange={(box) => setFilters({ box })}
          options={[
            { value: '', label: w('allBoxes') },
            ...boxes.map((one) => ({ value: one.name, label: `${boxName(one.name)} (${one.new})` })),
          ]}
        />
        <Select
          style={{ minWidth: 130 }}
          value={filters.state}
          aria-label={c('state')}
          onChange={(state) => setFilters({ state })}
          options={[
            { value: '', label: w('allStates') },
            ...STATES.map((value) => ({ value, label: w(value) })),
          ]}
        />
      </FilterBar>
      {rows?.length === 0 ? (
        <EmptyState icon={<Voicemail size={32} aria-hidden />} title={w('none')} help={w('noneHelp')} />
      ) : (
        <ListTable<Row>
          rowKey="id"
          size="middle"
          loading={!rows && !pages.error}
          dataSource={rows ?? []}
          pagination={false}
          expandable={{
            onExpand: (open, one) => {
              if (open && one.state === 'new') void put(one, 'heard');
            },
            expandedRowRender: (one) => (
              <div className="cw-rows">
                <RecordingPlayer
                  url={one.url}
                  seconds={one.seconds}
                  complete={one.complete}
                  label={one.caller}
                />
                <Input.TextArea
                  autoSize
                  defaultValue={one.note}
                  placeholder={w('note')}
                  aria-label={w('note')}
                  onBlur={(event) => {
                    if (event.target.value !== one.note) void note({ id: one.id, note: event.target.value });
                  }}
                />
              </div>
            ),
          }}
          columns={[
            { title: w('at'), render: (_, one) => <Time at={one.createdAt} /> },
            {
              title: w('caller'),
              render: (_, one) => (
                <>
                  <strong>{one.customer?.name || <Phone number={one.caller} />}</strong>
                  <div className="cw-quiet">
                    {one.customer?.name ? (
                      <Phone number={one.caller} region={one.region} />
                    ) : (
                      text(one.region)
                    )}
                  </div>
                  {one.callbackNumber && (
                    <div className="cw-quiet">
                      {w('leftNumber', { number: groupedPhone(one.callbackNumber) })}
                    </div>
                  )}
                </>
              ),
            },
            { title: w('box'), render: (_, one) => boxName(one.box) },
            {
              title: w('length'),
              align: 'right',
              render: (_, one) => <span className="cw-num">{clock(one.seconds)}</span>,
            },
            {
              title: c('state'),
              render: (_, one) => (
                <StateTag tone={TONES[one.state] ?? 'off'}>
                  {stateName(one.state)} {one.handledName || one.assignedName}
                </StateTag>
              ),
            },
            {
              title: <span className="cw-hidden">{c('actions')}</span>,
              render: (_, one) => (
                <span className="cw-row-actions">
                  {one.state !== 'accepted' && one.state !== 'done' && (
                    <Button size="small" onClick={() => void put(one, 'accepted')}>
                      {w('accept')}
                    </Button>
                  )}
                  <Button
                    size="small"
                    icon={<PhoneIcon size={14} aria-hidden />}
                    onClick={async () => {
                      if (!extension) return void message.warning(w('noExtension'));
                      if ((await callBack({ id: one.id, extension })).value) {
                        void message.info(w('calling'));
                        reload();
                      }
                    }}
                  >
                    {w('callBack')}
                  </Button>
                  {one.state !== 'done' && (
                    <Button size="small" onClick={() => void put(one, 'done')}>
                      {w('markDone')}
                    </Button>
                  )}
                  <Select
                    size="small"
                    style={{ width: 120 }}
                    allowClear
                    aria-label={w('assign')}
                    placeholder={w('assign')}
                    value={one.assignedTo ?? undefined}
                    options={(pages.data?.colleagues ?? []).map((who) => ({
                      value: who.id,
                      label: who.name,
                    }))}
                    onChange={async (user: string | undefined) => {
                      if ((await assign({ id: one.id, user: user ?? null })).value) reload();
                    }}
                  />
                  {mayDelete && (
                    <ConfirmDelete
                      name={one.caller}
                      onConfirm={async () => {
                        if ((await remove({ id: one.id })).value) reload();
                      }}
                    >
                      <Button type="text" danger aria-label={c('delete')} icon={<Trash2 size={14} />} />
                    </ConfirmDelete>
                  )}
                </span>
              ),
            },
          ]}
        />
      )}
      <LoadMore pages={pages} />
    </>
  );
}

interface BoxForm {
  name: string;
  labelZh: string;
  labelEn: string;
  queue: string;
  members: string[];
  createTask: boolean;
}

const PEOPLE = graphql(`
  query VoicemailPeople {
    colleagues { id name }
  }
`);

function Boxes({
  boxes,
  queues,
  loading,
  reload,
}: {
  boxes: readonly Box[] | undefined;
  queues: readonly { name: string; label: { zh: string; en: string } }[];
  loading: boolean;
  reload: () => void;
}) {
  const w = useWords(voicemailWords);
  const c = useWords(common);
  const text = useText();
  const [people] = useQuery({ query: PEOPLE });
  const [save] = useChange(SAVE_BOX);
  const [remove] = useChange(DELETE_BOX);
  return (
    <Crud<Box, BoxForm>
      icon={<Inbox size={32} aria-hidden />}
      rows={boxes}
      loading={loading}
      reload={reload}
      may
      rowKey={(one) => one.name}
      nameOf={(one) => text(one.label) || one.name}
      words={{
        add: w('newBox'),
        edit: w('editBox'),
        none: w('noBoxes'),
        noneHelp: w('noBoxesHelp'),
        deleteHelp: w('deleteBox'),
      }}
      blank={{ name: '', labelZh: '', labelEn: '', queue: '', members: [], createTask: true }}
      formOf={(one) => ({
        name: one.name,
        labelZh: one.label.zh,
        labelEn: one.label.en,
        queue: one.queue,
        members: [...one.members],
        createTask: one.createTask,
      })}
      save={async (input) => (await save({ input }, { quiet: true })).errors}
      remove={async (one) =>
        one.id !== null && one.id !== undefined && (await remove({ id: one.id })).value !== null
      }
      columns={[
        {
          title: w('name'),
          render: (_, one) => (
            <>
              <strong>{text(one.label) || one.name}</strong> <span className="cw-quiet">{one.name}</span>
            </>
          ),
        },
        { title: w('messages'), render: (_, one) => w('counts', { fresh: one.new, total: one.total }) },
        { title: w('createTask'), render: (_, one) => (one.createTask ? c('yes') : c('no')) },
      ]}
      fields={(row) => (
        <>
          <Form.Item name="name" label={w('name')} rules={[{ required: true, message: c('required') }]}>
            <Input autoFocus disabled={row !== null} maxLength={64} />
          </Form.Item>
          <Form.Item name="labelZh" label={w('labelZh')}>
            <Input maxLength={120} />
          </Form.Item>
          <Form.Item name="labelEn" label={w('labelEn')}>
            <Input maxLength={120} />
          </Form.Item>
          <Form.Item name="queue" label={w('queue')}>
            <Select
              options={[
                { value: '', label: c('none') },
                ...queues.map((one) => ({ value: one.name, label: text(one.label) || one.name })),
              ]}
            />
          </Form.Item>
          <Form.Item name="members" label={w('members')}>
            <Select
              mode="multiple"
              options={(people.data?.colleagues ?? []).map((one) => ({ value: one.id, label: one.name }))}
            />
          </Form.Item>
          <Form.Item name="createTask" label={w('createTask')} valuePropName="checked">
            <Switch />
          </Form.Item>
        </>
      )}
    />
  );
}
