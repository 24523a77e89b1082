/** One list of today's tasks; the plan for tomorrow behind it. */
import { Button, DatePicker, Dropdown, Form, Input, Modal, Segmented, Select, Tooltip } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { CalendarClock, Check, Clock, MoreHorizontal, Phone, Play, Plus, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '@/graphql/useChange';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { EmptyState, groupedPhone, StateTag } from '@/ui';
import { LoadMore } from '@/ui/lists';
import { RecordingPlayer } from '../recordings/Player';
import { desk, useDesk } from './desk';
import { COMPLETE_TASK, CREATE_TASK, POSTPONE_TASK, PUT_BACK_TASK, TAKE_TASK } from './operations';
import { type Task, useTasks } from './tasks';
import { useCallActions } from './useCallActions';
import { WaitingCallers } from './WaitingCallers';
import { consoleWords } from './words';

const KINDS = ['callback', 'voicemail', 'missed', 'planned', 'work'] as const;
type TaskKind = (typeof KINDS)[number];
const isKind = (kind: string): kind is TaskKind => (KINDS as readonly string[]).includes(kind);

export function TasksPane() {
  const t = useWords(consoleWords);
  const { board, tasks, tomorrow, pages, again } = useTasks();
  const [day, setDay] = useState<'today' | 'tomorrow'>('today');
  const [creating, setCreating] = useState(false);
  const shown = day === 'today' ? tasks : tomorrow;
  return (
    <section className="cw-pane cw-tasks" aria-label={t('tasks')}>
      <WaitingCallers />
      <header className="cw-pane-head">
        <Segmented<'today' | 'tomorrow'>
          size="small"
          value={day}
          onChange={setDay}
          options={[
            { value: 'today', label: `${t('today')} ${board?.left ?? tasks.length}` },
            { value: 'tomorrow', label: `${t('tomorrow')} ${board?.tomorrow ?? tomorrow.length}` },
          ]}
        />
        {board && board.overdue > 0 && <StateTag tone="bad">{`${t('overdue')} ${board.overdue}`}</StateTag>}
        <Tooltip title={t('newTask')}>
          <Button
            size="small"
            type="text"
            aria-label={t('newTask')}
            icon={<Plus size={16} />}
            onClick={() => setCreating(true)}
          />
        </Tooltip>
      </header>
      {shown.length === 0 && pages.rows && !pages.hasNext ? (
        <EmptyState title={t('noTasks')} help={t('noTasksHelp')} />
      ) : (
        <ul className="cw-task-list">
          {shown.map((task) => (
            <TaskRow key={task.id} task={task} again={again} />
          ))}
        </ul>
      )}
      <LoadMore pages={pages} />
      {creating && (
        <NewTask
          close={(made) => {
            setCreating(false);
            if (made) again();
          }}
        />
      )}
    </section>
  );
}

function TaskRow({ task, again }: { task: Task; again: () => void }) {
  const t = useWords(consoleWords);
  const text = useText();
  const actions = useCallActions();
  const current = useDesk((now) => now.taskId === task.id);
  const [take] = useChange(TAKE_TASK);
  const [putBack] = useChange(PUT_BACK_TASK);
  const [complete] = useChange(COMPLETE_TASK);
  const [postpone] = useChange(POSTPONE_TASK);
  const [later, setLater] = useState(false);

  const begin = async (): Promise<boolean> => {
    if (task.state === 'open' && !(await take({ id: task.id })).value) {
      again();
      return false;
    }
    desk.getState().set({ taskId: task.id, customerId: task.customerId ?? null });
    again();
    return true;
  };
  const done = async () => {
    await complete({ id: task.id, result: '', note: '' });
    if (current) desk.getState().set({ taskId: null });
    again();
  };
  const postponeTo = async (until: Dayjs, attempt: boolean) => {
    await postpone({ id: task.id, until: until.toISOString(), attempt });
    if (current) desk.getState().set({ taskId: null });
    again();
  };
  const who = task.customer?.name || groupedPhone(task.number) || task.title;

  return (
    <li className="cw-task" data-state={task.state} data-overdue={task.overdue} data-current={current}>
      <div className="cw-task-what">
        <span className="cw-num">
          {dayjs(task.dueAt).format(dayjs(task.dueAt).isSame(dayjs(), 'day') ? 'HH:mm' : 'MM-DD HH:mm')}
        </span>
        <span className="cw-quiet">{isKind(task.kind) ? t(task.kind) : task.kind}</span>
        <button type="button" className="cw-link" onClick={() => void begin()}>
          {who}
        </button>
        {task.region && !task.customer?.name && (
          <span className="cw-quiet cw-place">{text(task.region)}</span>
        )}
      </div>
      {(task.title || task.note) && who !== task.title && (
        <div className="cw-quiet cw-task-note">{task.title || task.note}</div>
      )}
      {task.voicemail && (
        <RecordingPlayer
          url={task.voicemail.url}
          seconds={task.voicemail.seconds}
          label={`${t('voicemail')} ${who}`}
          download={false}
        />
      )}
      <div className="cw-task-actions">
        {task.number && (
          <Button
            size="small"
            icon={<Phone size={14} aria-hidden />}
            onClick={async () => {
              if (await begin()) await actions.dial(task.number);
            }}
          >
            {t('call')}
          </Button>
        )}
        {!task.number && task.state === 'open' && (
          <Button size="small" icon={<Play size={14} aria-hidden />} onClick={() => void begin()}>
            {t('begin')}
          </Button>
        )}
        <Button size="small" icon={<Check size={14} aria-hidden />} onClick={() => void done()}>
          {t('complete')}
        </Button>
        <Dropdown
          trigger={['click']}
          menu={{
            items: [
              { key: 'hour', icon: <Clock size={14} />, label: t('inAnHour') },
              { key: 'morning', icon: <CalendarClock size={14} />, label: t('tomorrowMorning') },
              { key: 'when', icon: <CalendarClock size={14} />, label: `${t('postponeTo')}…` },
              ...(task.number ? [{ key: 'nobody', icon: <Phone size={14} />, label: t('nobodyThere') }] : []),
              ...(task.state === 'taken'
                ? [{ key: 'back', icon: <Undo2 size={14} />, label: t('putBack') }]
                : []),
            ],
            onClick: async ({ key }) => {
              if (key === 'hour') await postponeTo(dayjs().add(1, 'hour'), false);
              if (key === 'nobody') await postponeTo(dayjs().add(1, 'hour'), true);
              if (key === 'morning')
                await postponeTo(dayjs().add(1, 'day').hour(9).minute(0).second(0), false);
              if (key === 'when') setLater(true);
              if (key === 'back') {
                await putBack({ id: task.id });
                again();
              }
            },
          }}
        >
          <Button size="small" type="text" aria-label={t('postpone')} icon={<MoreHorizontal size={14} />} />
        </Dropdown>
        {task.attempts > 0 && <span className="cw-quiet cw-num">×{task.attempts}</span>}
      </div>
      {later && (
        <DatePicker
          open
          autoFocus
          showTime={{ format: 'HH:mm' }}
          format="YYYY-MM-DD HH:mm"
          aria-label={t('postponeTo')}
          onOpenChange={(open) => !open && setLater(false)}
          onOk={(at) => {
            setLater(false);
            void postponeTo(at, false);
          }}
        />
      )}
    </li>
  );
}

function NewTask({ close }: { close: (made: boolean) => void }) {
  const t = useWords(consoleWords);
  const c = useWords(common);
  const customerId = useDesk((now) => now.customerId);
  const [create, busy] = useChange(CREATE_TASK);
  const [form] = Form.useForm<{ kind: string; title: string; number?: string; dueAt: Dayjs }>();
  return (
    <Modal
      open
      title={t('newTask')}
      okText={c('create')}
      cancelText={c('cancel')}
      confirmLoading={busy}
      onCancel={() => close(false)}
      onOk={async () => {
        const given = await form.validateFields();
        const made = await create({
          input: {
            kind: given.kind,
            title: given.title,
            number: given.number ?? '',
            dueAt: given.dueAt.toISOString(),
            remindMinutes: 5,
            customerId,
          },
        });
        if (made.value) close(true);
      }}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ kind: 'work', dueAt: dayjs().add(1, 'hour') }}
      >
        <Form.Item
          name="title"
          label={t('taskWhat')}
          rules={[{ required: true, whitespace: true, message: c('required') }]}
        >
          <Input autoFocus maxLength={200} />
        </Form.Item>
        <Form.Item name="kind" label={t('taskKind')}>
          <Select
            options={(['work', 'callback', 'planned'] as const).map((value) => ({ value, label: t(value) }))}
          />
        </Form.Item>
        <Form.Item name="number" label={t('taskNumber')}>
          <Input inputMode="tel" />
        </Form.Item>
        <Form.Item name="dueAt" label={t('taskDue')} rules={[{ required: true, message: c('required') }]}>
          <DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" />
        </Form.Item>
      </Form>
    </Modal>
  );
}
