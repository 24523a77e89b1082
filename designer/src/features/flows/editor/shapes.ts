/**
 * What a node looks like from outside: its ports and one line of what it does.
 *
 * The server knows (`nodeShapes`); until it has answered, the ports are those of the type's example, with the ports
 * that choices make worked out here, so that a node can be drawn and connected at once.
 */
import type { Text } from '@/i18n';
import type { NodeTypeInfo, PortInfo } from './catalogue';
import type { NodeSpec } from './model';
import { behind } from './widgets/promptParts';

export interface Shape {
  ports: PortInfo[];
  /** One line: first words of the prompt, the keys, the expression. */
  summary: Text;
}

const text = (zh: string, en = zh): Text => ({ zh, en });
const NONE: Text = { zh: '', en: '' };

/** Ports that every node has, drawn at its foot. */
export const FOOT = new Set(['error', 'hangup']);

let kept = new WeakMap<object, { type: string; shape: Shape; told: boolean }>();
/** What the server told of a node last, by its id: better than a guess while its settings are being typed. */
let before = new Map<string, { type: string; shape: Shape }>();
const listeners = new Set<() => void>();
let version = 0;

/** Shapes that the server told. */
export function learnShapes(known: { id: string; type: string; config: object; shape: Shape }[]): void {
  if (known.length === 0) return;
  for (const { id, type, config, shape } of known) {
    kept.set(config, { type, shape, told: true });
    before.set(id, { type, shape });
  }
  version += 1;
  for (const listener of listeners) listener();
}

/** Another flow is opened, or another language of the server is asked. */
export function forgetShapes(): void {
  kept = new WeakMap();
  before = new Map();
}

/** Whether the server has told the shape of these settings. */
export function told(spec: NodeSpec): boolean {
  const known = kept.get(spec.config);
  return known?.told === true && known.type === spec.type;
}

export const shapeNews = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  version: () => version,
};

export function shapeOf(spec: NodeSpec, type: NodeTypeInfo | undefined, id?: string): Shape {
  const known = kept.get(spec.config);
  if (known && known.type === spec.type) return known.shape;
  const last = id === undefined ? undefined : before.get(id);
  const made = madePorts(spec);
  const ports =
    last && last.type === spec.type && made === null ? last.shape.ports : guessPorts(spec, type, made);
  const shape = { ports, summary: guessSummary(spec) };
  kept.set(spec.config, { type: spec.type, shape, told: false });
  return shape;
}

type Row = Record<string, unknown>;

const rows = (value: unknown): Row[] => (Array.isArray(value) ? (value as Row[]) : []);
const words = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

function guessPorts(spec: NodeSpec, type: NodeTypeInfo | undefined, made: PortInfo[] | null): PortInfo[] {
  const example = type?.ports ?? [];
  if (!made || !type) return example;
  const fromExample = new Set((madePorts({ ...spec, config: type.example }) ?? []).map((port) => port.name));
  const others = example.filter((port) => !fromExample.has(port.name));
  return [...made, ...others.filter((port) => !made.some((one) => one.name === port.name))];
}

/** The ports that lists in the settings make. */
function madePorts({ type, config }: NodeSpec): PortInfo[] | null {
  const port = (name: string, title: string): PortInfo => ({ name, title: text(title), required: true });
  switch (type) {
    case 'voice.menu':
    case 'queue.enter':
      return rows(type === 'voice.menu' ? config.choices : config.offers).map((one) =>
        port(words(one.key), `${words(one.key)} ${words(one.label)}`.trim()),
      );
    case 'logic.switch':
      return rows(config.cases).map((one) => port(words(one.name), words(one.label) || words(one.name)));
    case 'logic.split':
      return rows(config.shares).map((one) =>
        port(words(one.name), `${words(one.name)} ${words(one.percent)}%`),
      );
    case 'logic.parallel':
      return (Array.isArray(config.branches) ? config.branches : []).map((one) =>
        port(words(one), words(one)),
      );
    case 'logic.hours':
      return [
        { name: 'open', title: text('营业', 'Open'), required: true },
        { name: 'closed', title: text('休息', 'Closed'), required: true },
        ...(config.separate_holidays
          ? [{ name: 'holiday', title: text('节假日', 'Holiday'), required: true }]
          : []),
      ];
    default:
      return null;
  }
}

/** First words of a prompt. */
function promptWords(value: unknown): Text | null {
  const parts = rows((value as Row | undefined)?.parts);
  if (parts.length === 0) return null;
  const inLanguage = (language: 'zh' | 'en') =>
    parts
      .map((part) => {
        const said = (part.text ?? {}) as Record<string, string>;
        if (part.kind === 'text') return said[language] ?? '';
        return `{${words(part.value) || words(part.prompt) || words(part.kind)}}`;
      })
      .map((said) => said.trim())
      .reduce(behind, '');
  const zh = inLanguage('zh');
  const en = inLanguage('en');
  return zh || en ? text(zh || en, en || zh) : null;
}

const TELLING = [
  'condition',
  'value',
  'flow',
  'number',
  'query',
  'url',
  'text',
  'subject',
  'list',
  'calendar',
  'seconds',
  'until',
  'times',
  'card',
  'to',
  'queue',
  'name',
];

function guessSummary({ config }: NodeSpec): Text {
  const said = promptWords(config.prompt);
  if (said) return said;
  const assignments = rows(config.assignments);
  if (assignments.length > 0)
    return text(assignments.map((one) => `${words(one.name)} = ${words(one.value)}`).join(', '));
  for (const field of TELLING) {
    const found = words(config[field]);
    if (found) return text(found);
  }
  return NONE;
}
