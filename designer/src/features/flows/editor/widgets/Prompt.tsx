/**
 * What a caller hears: texts in each language, recordings of the library and values read aloud, in order.
 * One tab a language; a language that lacks something says so.
 */
import { Button, Dropdown, Segmented, Select, Tooltip } from 'antd';
import { ChevronDown, ChevronUp, GripVertical, Mic, Plus, Trash2, TriangleAlert } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useMay } from '@/app/session';
import { Player } from '@/features/prompts/parts/Player';
import { PromptDialog } from '@/features/prompts/parts/PromptDialog';
import { labelled, useText, useWords } from '@/i18n';
import { StateTag } from '@/ui';
import { isRecord } from '@/ui/json';
import { useLanguageNames } from '@/ui/languages';
import { Code, type CodeHandle } from './Code';
import { FieldRow, Troubles } from './Field';
import { fieldId, useForm, type WidgetProps } from './form';
import { InsertValue } from './InsertValue';
import { PlayPrompt } from './PlayPrompt';
import { dotted, moved, type Path, within } from './paths';
import { usePromptLanguage } from './promptLanguage';
import { blankPart, lacking, type Part, partsOf, promptText, saysNothing } from './promptParts';
import { type Field, readField } from './schema';
import { usePrompts } from './stored';
import { useReorder } from './useReorder';
import { widgetWords } from './words';

export function PromptWidget(props: WidgetProps) {
  const { field, path, value, id } = props;
  const form = useForm();
  const w = useWords(widgetWords);
  const place = dotted(path);
  const bare = Array.isArray(value);
  const parts = useMemo(() => partsOf(value), [value]);
  const partsPath: Path = bare ? path : [...path, 'parts'];
  const names = useLanguageNames();
  const [language, setLanguage] = usePromptLanguage(form.languages);
  const tags = [
    ...new Set([
      ...form.languages,
      ...parts.flatMap((part) => (isRecord(part.text) ? Object.keys(part.text) : [])),
    ]),
  ];
  // What is required, or already has something of its own, is open; prompts with good defaults wait in one line.
  const isDefault = !(form.config[String(path[0])] !== undefined && path.length === 1) && field.hasDefault;
  const [open, setOpen] = useState<boolean | null>(null);
  const wanted = form.focus !== null && within(form.focus, place);
  const isOpen = open ?? (wanted || (!isDefault && (!field.hasDefault || path.length !== 1)));
  useEffect(() => {
    if (!wanted || !form.focus) return;
    setOpen(true);
    const tag = /\.parts\.\d+\.text\.([\w-]+)$/.exec(form.focus)?.[1];
    if (tag && tag !== 'text') setLanguage(tag);
  }, [wanted, form.focus, setLanguage]);
  const shown = tags.includes(language) ? language : (tags[0] ?? 'zh');
  if (!isOpen) {
    return (
      <Folded
        id={id}
        describedBy={props.describedBy}
        text={promptText(parts, shown)}
        onOpen={() => setOpen(true)}
      />
    );
  }
  return (
    <div className="cw-prompt" id={id} role="group" aria-labelledby={`${id}-label`}>
      <div className="cw-prompt-head">
        <Segmented
          size="small"
          aria-label={w('promptLanguage')}
          value={shown}
          onChange={setLanguage}
          options={tags.map((tag) => ({
            value: tag,
            label: (
              <span className="cw-prompt-lang" data-missing={lacking(parts, tag) || undefined}>
                {names(tag)}
                {lacking(parts, tag) && (
                  <Tooltip title={w('missingHelp')}>
                    <TriangleAlert size={12} role="img" aria-label={w('missingIn')} />
                  </Tooltip>
                )}
              </span>
            ),
          }))}
        />
        <PlayPrompt parts={parts} language={shown} />
        {field.hasDefault && path.length === 1 && (
          <Button
            size="small"
            type="text"
            className="cw-fold"
            aria-label={w('fold')}
            title={w('fold')}
            icon={<ChevronUp size={14} />}
            onClick={() => setOpen(false)}
          />
        )}
      </div>
      <Parts field={field} parts={parts} path={partsPath} language={shown} tags={tags} />
    </div>
  );
}

