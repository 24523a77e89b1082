/** The flow list without a browser: folders, filters, reading files, blank documents. */

import { type JsonFault, jsonFault } from '@/ui/json';

export const KINDS = ['ivr', 'campaign', 'callback', 'ticket', 'subflow'] as const;
export type Kind = (typeof KINDS)[number];
export const MAX_FILE = 5_000_000;

export interface Listed {
  key: string;
  name: string;
  kind: string;
  folder: string;
  tags: string[];
  draftAhead: boolean;
  aliases: { name: string; version: number }[];
  cases: { total: number; green: number; red: number; stale: number; neverRan: number };
  problemCounts: { errors: number; warnings: number };
  numbers: { number: string }[];
}

export interface Folder {
  path: string;
  name: string;
  depth: number;
  /** Flows in it and below. */
  count: number;
}

/** Every folder in use with those above it, in order; `count` includes what is deeper. */
export function foldersOf(flows: readonly Pick<Listed, 'folder'>[], more: readonly string[] = []): Folder[] {
  const counts = new Map<string, number>();
  for (const folder of more) for (const path of ancestors(folder)) counts.set(path, counts.get(path) ?? 0);
  for (const { folder } of flows)
    for (const path of ancestors(folder)) counts.set(path, (counts.get(path) ?? 0) + 1);
  return [...counts]
    .sort(([one], [two]) => comparePaths(one, two))
    .map(([path, count]) => {
      const parts = path.split('/');
      return { path, name: parts.at(-1) ?? path, depth: parts.length - 1, count };
    });
}

function ancestors(folder: string): string[] {
  const parts = folder.split('/').filter(Boolean);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function comparePaths(one: string, two: string): number {
  const a = one.split('/');
  const b = two.split('/');
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = (a[index] ?? '').localeCompare(b[index] ?? '', 'zh');
    if (order) return order;
  }
  return a.length - b.length;
}

export function liveVersion(flow: Pick<Listed, 'aliases'>): number | null {
  return flow.aliases.find((alias) => alias.name === 'live')?.version ?? null;
}

export interface Wanted {
  search: string;
  kind: string;
  state: string;
  folder: string;
  tag: string;
}

/** `-` as the folder means: without one. */
export function matches(flow: Listed, wanted: Wanted): boolean {
  if (wanted.kind && flow.kind !== wanted.kind) return false;
  if (wanted.tag && !flow.tags.includes(wanted.tag)) return false;
  if (wanted.folder === '-') {
    if (flow.folder) return false;
  } else if (wanted.folder && flow.folder !== wanted.folder && !flow.folder.startsWith(`${wanted.folder}/`))
    return false;
  if (wanted.state === 'ahead' && !flow.draftAhead) return false;
  if (wanted.state === 'unpublished' && liveVersion(flow) !== null) return false;
  if (wanted.state === 'red' && flow.cases.red === 0) return false;
  if (wanted.state === 'problems' && flow.problemCounts.errors + flow.problemCounts.warnings === 0)
    return false;
  const words = wanted.search.trim().toLowerCase();
  if (!words) return true;
  const said = [flow.name, flow.key, flow.folder, ...flow.tags, ...flow.numbers.map((one) => one.number)];
  return said.join(' ').toLowerCase().includes(words);
}

export interface FlowFile {
  id: string;
  kind: string;
  name: string;
  description: string;
  nodes: Record<string, unknown>;
  [more: string]: unknown;
}

export type Reading =
  | { ok: true; document: FlowFile }
  | { ok: false; why: 'notJson'; fault: JsonFault }
  | { ok: false; why: 'notFlow' | 'tooLarge' | 'wrongKind'; detail: string };

/** The flows of a file: one, or several as a list or under `flows`; or why it holds none. */
export function readFiles(content: string, bytes: number): Reading[] {
  if (bytes > MAX_FILE) return [{ ok: false, why: 'tooLarge', detail: (bytes / 1e6).toFixed(1) }];
  const text = content.replace(/^\uFEFF/, '');
  const fault = jsonFault(text);
  if (fault) return [{ ok: false, why: 'notJson', fault }];
  const told: unknown = JSON.parse(text);
  const several = Array.isArray(told) ? told : (told as { flows?: unknown } | null)?.flows;
  return Array.isArray(several) && several.length > 0 ? several.map(readFlow) : [readFlow(told)];
}

/** One flow out of a file, or why it is none. */
export function readFlow(told: unknown): Reading {
  if (typeof told !== 'object' || told === null || Array.isArray(told))
    return { ok: false, why: 'notFlow', detail: '' };
  const document = told as Record<string, unknown>;
  const nodes = document.nodes;
  if (
    typeof document.kind !== 'string' ||
    typeof document.name !== 'string' ||
    typeof nodes !== 'object' ||
    nodes === null ||
    Array.isArray(nodes)
  )
    return { ok: false, why: 'notFlow', detail: '' };
  if (!KINDS.some((kind) => kind === document.kind))
    return { ok: false, why: 'wrongKind', detail: document.kind };
  const description = typeof document.description === 'string' ? document.description : '';
  const id = typeof document.id === 'string' ? document.id : '';
  return { ok: true, document: { ...document, id, description } as FlowFile };
}

/** Which of the imported flows a refusal is about: its field begins with `flows.<index>`. */
export function refusedAt(field: string): number | null {
  const found = /^flows\.(\d+)\b/.exec(field);
  return found ? Number(found[1]) : null;
}

/** Keys that more than one of these documents has. */
export function twice(documents: readonly { id: string }[]): Set<string> {
  const seen = new Set<string>();
  const found = new Set<string>();
  for (const { id } of documents) {
    if (id && seen.has(id)) found.add(id);
    seen.add(id);
  }
  return found;
}

/** A key for a name: its Latin letters and figures, or the kind where there are none. */
export function keyFor(name: string, kind: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '');
  return /^[a-z]/.test(plain) ? plain : plain ? `${kind}-${plain}` : kind;
}

const text = (zh: string, en: string) => ({ prompt: { parts: [{ kind: 'text', text: { zh, en } }] } });

/** The smallest whole flow of a kind. */
export function blank(kind: Kind): FlowFile {
  const spoken = kind === 'ivr' || kind === 'campaign' || kind === 'callback';
  const nodes: Record<string, unknown> = spoken
    ? {
        ...(kind === 'ivr' ? { answer: { type: 'voice.answer', name: '接听 Answer', config: {} } } : {}),
        greeting: { type: 'voice.say', name: '问候 Greeting', config: text('您好。', 'Hello.') },
        hang_up: { type: 'voice.hangup', name: '挂断 Hang up', config: {} },
      }
    : { end: { type: 'logic.end', name: '结束 End', config: {} } };
  const order = Object.keys(nodes);
  return {
    spec_version: '1.0.0',
    id: kind,
    kind,
    name: '',
    description: '',
    languages: ['zh', 'en'],
    entry: order[0],
    nodes,
    edges: order.slice(1).map((to, index) => ({ from: order[index], port: 'next', to })),
    ui: { positions: Object.fromEntries(order.map((id, index) => [id, { x: 0, y: index * 160 }])) },
  };
}
