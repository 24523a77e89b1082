/** The hours of a week: drag over half hours, or type the spans of a day. */
import { Button, Input } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { useWords } from '@/i18n';
import {
  clockOf,
  covers,
  painted,
  parseSpans,
  type Span,
  textOf,
  WEEKDAYS,
  type Week,
  type Weekday,
} from './hours';
import { calendarWords } from './words';

const STEP = 30;
const SLOTS = 48;

interface Drag {
  open: boolean;
  from: { day: number; slot: number };
  to: { day: number; slot: number };
}

export function WeekEditor({
  week,
  onChange,
  readOnly,
}: {
  week: Week;
  onChange: (week: Week) => void;
  readOnly: boolean;
}) {
  const w = useWords(calendarWords);
  const [drag, setDrag] = useState<Drag | null>(null);
  const dragging = useRef<Drag | null>(null);
  dragging.current = drag;

  const apply = (base: Week, made: Drag): Week => {
    const [first, last] = [made.from.slot, made.to.slot].sort((one, two) => one - two) as [number, number];
    const [top, bottom] = [made.from.day, made.to.day].sort((one, two) => one - two) as [number, number];
    const next = { ...base };
    for (let index = top; index <= bottom; index++) {
      const day = WEEKDAYS[index];
      if (day) next[day] = painted(base[day], first * STEP, (last + 1) * STEP, made.open);
    }
    return next;
  };
  const shown = drag ? apply(week, drag) : week;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the release is heard wherever it happens
  useEffect(() => {
    if (!drag) return;
    const release = () => {
      if (dragging.current) onChange(apply(week, dragging.current));
      setDrag(null);
    };
    const cancel = (event: KeyboardEvent) => {
      if (event.key === 'Escape') setDrag(null);
    };
    window.addEventListener('pointerup', release);
    window.addEventListener('keydown', cancel);
    return () => {
      window.removeEventListener('pointerup', release);
      window.removeEventListener('keydown', cancel);
    };
  }, [drag !== null, week]);

  const place = (event: React.PointerEvent): { day: number; slot: number } | null => {
    const cell = (document.elementFromPoint(event.clientX, event.clientY) as HTMLElement | null)?.dataset;
    return cell?.slot === undefined ? null : { day: Number(cell.day), slot: Number(cell.slot) };
  };

  return (
    <div className="cw-week">
      <div
        className="cw-week-grid"
        aria-hidden
        data-readonly={readOnly || undefined}
        onPointerDown={(event) => {
          const at = readOnly || event.button !== 0 ? null : place(event);
          const day = at && WEEKDAYS[at.day];
          if (!at || !day) return;
          event.preventDefault();
          setDrag({ open: !covers(week[day], at.slot * STEP), from: at, to: at });
        }}
        onPointerMove={(event) => {
          if (!drag) return;
          const at = place(event);
          if (at) setDrag({ ...drag, to: at });
        }}
      >
        <span />
        {Array.from({ length: 12 }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the hours never move
          <span key={index} className="cw-week-hour cw-num">
            {clockOf(index * 120)}
          </span>
        ))}
        {WEEKDAYS.map((day, number) => (
          <WeekRow key={day} day={day} number={number} spans={shown[day]} />
        ))}
      </div>
      <div className="cw-week-fields">
        {WEEKDAYS.map((day) => (
          <DayField
            key={day}
            label={w(day)}
            spans={shown[day]}
            readOnly={readOnly}
            onChange={(spans) => onChange({ ...week, [day]: spans })}
          />
        ))}
        {!readOnly && (
          <Button
            size="small"
            type="link"
            onClick={() => onChange({ ...week, tue: week.mon, wed: week.mon, thu: week.mon, fri: week.mon })}
          >
            {w('copyWeek')}
          </Button>
        )}
      </div>
    </div>
  );
}

function WeekRow({ day, number, spans }: { day: Weekday; number: number; spans: Span[] }) {
  const w = useWords(calendarWords);
  return (
    <>
      <span className="cw-week-day">{w(day)}</span>
      {Array.from({ length: SLOTS }, (_, slot) => {
        const start = slot * STEP;
        const full = covers(spans, start) && covers(spans, start + STEP - 1);
        const part = !full && spans.some(([from, to]) => from < start + STEP && to > start);
        return (
          <i
            // biome-ignore lint/suspicious/noArrayIndexKey: the half hours never move
            key={slot}
            data-day={number}
            data-slot={slot}
            data-on={full ? 'full' : part ? 'part' : undefined}
            data-hour={slot % 2 === 0 || undefined}
          />
        );
      })}
    </>
  );
}

export function DayField({
  label,
  spans,
  onChange,
  readOnly,
  placeholder,
}: {
  label: string;
  spans: Span[];
  onChange: (spans: Span[]) => void;
  readOnly?: boolean;
  placeholder?: string;
}) {
  const w = useWords(calendarWords);
  const written = textOf(spans);
  const [typed, setTyped] = useState(written);
  const [bad, setBad] = useState(false);
  useEffect(() => {
    setTyped(written);
    setBad(false);
  }, [written]);
  const take = () => {
    const read = parseSpans(typed);
    setBad(read === null);
    if (read && textOf(read) !== written) onChange(read);
    else if (read) setTyped(written);
  };
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the input is inside
    <label className="cw-day-field">
      <span>{label}</span>
      <span>
        <Input
          value={typed}
          readOnly={readOnly}
          status={bad ? 'error' : undefined}
          placeholder={placeholder ?? w('closed')}
          aria-invalid={bad}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={take}
          onPressEnter={take}
        />
        {bad && <small role="alert">{w('badHours', { day: label })}</small>}
      </span>
    </label>
  );
}