function Folded({
  id,
  text,
  describedBy,
  onOpen,
}: {
  id: string;
  text: string;
  describedBy?: string;
  onOpen: () => void;
}) {
  const w = useWords(widgetWords);
  return (
    <button
      type="button"
      className="cw-prompt-folded"
      id={id}
      aria-labelledby={`${id}-label ${id}`}
      aria-describedby={describedBy}
      aria-expanded={false}
      title={w('unfold')}
      onClick={onOpen}
    >
      <span>{text || w('nothingSaid')}</span>
      <ChevronDown size={14} aria-hidden="true" />
    </button>
  );
}

function Parts({
  field,
  parts,
  path,
  language,
  tags,
}: {
  field: Field;
  parts: Part[];
  path: Path;
  language: string;
  tags: string[];
}) {
  const form = useForm();
  const t = useText();
  const w = useWords(widgetWords);
  const [said, setSaid] = useState('');
  const names = useLanguageNames();
  const reorder = useReorder(parts.length, (from, to) => {
    form.set(path, moved(parts, from, to), field.title);
    setSaid(w('itemMoved', { number: to + 1, count: parts.length }));
  });
  const add = (kind: Part['kind']) => {
    form.set([...path, parts.length], blankPart(kind, language), field.title);
    requestAnimationFrame(() =>
      document
        .querySelector<HTMLElement>(`[data-place="${dotted([...path, parts.length])}"] .cw-part-body [id]`)
        ?.focus(),
    );
  };
  const word = { text: 'textPart', recording: 'recordingPart', value: 'valuePart' } as const;
  return (
    <>
      <div data-list>
        {parts.map((part, index) => {
          const at = [...path, index];
          const place = dotted(at);
          const kind = w(word[part.kind] ?? 'textPart');
          const troubles = [...form.troubles]
            .filter(([one]) => within(one, place) && (part.kind !== 'value' || one === place))
            .flatMap(([, found]) => found);
          const troubleId = `${fieldId(form.node, at)}-troubles`;
          return (
            <section
              // biome-ignore lint/suspicious/noArrayIndexKey: parts have no identity but their place
              key={index}
              className="cw-part"
              aria-label={w('partOf', { number: index + 1, kind })}
              data-item={index}
              data-place={place}
              data-kind={part.kind}
              data-dragging={reorder.dragging === index || undefined}
              data-before={reorder.target === index || undefined}
              data-after={(reorder.target === parts.length && index === parts.length - 1) || undefined}
              {...reorder.item(index)}
            >
              <div className="cw-part-side">
                {!form.readOnly && (
                  <button
                    type="button"
                    className="cw-handle"
                    data-handle
                    aria-label={w('moveItem', { field: kind, number: index + 1, count: parts.length })}
                    title={w('moveItem', { field: kind, number: index + 1, count: parts.length })}
                    {...reorder.handle(index)}
                  >
                    <GripVertical size={14} aria-hidden="true" />
                  </button>
                )}
              </div>
              <div className="cw-part-body">
                {part.kind === 'text' && (
                  <TextPart
                    part={part}
                    path={at}
                    language={language}
                    tags={tags}
                    title={field.title}
                    describedBy={troubles.length > 0 ? troubleId : undefined}
                  />
                )}
                {part.kind === 'recording' && (
                  <RecordingPart part={part} path={at} language={language} title={field.title} />
                )}
                {part.kind === 'value' && <ValuePart field={field} part={part} path={at} />}
                <Troubles id={troubleId} troubles={troubles} />
              </div>
              {!form.readOnly && (
                <Button
                  size="small"
                  type="text"
                  className="cw-remove cw-part-remove"
                  aria-label={w('removeItem', { field: kind, number: index + 1 })}
                  title={w('remove')}
                  icon={<Trash2 size={14} />}
                  onClick={() => form.set(at, undefined, field.title)}
                />
              )}
            </section>
          );
        })}
      </div>
      {parts.length === 0 && <p className="cw-quiet cw-list-none">{w('nothingSaid')}</p>}
      {saysNothing(parts, language) && parts.length > 0 && tags.length > 1 && !form.readOnly && (
        <CopyFrom
          parts={parts}
          path={path}
          language={language}
          tags={tags}
          names={names}
          title={field.title}
        />
      )}
      {!form.readOnly && (
        <div className="cw-part-add">
          {(['text', 'recording', 'value'] as const).map((kind) => (
            <Button
              key={kind}
              size="small"
              type="dashed"
              icon={<Plus size={13} />}
              aria-label={`${w('addItemTo', { field: t(field.title) })}: ${w(word[kind])}`}
              onClick={() => add(kind)}
            >
              {w(word[kind])}
            </Button>
          ))}
        </div>
      )}
      <span className="cw-hidden" role="status">
        {said}
      </span>
    </>
  );
}

