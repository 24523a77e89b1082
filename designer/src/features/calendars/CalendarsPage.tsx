/** Calendars: the hours of a week, days that differ, and the month that comes of it. */
import { Alert, App, Button, Input, Select, Spin } from 'antd';
import { CalendarDays, Plus, Trash2 } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { useMay, useSession } from '@/app/session';
import { graphql } from '@/gql';
import type { CalendarListQuery } from '@/gql/graphql';
import { type UserError, useChange, wordsOf } from '@/graphql/useChange';
import { listed, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { ConfirmDelete, EmptyState, PageHeader, StateTag, type Tone } from '@/ui';
import { useFilters } from '@/ui/filters';
import { sortErrors } from '@/ui/forms';
import { Card, Failure, Field } from '@/ui/lists';
import { UsedByList, useUses } from '@/ui/uses';
import './calendars.css';
import { DaysEditor } from './Days';
import { readDays, readWeek, weekHours, writeDays, writeWeek } from './hours';
import { Month } from './Month';
import { WeekEditor } from './WeekEditor';
import { calendarWords } from './words';

const LIST = graphql(`
  query CalendarList {
    calendars { id name timezone week days }
  }
`);
const STATE = graphql(`
  query CalendarNow($name: String!) {
    calendarState(name: $name) { state name nextChange }
  }
`);
const SAVE = graphql(`
  mutation SaveCalendar($id: String, $name: String!, $timezone: String!, $week: JSON!, $days: JSON!) {
    saveCalendar(id: $id, name: $name, timezone: $timezone, week: $week, days: $days) {
      value { id name timezone week days }
      errors { ...Refusal }
    }
  }
`);
const DELETE = graphql(`
  mutation DeleteCalendar($id: String!) {
    deleteCalendar(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
type Row = CalendarListQuery['calendars'][number];

const TONES: Record<string, Tone> = { open: 'good', closed: 'off', holiday: 'bad', special: 'wait' };
const KEYS = ['calendar'] as const;

export default function CalendarsPage() {
  const w = useWords(calendarWords);
  const may = useMay('calendars.manage');
  const { person } = useSession();
  const { modal } = App.useApp();
  const [filters, setFilters] = useFilters('calendars', KEYS);
  const [answer, ask] = useQuery({ query: LIST, requestPolicy: 'cache-and-network' });
  const uses = useUses('calendar');
  const [making, setMaking] = useState(false);
  const [dirty, setDirty] = useState(false);
  const reload = () => ask({ requestPolicy: 'network-only' });
  const rows = answer.data?.calendars ?? [];
  const blank = useMemo<Row>(
    () => ({
      id: '',
      name: '',
      timezone: person.business.timezone,
      week: Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri'].map((day) => [day, [['09:00', '18:00']]])),
      days: [],
    }),
    [person.business.timezone],
  );
  const chosen = making ? blank : (rows.find((row) => row.name === filters.calendar) ?? rows[0]);

  const go = (next: () => void) => {
    if (!dirty) return next();
    modal.confirm({
      title: w('leave'),
      content: w('leaveHelp', { name: chosen?.name || w('newName') }),
      okText: w('leaveIt'),
      okButtonProps: { danger: true },
      onOk: () => {
        setDirty(false);
        next();
      },
    });
  };
  const add = may && (
    <Button type="primary" icon={<Plus size={14} />} onClick={() => go(() => setMaking(true))}>
      {w('newCalendar')}
    </Button>
  );
  return (
    <>
      <PageHeader title={w('title')} help={w('help')}>
        {(rows.length > 0 || making) && add}
      </PageHeader>
      <Failure error={answer.error} retry={reload} />
      {!answer.data ? (
        !answer.error && <Spin className="cw-page-spin" delay={200} />
      ) : rows.length === 0 && !making ? (
        <EmptyState
          icon={<CalendarDays size={32} aria-hidden />}
          title={w('empty')}
          help={w('emptyHelp')}
          action={add}
        />
      ) : (
        <div className="cw-calendars">
          <nav className="cw-side-list" aria-label={w('title')}>
            {rows.map((row) => (
              <button
                key={row.id}
                type="button"
                aria-current={(chosen?.id === row.id && !making) || undefined}
                onClick={() =>
                  go(() => {
                    setMaking(false);
                    setFilters({ calendar: row.name });
                  })
                }
              >
                <span>{row.name}</span>
                <CalendarState name={row.name} timezone={row.timezone} />
              </button>
            ))}
            {making && (
              <button type="button" aria-current>
                <span>{w('newName')}</span>
              </button>
            )}
          </nav>
          {chosen && (
            <CalendarEditor
              key={chosen.id || 'new'}
              row={chosen}
              uses={uses.get(chosen.name)}
              onDirty={setDirty}
              onSaved={(name) => {
                setMaking(false);
                setDirty(false);
                setFilters({ calendar: name });
                reload();
              }}
              onGone={() => {
                setMaking(false);
                setDirty(false);
                setFilters({ calendar: '' });
                reload();
              }}
            />
          )}
        </div>
      )}
    </>
  );
}

/** A moment as the clock of a zone shows it. */
function momentIn(at: string, zone: string): string {
  const clock = { timeZone: zone, dateStyle: 'short', timeStyle: 'short' } as const;
  return new Intl.DateTimeFormat('sv-SE', clock).format(new Date(at));
}

function CalendarState({ name, timezone }: { name: string; timezone: string }) {
  const w = useWords(calendarWords);
  const [answer] = useQuery({ query: STATE, variables: { name }, requestPolicy: 'cache-and-network' });
  const state = answer.data?.calendarState;
  if (!state) return <small className="cw-quiet">…</small>;
  const known = (['open', 'closed', 'holiday', 'special'] as const).find((one) => one === state.state);
  return (
    <small>
      <StateTag tone={TONES[state.state] ?? 'off'}>
        {state.name || (known ? w(`state_${known}`) : state.state)}
      </StateTag>
      {state.nextChange && (
        <time className="cw-quiet" dateTime={state.nextChange}>
          {w('until', { at: momentIn(state.nextChange, timezone) })}
        </time>
      )}
    </small>
  );
}

function todayIn(zone: string): string {
  try {
    return new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(new Date());
  } catch {
    return new Date().toISOString().slice(0, 10);
  }
}

function CalendarEditor({
  row,
  uses,
  onDirty,
  onSaved,
  onGone,
}: {
  row: Row;
  uses: Parameters<typeof UsedByList>[0]['uses'];
  onDirty: (dirty: boolean) => void;
  onSaved: (name: string) => void;
  onGone: () => void;
}) {
  const w = useWords(calendarWords);
  const c = useWords(common);
  const may = useMay('calendars.manage');
  const { message } = App.useApp();
  const [save, busy] = useChange(SAVE);
  const [remove] = useChange(DELETE);
  const start = useMemo(
    () => ({
      name: row.name,
      timezone: row.timezone,
      week: readWeek(row.week),
      days: readDays(row.days),
    }),
    [row],
  );
  const [draft, setDraft] = useState(start);
  const [refused, setRefused] = useState<UserError[]>([]);
  useEffect(() => {
    setDraft(start);
    setRefused([]);
  }, [start]);
  const dirty = JSON.stringify(draft) !== JSON.stringify(start) || row.id === '';
  useEffect(
    () => onDirty(dirty && JSON.stringify(draft) !== JSON.stringify(start)),
    [dirty, draft, start, onDirty],
  );
  const zones = useMemo(() => Intl.supportedValuesOf('timeZone'), []);
  const change = (by: Partial<typeof draft>) => setDraft((now) => ({ ...now, ...by }));
  const today = todayIn(draft.timezone);
  const flows = listed((uses ?? []).map((use) => use.name));

  const { byField, others } = sortErrors(refused, ['name']);
  const unnamed = byField.get('name');

  const store = async () => {
    const sent = {
      id: row.id || null,
      name: draft.name,
      timezone: draft.timezone,
      week: writeWeek(draft.week),
      days: writeDays(draft.days),
    };
    const done = await save(sent, { quiet: true });
    setRefused(done.errors);
    if (done.value) {
      message.success(c('saved'));
      onSaved(draft.name.trim());
    }
  };
  return (
    <div className="cw-rows">
      {others.length > 0 && (
        <Alert type="error" showIcon role="alert" title={others.map(wordsOf).join('\n')} />
      )}
      <Card>
        <div className="cw-calendar-head">
          <Field label={w('name')}>
            <Input
              value={draft.name}
              maxLength={128}
              readOnly={!may}
              autoFocus={row.id === ''}
              status={unnamed && 'error'}
              onChange={(event) => {
                setRefused([]);
                change({ name: event.target.value });
              }}
            />
            {unnamed && (
              <span className="cw-calendar-refused" role="alert">
                {unnamed.map(wordsOf).join(' ')}
              </span>
            )}
          </Field>
          <Field label={w('timezone')}>
            <Select
              aria-label={w('timezone')}
              value={draft.timezone}
              disabled={!may}
              showSearch
              style={{ minWidth: 200 }}
              onChange={(timezone) => change({ timezone })}
              options={zones.map((value) => ({ value, label: value }))}
            />
          </Field>
          <div className="cw-labelled cw-calendar-uses">
            <span>{w('usedBy')}</span>
            <UsedByList uses={uses} />
          </div>
          <span className="cw-grow" />
          {may && (
            <div className="cw-calendar-actions">
              {dirty && row.id && (
                <>
                  <StateTag tone="wait">{w('unsaved')}</StateTag>
                  <Button onClick={() => setDraft(start)}>{w('discard')}</Button>
                </>
              )}
              {row.id ? (
                <ConfirmDelete
                  name={row.name}
                  help={flows ? w('deleteUsed', { flows }) : w('deleteHelp')}
                  onConfirm={async () => {
                    if ((await remove({ id: row.id })).value) onGone();
                  }}
                >
                  <Button type="text" danger aria-label={c('delete')} icon={<Trash2 size={16} />} />
                </ConfirmDelete>
              ) : (
                <Button onClick={onGone}>{c('cancel')}</Button>
              )}
              <Button
                type="primary"
                disabled={!dirty || !draft.name.trim()}
                loading={busy}
                onClick={() => void store()}
              >
                {c('save')}
              </Button>
            </div>
          )}
        </div>
      </Card>
      <Card
        title={
          <>
            {w('week')} <small className="cw-quiet">{w('hoursOpen', { hours: weekHours(draft.week) })}</small>
          </>
        }
      >
        {may && <p className="cw-quiet cw-tab-help">{w('weekHelp')}</p>}
        <WeekEditor week={draft.week} readOnly={!may} onChange={(week) => change({ week })} />
      </Card>
      <div className="cw-calendar-two">
        <Card title={w('days')}>
          <p className="cw-quiet cw-tab-help">{w('daysHelp')}</p>
          <DaysEditor days={draft.days} readOnly={!may} today={today} onChange={(days) => change({ days })} />
        </Card>
        <Card title={w('preview')}>
          <Month week={draft.week} days={draft.days} today={today} />
        </Card>
      </div>
    </div>
  );
}
