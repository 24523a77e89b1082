/** Days that differ, and the public holidays of a country to take over. */
import { Button, Checkbox, DatePicker, Input, Modal, Select, Spin, Table } from 'antd';
import dayjs from 'dayjs';
import { Globe, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { useSession } from '@/app/session';
import { graphql } from '@/gql';
import { useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { IconButton, StateTag, type Tone } from '@/ui';
import { Failure, Field } from '@/ui/lists';
import { type Day, type DayState, datesBetween, parseSpans, textOf } from './hours';
import { calendarWords } from './words';

const TONES: Record<DayState, Tone> = { holiday: 'bad', special: 'wait', open: 'good' };

const COUNTRIES = graphql(`
  query HolidayCountries {
    holidayCountries { code name { zh en } }
  }
`);
const HOLIDAYS = graphql(`
  query PublicHolidays($country: String!, $year: Int!) {
    publicHolidays(country: $country, year: $year) {
      days { date name { zh en } state }
      note { zh en }
    }
  }
`);

export function DaysEditor({
  days,
  onChange,
  readOnly,
  today,
}: {
  days: Day[];
  onChange: (days: Day[]) => void;
  readOnly: boolean;
  today: string;
}) {
  const w = useWords(calendarWords);
  const c = useWords(common);
  const [adding, setAdding] = useState(false);
  const [taking, setTaking] = useState(false);
  const stateName = (state: DayState) => (state === 'open' ? w('workday') : w(state));
  const merge = (more: Day[]) => {
    const replaced = new Set(more.map((day) => `${day.date}:${day.yearly}`));
    onChange(
      [...days.filter((day) => !replaced.has(`${day.date}:${day.yearly}`)), ...more].sort((one, two) =>
        one.date.localeCompare(two.date),
      ),
    );
  };
  return (
    <>
      {!readOnly && (
        <div className="cw-filters">
          <Button icon={<Plus size={14} />} onClick={() => setAdding(true)}>
            {w('addDay')}
          </Button>
          <Button icon={<Globe size={14} />} onClick={() => setTaking(true)}>
            {w('publicHolidays')}
          </Button>
        </div>
      )}
      {days.length === 0 ? (
        <p className="cw-quiet">{w('noDays')}</p>
      ) : (
        <Table
          size="small"
          className="cw-list"
          rowKey={(day) => `${day.date}:${day.yearly}`}
          dataSource={days}
          pagination={days.length > 12 ? { pageSize: 12, showSizeChanger: false, size: 'small' } : false}
          rowClassName={(day) => (!day.yearly && day.date < today ? 'cw-past' : '')}
          columns={[
            {
              title: w('date'),
              width: 130,
              render: (_, day) => (
                <span className="cw-two-line">
                  <span className="cw-num">{day.yearly ? day.date.slice(5) : day.date}</span>
                  {day.yearly && <small>{w('yearly')}</small>}
                </span>
              ),
            },
            { title: w('label'), dataIndex: 'name' },
            {
              title: w('kind'),
              width: 170,
              render: (_, day) => <StateTag tone={TONES[day.state]}>{stateName(day.state)}</StateTag>,
            },
            {
              title: w('hours'),
              render: (_, day) =>
                day.state === 'open' ? (
                  <span className="cw-num">{day.hours ? textOf(day.hours) : w('hoursLike')}</span>
                ) : null,
            },
            {
              title: <span className="cw-hidden">{c('actions')}</span>,
              width: 48,
              render: (_, day) =>
                !readOnly && (
                  <IconButton
                    size="small"
                    danger
                    label={`${c('delete')} ${day.date} ${day.name}`}
                    icon={<Trash2 size={14} />}
                    onClick={() => onChange(days.filter((one) => one !== day))}
                  />
                ),
            },
          ]}
        />
      )}
      <AddDay open={adding} onClose={() => setAdding(false)} onAdd={merge} />
      <PublicHolidays open={taking} days={days} onClose={() => setTaking(false)} onTake={merge} />
    </>
  );
}

function AddDay({
  open,
  onClose,
  onAdd,
}: {
  open: boolean;
  onClose: () => void;
  onAdd: (days: Day[]) => void;
}) {
  const w = useWords(calendarWords);
  const c = useWords(common);
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [state, setState] = useState<DayState>('holiday');
  const [name, setName] = useState('');
  const [hours, setHours] = useState('');
  const [yearly, setYearly] = useState(false);
  const spans = hours.trim() ? parseSpans(hours) : null;
  const bad = hours.trim() !== '' && spans === null;
  const add = () => {
    const dates = datesBetween(from, to || from);
    onAdd(
      dates.map((date) => ({
        date,
        state,
        name: name.trim(),
        yearly,
        hours: state === 'open' ? spans : null,
      })),
    );
    onClose();
  };
  return (
    <Modal
      open={open}
      title={w('addDay')}
      okText={c('add')}
      cancelText={c('cancel')}
      onCancel={onClose}
      onOk={add}
      okButtonProps={{ disabled: !from || bad }}
      destroyOnHidden
      afterClose={() => {
        setFrom('');
        setTo('');
        setName('');
        setHours('');
        setYearly(false);
      }}
    >
      <div className="cw-fields">
        <Field label={w('date')}>
          <span className="cw-form-row">
            <DatePicker
              aria-label={w('date')}
              value={from ? dayjs(from) : null}
              onChange={(value) => setFrom(value ? value.format('YYYY-MM-DD') : '')}
            />
            <DatePicker
              aria-label={w('toDate')}
              placeholder={w('toDate')}
              value={to ? dayjs(to) : null}
              minDate={from ? dayjs(from) : undefined}
              onChange={(value) => setTo(value ? value.format('YYYY-MM-DD') : '')}
            />
          </span>
        </Field>
        <Field label={w('kind')}>
          <Select
            value={state}
            onChange={setState}
            aria-label={w('kind')}
            options={[
              { value: 'holiday', label: w('holiday') },
              { value: 'special', label: w('special') },
              { value: 'open', label: w('workday') },
            ]}
          />
        </Field>
        <Field label={w('label')}>
          <Input maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        {state === 'open' && (
          <Field label={w('hours')}>
            <Input
              value={hours}
              status={bad ? 'error' : undefined}
              placeholder={w('hoursLike')}
              aria-invalid={bad}
              onChange={(event) => setHours(event.target.value)}
            />
            {bad && (
              <small role="alert" className="cw-wrong">
                {w('badHours', { day: w('hours') })}
              </small>
            )}
          </Field>
        )}
        <Checkbox checked={yearly} onChange={(event) => setYearly(event.target.checked)}>
          {w('yearly')}
        </Checkbox>
      </div>
    </Modal>
  );
}

/** Dates inside of a holiday's name as all others are written. */
const isoDates = (name: string): string => name.replace(/\b(\d{2})\/(\d{2})\/(\d{4})\b/g, '$3-$1-$2');

function PublicHolidays({
  open,
  days,
  onClose,
  onTake,
}: {
  open: boolean;
  days: Day[];
  onClose: () => void;
  onTake: (days: Day[]) => void;
}) {
  const w = useWords(calendarWords);
  const c = useWords(common);
  const text = useText();
  const { person } = useSession();
  const [country, setCountry] = useState(person.business.country || 'CN');
  const [year, setYear] = useState(new Date().getFullYear());
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [countries] = useQuery({ query: COUNTRIES, pause: !open });
  const [answer, ask] = useQuery({ query: HOLIDAYS, variables: { country, year }, pause: !open });
  const found = answer.data?.publicHolidays;
  const there = new Set(days.map((day) => day.date));
  const chosen = (found?.days ?? []).filter((day) => !there.has(day.date) && !left.has(day.date));
  const toggle = (date: string, on: boolean) => {
    const next = new Set(left);
    if (on) next.delete(date);
    else next.add(date);
    setLeft(next);
  };
  return (
    <Modal
      open={open}
      title={w('publicTitle')}
      width={620}
      okText={w('take', { count: chosen.length })}
      cancelText={c('cancel')}
      okButtonProps={{ disabled: chosen.length === 0 }}
      onCancel={onClose}
      onOk={() => {
        onTake(
          chosen.map((day) => ({
            date: day.date,
            state: day.state === 'open' ? 'open' : 'holiday',
            name: isoDates(text(day.name)),
            hours: null,
            yearly: false,
          })),
        );
        onClose();
      }}
      destroyOnHidden
    >
      <p className="cw-quiet">{w('publicHelp')}</p>
      <div className="cw-filters cw-public">
        <Select
          aria-label={w('country')}
          value={countries.data ? country : undefined}
          loading={!countries.data}
          style={{ minWidth: 220 }}
          showSearch={{ optionFilterProp: 'label' }}
          onChange={setCountry}
          options={(countries.data?.holidayCountries ?? []).map((one) => ({
            value: one.code,
            label: text(one.name),
          }))}
        />
        <Select
          aria-label={w('year')}
          value={year}
          onChange={setYear}
          options={Array.from({ length: 6 }, (_, index) => new Date().getFullYear() - 1 + index).map(
            (value) => ({ value, label: value }),
          )}
        />
      </div>
      <Failure error={answer.error} retry={() => ask({ requestPolicy: 'network-only' })} />
      {answer.fetching ? (
        <div className="cw-public-days">
          <Spin />
        </div>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and all its boxes may be out of use
        <ul className="cw-public-days" tabIndex={0}>
          {(found?.days ?? []).map((day) => (
            <li key={day.date}>
              <Checkbox
                disabled={there.has(day.date)}
                checked={!there.has(day.date) && !left.has(day.date)}
                onChange={(event) => toggle(day.date, event.target.checked)}
              >
                <span className="cw-num">{day.date}</span> {isoDates(text(day.name))}
              </Checkbox>
              {there.has(day.date) ? (
                <small className="cw-quiet">{w('alreadyThere')}</small>
              ) : (
                day.state === 'open' && <StateTag tone="good">{w('workday')}</StateTag>
              )}
            </li>
          ))}
        </ul>
      )}
      {found?.note && <p className="cw-quiet">{text(found.note)}</p>}
    </Modal>
  );
}
