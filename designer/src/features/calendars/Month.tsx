/** A month of a calendar: open with its hours, closed, holiday or special; worked out here, at once, while it is edited. */

import { Button } from 'antd';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { useWords } from '@/i18n';
import { IconButton } from '@/ui';
import { type Day, lookOf, monthOf, textOf, WEEKDAYS, type Week } from './hours';
import { calendarWords } from './words';

const first = (said: string): string => said.charAt(0).toUpperCase() + said.slice(1);

export function Month({
  week,
  days,
  today,
}: {
  week: Week;
  days: Day[];
  /** Of the calendar's own zone. */
  today: string;
}) {
  const w = useWords(calendarWords);
  const [shown, setShown] = useState(() => ({
    year: Number(today.slice(0, 4)),
    month: Number(today.slice(5, 7)),
  }));
  const move = (by: number) =>
    setShown(({ year, month }) => {
      const at = year * 12 + month - 1 + by;
      return { year: Math.floor(at / 12), month: (at % 12) + 1 };
    });
  return (
    <div className="cw-month">
      <div className="cw-month-head">
        <IconButton label={w('previous')} icon={<ChevronLeft size={16} />} onClick={() => move(-1)} />
        <strong className="cw-num" aria-live="polite">
          {shown.year}-{String(shown.month).padStart(2, '0')}
        </strong>
        <IconButton label={w('next')} icon={<ChevronRight size={16} />} onClick={() => move(1)} />
        <Button
          size="small"
          onClick={() => setShown({ year: Number(today.slice(0, 4)), month: Number(today.slice(5, 7)) })}
        >
          {w('today')}
        </Button>
        <span className="cw-grow" />
        <ul className="cw-month-key">
          {(['open', 'closed', 'holiday', 'special'] as const).map((state) => (
            <li key={state} data-state={state}>
              {state === 'open' ? w('open') : state === 'closed' ? first(w('closed')) : w(state)}
            </li>
          ))}
        </ul>
      </div>
      <div className="cw-month-grid">
        {WEEKDAYS.map((day) => (
          <span key={day} className="cw-month-day">
            {w(day)}
          </span>
        ))}
        {monthOf(shown.year, shown.month).map(({ date, inside }) => {
          const look = lookOf(week, days, date);
          return (
            <div
              key={date}
              className="cw-month-cell"
              data-state={look.state}
              data-outside={!inside || undefined}
              data-today={date === today || undefined}
            >
              <time dateTime={date}>{Number(date.slice(8))}</time>
              <small>
                {look.name && <b>{look.name}</b>}
                {look.spans.map((span) => (
                  <span key={span.join()}>{textOf([span])}</span>
                ))}
                {look.spans.length === 0 && !look.name && w(look.state as 'closed')}
              </small>
            </div>
          );
        })}
      </div>
    </div>
  );
}
