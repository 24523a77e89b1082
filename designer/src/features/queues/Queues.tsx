import { App, Button, Form, Input, InputNumber, Select, Switch } from 'antd';
import { ListOrdered, Pencil, Plus, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useMay } from '@/app/session';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, EmptyState, IconButton, StateTag } from '@/ui';
import { FormDrawer } from '@/ui/forms';
import { FilterBar } from '@/ui/lists';
import {
  BLANK_QUEUE,
  DELETE_QUEUE,
  formOf,
  inputOf,
  type Queue,
  type QueueForm,
  SAVE_QUEUE,
  SET_MEMBERS,
  type Setup,
  THRESHOLDS,
} from './data';
import { SkillFields } from './SkillFields';
import './queues.css';
import { ListTable } from '@/ui/table';
import { queueWords } from './words';

const STRATEGIES = [
  'longest_idle',
  'fewest_calls',
  'even_share',
  'skill',
  'ring_order',
  'last_agent',
] as const;
const SEATS = ['ordinary', 'expert', 'supervisor'] as const;
const ALERTS = {
  waiting: 'thWaiting',
  longest: 'thLongest',
  service_level: 'thServiceLevel',
  expected: 'thExpected',
} as const;

export function Queues({
  setup,
  loading,
  reload,
}: {
  setup: Setup | undefined;
  loading: boolean;
  reload: () => void;
}) {
  const w = useWords(queueWords);
  const c = useWords(common);
  const text = useText();
  const may = useMay('queues.manage');
  const { message } = App.useApp();
  const [editing, setEditing] = useState<Queue | 'new' | null>(null);
  const [save] = useChange(SAVE_QUEUE);
  const [setMembers] = useChange(SET_MEMBERS);
  const [remove] = useChange(DELETE_QUEUE);
  const initial = useMemo<QueueForm>(
    () => (editing && editing !== 'new' ? formOf(editing) : BLANK_QUEUE),
    [editing],
  );
  const strategy = (name: string) => (name === 'skill' ? w('skill_strategy') : w(name as 'longest_idle'));
  const queues = setup?.queues;
  const add = may && (
    <Button type="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setEditing('new')}>
      {w('newQueue')}
    </Button>
  );
  return (
    <>
      {queues?.length === 0 ? (
        <EmptyState
          icon={<ListOrdered size={32} aria-hidden />}
          title={w('noQueues')}
          help={w('noQueuesHelp')}
          action={add}
        />
      ) : (
        <>
          <FilterBar>
            <span className="cw-grow" />
            {add}
          </FilterBar>
          <ListTable<Queue>
            rowKey="name"
            size="middle"
            loading={loading}
            dataSource={queues ?? []}
            pagination={false}
            columns={[
              {
                title: w('name'),
                render: (_, one) => (
                  <>
                    <strong>{text(one.label) || one.name}</strong>{' '}
                    <span className="cw-quiet">{one.name}</span>
                  </>
                ),
              },
              { title: w('strategy'), render: (_, one) => strategy(one.strategy) },
              { title: w('agents'), render: (_, one) => w('agentsCount', { count: one.members.length }) },
              {
                title: w('serviceLevel'),
                render: (_, one) => (
                  <span className="cw-num">
                    {w('serviceLevelWords', {
                      target: one.serviceLevelTarget,
                      seconds: one.serviceLevelSeconds,
                    })}
                  </span>
                ),
              },
              { title: w('priority'), dataIndex: 'priority' },
              {
                title: c('state'),
                render: (_, one) => (
                  <StateTag tone={one.enabled ? 'good' : 'off'}>
                    {one.enabled ? w('enabled') : w('disabled')}
                  </StateTag>
                ),
              },
              {
                title: <span className="cw-hidden">{c('actions')}</span>,
                width: 90,
                render: (_, one) =>
                  may && (
                    <span className="cw-row-actions">
                      <IconButton
                        label={`${c('edit')} ${one.name}`}
                        icon={<Pencil size={14} />}
                        onClick={() => setEditing(one)}
                      />
                      <ConfirmDelete
                        name={text(one.label) || one.name}
                        help={w('deleteQueueHelp')}
                        onConfirm={async () => {
                          if ((await remove({ name: one.name })).value) reload();
                        }}
                      >
                        <Button
                          type="text"
                          danger
                          aria-label={`${c('delete')} ${one.name}`}
                          icon={<Trash2 size={14} />}
                        />
                      </ConfirmDelete>
                    </span>
                  ),
              },
            ]}
          />
        </>
      )}
      <FormDrawer<QueueForm>
        open={editing !== null}
        title={
          editing && editing !== 'new'
            ? c('named', { what: w('editQueue'), name: text(editing.label) || editing.name })
            : w('newQueue')
        }
        initial={initial}
        width={620}
        onClose={() => setEditing(null)}
        onSave={async (values) => {
          const done = await save({ queue: inputOf(values) }, { quiet: true });
          if (done.errors.length > 0) return done.errors;
          const members = await setMembers({ name: values.name, users: values.members }, { quiet: true });
          if (members.errors.length > 0) return members.errors;
          void message.success(c('saved'));
          setEditing(null);
          reload();
          return [];
        }}
      >
        <Form.Item
          name="name"
          label={w('name')}
          extra={w('nameHelp')}
          rules={[{ required: true, message: c('required') }]}
        >
          <Input autoFocus disabled={editing !== 'new'} maxLength={64} />
        </Form.Item>
        <div className="cw-two">
          <Form.Item name="labelZh" label={w('labelZh')} rules={[{ required: true, message: c('required') }]}>
            <Input maxLength={200} />
          </Form.Item>
          <Form.Item name="labelEn" label={w('labelEn')} rules={[{ required: true, message: c('required') }]}>
            <Input maxLength={200} />
          </Form.Item>
          <Form.Item name="position" label={w('position')} extra={w('positionHelp')}>
            <InputNumber min={0} max={9999} />
          </Form.Item>
        </div>
        <h3 className="cw-section">{w('routing')}</h3>
        <Form.Item name="members" label={w('members')} extra={w('membersHelp')}>
          <Select
            mode="multiple"
            showSearch={{ optionFilterProp: 'label' }}
            options={(setup?.agents ?? []).map((one) => ({ value: one.userId, label: one.displayName }))}
          />
        </Form.Item>
        <Form.Item name="strategy" label={w('strategy')}>
          <Select options={STRATEGIES.map((value) => ({ value, label: strategy(value) }))} />
        </Form.Item>
        <SkillFields name="skillRows" label={w('needSkills')} />
        <Form.Item name="seats" label={w('seats')} extra={w('seatsHelp')}>
          <Select mode="multiple" options={SEATS.map((value) => ({ value, label: w(value) }))} />
        </Form.Item>
        <div className="cw-two">
          <Form.Item name="priority" label={w('priority')} extra={w('priorityHelp')}>
            <InputNumber min={-100} max={100} />
          </Form.Item>
          <Form.Item name="ageSeconds" label={w('ageSeconds')} extra={w('ageSecondsHelp')}>
            <InputNumber min={0} max={3600} />
          </Form.Item>
          <Form.Item name="ringSeconds" label={w('ringSeconds')}>
            <InputNumber min={5} max={120} />
          </Form.Item>
          <Form.Item name="againSeconds" label={w('againSeconds')} extra={w('againSecondsHelp')}>
            <InputNumber min={1} max={3600} />
          </Form.Item>
          <Form.Item
            name="lastAgent"
            label={w('lastAgent')}
            extra={w('lastAgentHelp')}
            valuePropName="checked"
          >
            <Switch />
          </Form.Item>
          <Form.Item name="lastAgentSeconds" label={w('lastAgentSeconds')} extra={w('lastAgentSecondsHelp')}>
            <InputNumber min={0} max={3600} />
          </Form.Item>
          <Form.Item name="wrapUpSeconds" label={w('wrapUp')} extra={w('wrapUpQueueHelp')}>
            <InputNumber min={-1} max={3600} />
          </Form.Item>
        </div>
        <h3 className="cw-section">{w('patience')}</h3>
        <Form.Item label={w('overflow')}>
          <Form.List name="overflow">
            {(rows, list) => (
              <div className="cw-skill-rows">
                {rows.map((row) => (
                  <div key={row.key} className="cw-row">
                    <Form.Item name={[row.name, 'queue']} noStyle>
                      <Select
                        style={{ minWidth: 160 }}
                        aria-label={w('overflow')}
                        options={(queues ?? [])
                          .filter((one) => one.name !== initial.name)
                          .map((one) => ({ value: one.name, label: text(one.label) || one.name }))}
                      />
                    </Form.Item>
                    <Form.Item name={[row.name, 'afterSeconds']} noStyle initialValue={60}>
                      <InputNumber min={0} max={7200} aria-label={w('overflowAfter')} />
                    </Form.Item>
                    <span className="cw-quiet">{w('overflowAfter')}</span>
                    <Form.Item name={[row.name, 'when']} noStyle initialValue="always">
                      <Select
                        style={{ minWidth: 120 }}
                        aria-label={w('overflowWhen')}
                        options={[
                          { value: 'always', label: w('always') },
                          { value: 'no_agents', label: w('no_agents') },
                        ]}
                      />
                    </Form.Item>
                    <Button
                      type="text"
                      aria-label={c('delete')}
                      icon={<Trash2 size={14} />}
                      onClick={() => list.remove(row.name)}
                    />
                  </div>
                ))}
                <Button
                  size="small"
                  icon={<Plus size={14} aria-hidden />}
                  onClick={() => list.add({ afterSeconds: 60, when: 'always' })}
                >
                  {w('addOverflow')}
                </Button>
              </div>
            )}
          </Form.List>
        </Form.Item>
        <div className="cw-two">
          <Form.Item name="outsideNumber" label={w('outsideNumber')}>
            <Input inputMode="tel" />
          </Form.Item>
          <Form.Item name="outsideAfter" label={w('outsideAfter')}>
            <InputNumber min={1} max={50} />
          </Form.Item>
          <Form.Item name="maxWaiting" label={w('maxWaiting')}>
            <InputNumber min={0} max={10000} />
          </Form.Item>
          <Form.Item name="music" label={w('music')} extra={w('musicHelp')}>
            <Input maxLength={64} placeholder="default" />
          </Form.Item>
        </div>
        <h3 className="cw-section">{w('screen')}</h3>
        <Form.Item name="script" label={w('script')} extra={w('scriptHelp')}>
          <Input.TextArea autoSize={{ minRows: 3, maxRows: 12 }} maxLength={8000} />
        </Form.Item>
        <Form.Item name="popUrl" label={w('popUrl')} extra={w('popUrlHelp')}>
          <Input placeholder="https://" />
        </Form.Item>
        <h3 className="cw-section">{w('watching')}</h3>
        <div className="cw-two">
          <Form.Item name="serviceLevelSeconds" label={w('serviceLevelSeconds')}>
            <InputNumber min={1} max={3600} />
          </Form.Item>
          <Form.Item name="serviceLevelTarget" label={w('serviceLevelTarget')}>
            <InputNumber min={1} max={100} />
          </Form.Item>
        </div>
        <h4 className="cw-subsection">{w('thresholds')}</h4>
        <p className="cw-quiet">{w('thresholdsHelp')}</p>
        <div className="cw-two">
          {THRESHOLDS.map((one) => (
            <Form.Item key={one} name={['thresholds', one]} label={w(ALERTS[one])}>
              <InputNumber min={0} />
            </Form.Item>
          ))}
          <Form.Item name="record" label={w('record')} extra={w('recordHelp')} valuePropName="checked">
            <Switch />
          </Form.Item>
          <Form.Item name="enabled" label={w('enabled')} extra={w('enabledHelp')} valuePropName="checked">
            <Switch />
          </Form.Item>
        </div>
      </FormDrawer>
    </>
  );
}
