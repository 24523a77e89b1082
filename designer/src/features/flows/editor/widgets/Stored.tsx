/** Pickers of what is kept outside of the flow: what there is, its state, and the way to its page. */
import { Button, Select } from 'antd';
import { ExternalLink } from 'lucide-react';
import type { ReactNode } from 'react';
import { useLanguage, useWords } from '@/i18n';
import { absolute, StateTag, type Tone } from '@/ui';
import { type Trouble, useForm, type WidgetProps } from './form';
import { useCalendarState, useCalendars, useCredentials, useNumberLists, useQueries } from './stored';
import { widgetWords } from './words';

interface Choice {
  name: string;
  about?: ReactNode;
}

/** One of the stored things, the way to their page, and what there is to say about the chosen one. */
export function Picker({
  props,
  rows,
  ready,
  waits,
  again,
  page,
  pageLabel,
  about,
}: {
  props: WidgetProps;
  rows: Choice[];
  ready: boolean;
  waits: boolean;
  again: () => void;
  page: string;
  pageLabel: string;
  about?: ReactNode;
}) {
  const { field, path, value, id, label, invalid, describedBy } = props;
  const form = useForm();
  const w = useWords(widgetWords);
  const name = typeof value === 'string' ? value : '';
  const known = rows.some((one) => one.name === name);
  const optional = field.minLength === null || field.minLength === 0;
  const missing: Trouble | null =
    ready && name && !known && !name.includes('{{')
      ? { severity: 'warning', message: { zh: w('notStored', { name }), en: w('notStored', { name }) } }
      : null;
  return (
    <div className="cw-picker">
      <div className="cw-picker-row">
        <Select
          id={id}
          className="cw-wide"
          aria-label={label}
          aria-describedby={describedBy}
          status={invalid ? 'error' : missing ? 'warning' : undefined}
          disabled={form.readOnly}
          loading={waits}
          allowClear={optional}
          showSearch
          placeholder={w('choose')}
          popupMatchSelectWidth={false}
          notFoundContent={w('nothingStored')}
          value={name || undefined}
          options={[
            ...rows.map((one) => ({ value: one.name, label: one.name, about: one.about })),
            ...(name && !known ? [{ value: name, label: name, about: undefined }] : []),
          ]}
          optionRender={(option) => (
            <div className="cw-picker-option">
              <span>{option.label}</span>
              {option.data.about && <small className="cw-quiet">{option.data.about}</small>}
            </div>
          )}
          onOpenChange={(open) => open && again()}
          onChange={(next) => form.set(path, next ?? '', field.title)}
        />
        <Button
          type="text"
          href={page}
          target="_blank"
          rel="noreferrer"
          aria-label={pageLabel}
          title={pageLabel}
          icon={<ExternalLink size={15} />}
        />
      </div>
      {about && known && <div className="cw-picker-about">{about}</div>}
    </div>
  );
}

const OPEN: Record<string, { tone: Tone; word: 'isOpen' | 'isClosed' | 'isHoliday' | 'isSpecial' }> = {
  open: { tone: 'good', word: 'isOpen' },
  closed: { tone: 'off', word: 'isClosed' },
  holiday: { tone: 'wait', word: 'isHoliday' },
  special: { tone: 'wait', word: 'isSpecial' },
};

export function CalendarWidget(props: WidgetProps) {
  const w = useWords(widgetWords);
  const { rows, ready, waits, again } = useCalendars();
  const name = typeof props.value === 'string' ? props.value : '';
  const state = useCalendarState(rows.some((one) => one.name === name) ? name : '');
  const shown = state ? OPEN[state.state] : null;
  return (
    <Picker
      props={props}
      rows={rows.map((one) => ({ name: one.name, about: one.timezone }))}
      ready={ready}
      waits={waits}
      again={again}
      page="/calendars"
      pageLabel={w('openCalendar')}
      about={
        state &&
        shown && (
          <>
            <StateTag tone={shown.tone}>
              {w(shown.word)}
              {state.name ? `: ${state.name}` : ''}
            </StateTag>
            {state.nextChange && (
              <span className="cw-quiet cw-num">
                {w('until', { time: absolute(state.nextChange).slice(5, 16) })}
              </span>
            )}
          </>
        )
      }
    />
  );
}

export function NumberListWidget(props: WidgetProps) {
  const w = useWords(widgetWords);
  const { rows, ready, waits, again } = useNumberLists();
  const kind = (one: string) => (one === 'black' || one === 'white' || one === 'vip' ? w(one) : one);
  const chosen = rows.find((one) => one.name === props.value);
  return (
    <Picker
      props={props}
      rows={rows.map((one) => ({ name: one.name, about: kind(one.kind) }))}
      ready={ready}
      waits={waits}
      again={again}
      page="/lists"
      pageLabel={w('openList')}
      about={chosen && <span className="cw-quiet">{kind(chosen.kind)}</span>}
    />
  );
}

export function QueryWidget(props: WidgetProps) {
  const w = useWords(widgetWords);
  const { rows, ready, waits, again } = useQueries();
  const chosen = rows.find((one) => one.name === props.value);
  return (
    <Picker
      props={props}
      rows={rows.map((one) => ({ name: one.name, about: one.description || one.parameters.join(', ') }))}
      ready={ready}
      waits={waits}
      again={again}
      page="/data"
      pageLabel={w('openQuery')}
      about={
        chosen && (
          <span className="cw-quiet">
            {[
              chosen.description,
              chosen.parameters.length > 0
                ? w('parametersOf', { names: chosen.parameters.join(', ') })
                : w('noParameters'),
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
        )
      }
    />
  );
}

export function CredentialWidget(props: WidgetProps) {
  const w = useWords(widgetWords);
  const language = useLanguage();
  const { rows, ready, waits, again } = useCredentials();
  const hosts = (one: readonly string[]) => w('hosts', { hosts: one.join(language === 'zh' ? '、' : ', ') });
  const chosen = rows.find((one) => one.name === props.value);
  return (
    <Picker
      props={props}
      rows={rows.map((one) => ({ name: one.name, about: hosts(one.hosts) }))}
      ready={ready}
      waits={waits}
      again={again}
      page="/data"
      pageLabel={w('openCredential')}
      about={chosen && <span className="cw-quiet">{hosts(chosen.hosts)}</span>}
    />
  );
}