/** A language without any text begins with what another one says. */
function CopyFrom({
  parts,
  path,
  language,
  tags,
  names,
  title,
}: {
  parts: Part[];
  path: Path;
  language: string;
  tags: string[];
  names: (tag: string) => string;
  title: Field['title'];
}) {
  const form = useForm();
  const w = useWords(widgetWords);
  const others = tags.filter((tag) => tag !== language && !saysNothing(parts, tag));
  if (others.length === 0) return null;
  const copy = (from: string) =>
    form.set(
      path,
      parts.map((part) =>
        part.kind === 'text' && isRecord(part.text)
          ? { ...part, text: { ...part.text, [language]: part.text[from] ?? '' } }
          : part,
      ),
      title,
    );
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: others.map((tag) => ({ key: tag, label: w('copyFrom', { language: names(tag) }) })),
        onClick: ({ key }) => copy(key),
      }}
    >
      <Button size="small" type="link" className="cw-copy-from">
        {w('copyFrom', { language: others.map(names).join(' / ') })}
      </Button>
    </Dropdown>
  );
}

function TextPart({
  part,
  path,
  language,
  tags,
  title,
  describedBy,
}: {
  part: Part;
  path: Path;
  language: string;
  tags: string[];
  title: Field['title'];
  describedBy?: string;
}) {
  const form = useForm();
  const w = useWords(widgetWords);
  const names = useLanguageNames();
  const handle = useRef<CodeHandle>(null);
  const texts = isRecord(part.text) ? part.text : {};
  const text = typeof texts[language] === 'string' ? texts[language] : '';
  const others = tags.filter((tag) => tag !== language && String(texts[tag] ?? '').trim() !== '');
  const at = [...path, 'text', language];
  return (
    <>
      <div className="cw-coded" lang={language}>
        <Code
          key={language}
          mode="template"
          lines="many"
          value={text}
          id={fieldId(form.node, at)}
          label={w('textPlaceholder', { language: names(language) })}
          describedBy={describedBy}
          readOnly={form.readOnly}
          hint={w('textPlaceholder', { language: names(language) })}
          handle={handle}
          onChange={(next) => form.set(at, next === '' && others.length > 0 ? undefined : next, title, true)}
        />
        {!form.readOnly && <InsertValue onPick={(picked) => handle.current?.insert(picked)} />}
      </div>
      {text.trim() === '' && others.length > 0 && (
        <p className="cw-part-other cw-quiet">
          {w('otherLanguage')} {others.map((tag) => labelled(names(tag), String(texts[tag]))).join(' · ')}
        </p>
      )}
    </>
  );
}

function RecordingPart({
  part,
  path,
  language,
  title,
}: {
  part: Part;
  path: Path;
  language: string;
  title: Field['title'];
}) {
  const form = useForm();
  const w = useWords(widgetWords);
  const names = useLanguageNames();
  const mayRecord = useMay('prompts.manage');
  const { byName, ready, waits, again } = usePrompts();
  const [typed, setTyped] = useState('');
  const [dialog, setDialog] = useState<string | null>(null);
  const name = typeof part.prompt === 'string' ? part.prompt : '';
  const rows = byName.get(name) ?? [];
  const row =
    rows.find((one) => one.language === language) ?? rows.find((one) => language.startsWith(one.language));
  const fresh = typed.trim() !== '' && !byName.has(typed.trim()) ? typed.trim() : null;
  const at = [...path, 'prompt'];
  const missing = form.languages.filter((tag) => !rows.some((one) => one.language === tag));
  return (
    <div className="cw-picker">
      <div className="cw-picker-row">
        <Select
          id={fieldId(form.node, at)}
          className="cw-wide"
          aria-label={w('choosePrompt')}
          placeholder={w('choosePrompt')}
          disabled={form.readOnly}
          loading={waits}
          popupMatchSelectWidth={false}
          status={ready && name && rows.length === 0 ? 'warning' : undefined}
          showSearch={{ onSearch: setTyped }}
          value={name || undefined}
          notFoundContent={w('nothingStored')}
          options={[
            ...(fresh ? [{ value: fresh, label: w('nameNewPrompt', { name: fresh }) }] : []),
            ...[...byName.keys()].map((one) => ({ value: one, label: one })),
            ...(name && !byName.has(name) && name !== fresh ? [{ value: name, label: name }] : []),
          ]}
          onOpenChange={(open) => open && again()}
          onChange={(next) => {
            form.set(at, next, title);
            if (next === fresh && mayRecord) setDialog(next);
          }}
        />
        {row?.url && <Player compact source={row.url} seconds={row.seconds} label={name} />}
        {mayRecord && !form.readOnly && (
          <Button
            type="text"
            icon={<Mic size={15} />}
            aria-label={
              name
                ? w(rows.length > 0 ? 'editThis' : 'recordThis', { name })
                : w('nameNewPrompt', { name: '' })
            }
            title={name ? w(rows.length > 0 ? 'editThis' : 'recordThis', { name }) : w('addRecording')}
            onClick={() => setDialog(name)}
          />
        )}
      </div>
      {name && ready && (
        <div className="cw-picker-about">
          {rows.length === 0
            ? !form.troubles.has(dotted(at)) && (
                <StateTag tone="wait">{w('promptUnknown', { name })}</StateTag>
              )
            : form.languages.map((tag) => (
                <StateTag key={tag} tone={missing.includes(tag) ? 'wait' : 'good'}>
                  {missing.includes(tag) ? labelled(names(tag), w('missingIn')) : names(tag)}
                </StateTag>
              ))}
          {row?.text && <span className="cw-quiet">“{row.text}”</span>}
        </div>
      )}
      <PromptDialog
        open={dialog !== null}
        name={dialog ?? ''}
        languages={form.languages}
        language={language}
        onClose={() => {
          setDialog(null);
          again();
        }}
        onSaved={(saved) => {
          if (saved !== name) form.set(at, saved, title);
          again();
        }}
      />
    </div>
  );
}

function ValuePart({ field, part, path }: { field: Field; part: Part; path: Path }) {
  const form = useForm();
  const side = valueSide(field, form.defs);
  if (!side) return null;
  return (
    <div className="cw-part-value">
      {side.properties.map((one) => (
        <FieldRow
          key={one.name}
          name={one.name}
          schema={one.schema}
          required={one.required}
          path={[...path, one.name]}
          siblings={part as unknown as Record<string, unknown>}
          parent={side}
        />
      ))}
    </div>
  );
}

/** The schema of a value in a prompt, from the field's own. */
function valueSide(field: Field, defs: Parameters<typeof readField>[1]): Field | null {
  const parts = field.properties.find((one) => one.name === 'parts');
  const list = parts ? readField(parts.schema, defs, 'parts') : field;
  const union = list.items ? readField(list.items, defs, '') : null;
  const side = union?.sides.find((one) => one.value === 'value');
  return side ? readField(side.schema, defs, '') : null;
}
