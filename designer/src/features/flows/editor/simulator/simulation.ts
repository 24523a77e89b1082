/** One simulated call at a time beside the canvas: its state, and what the person at the phone can do. */
import { useCallback, useEffect, useRef } from 'react';
import { useClient, useSubscription } from 'urql';
import { createStore, useStore } from 'zustand';
import { graphql } from '@/gql';
import type { SimulationPartsFragment } from '@/gql/graphql';
import { type UserError, useChange } from '@/graphql/useChange';
import type { EdgeMark, MarkLayer, NodeMark } from '../marks';
import { addNode, connect, type FlowDoc, freeId, positionOf, removeNodes } from '../model';
import { edgeId } from '../store';

export const SIMULATION_PARTS = graphql(`
  fragment SimulationParts on Simulation {
    id key over outcome reason at standing ringing variables path
    transcript { at kind text node sound }
  }
`);

const START = graphql(`
  mutation StartSimulation($key: String!, $document: JSON, $scene: JSON) {
    startSimulation(key: $key, document: $document, scene: $scene) {
      value { ...SimulationParts }
      errors { ...Refusal }
    }
  }
`);

const PRESS = graphql(`
  mutation PressInSimulation($id: String!, $keys: String!) {
    pressInSimulation(id: $id, keys: $keys) {
      value { ...SimulationParts }
      errors { ...Refusal }
    }
  }
`);

const SAY = graphql(`
  mutation SayInSimulation($id: String!, $words: String!) {
    sayInSimulation(id: $id, words: $words) {
      value { ...SimulationParts }
      errors { ...Refusal }
    }
  }
`);

const HANG_UP = graphql(`
  mutation HangUpSimulation($id: String!) {
    hangUpSimulation(id: $id) {
      value { ...SimulationParts }
      errors { ...Refusal }
    }
  }
`);

const PERSON = graphql(`
  mutation PersonInSimulation($id: String!, $does: String!) {
    personInSimulation(id: $id, does: $does) {
      value { ...SimulationParts }
      errors { ...Refusal }
    }
  }
`);

const ADVANCE = graphql(`
  mutation AdvanceSimulation($id: String!, $seconds: Float) {
    advanceSimulation(id: $id, seconds: $seconds) {
      value { ...SimulationParts }
      errors { ...Refusal }
    }
  }
`);

const STOP = graphql(`
  mutation StopSimulation($id: String!) {
    stopSimulation(id: $id) { value { ok } errors { code } }
  }
`);

const FOLLOW = graphql(`
  subscription FollowSimulation($id: String!) {
    simulation(id: $id) { ...SimulationParts }
  }
`);

export type Simulated = SimulationPartsFragment;

/** What a prepared node answers. */
export interface Mock {
  port?: string;
  outputs?: Record<string, unknown>;
  error?: string;
}

export interface Scene {
  caller?: string;
  called?: string;
  language?: string;
  begin?: string;
  inputs?: Record<string, unknown>;
  mocks?: Record<string, Mock | Mock[]>;
}

interface Held {
  /** The flow that the call belongs to. */
  key: string;
  call: Simulated | null;
  /** When the seen state arrived, so that the clock of the call runs on between two of them. */
  seenAt: number;
  problems: UserError[];
  scenes: Record<string, Scene>;
  /** A node from which the person wants to try the flow, until the phone has begun there. */
  from: { key: string; node: string } | null;
  take(key: string, call: Simulated): void;
  refuse(key: string, problems: UserError[]): void;
  clear(): void;
  setScene(key: string, scene: Scene): void;
}

export const simulations = createStore<Held>()((set) => ({
  key: '',
  call: null,
  seenAt: 0,
  problems: [],
  scenes: {},
  from: null,
  take: (key, call) =>
    set((now) =>
      // Answers may overtake one another: an older view of the same call is dropped.
      now.call?.id === call.id && (now.call.over || now.call.at > call.at) && !call.over
        ? now
        : { key, call, seenAt: Date.now(), problems: [] },
    ),
  refuse: (key, problems) => set({ key, call: null, problems }),
  clear: () => set({ call: null, problems: [] }),
  setScene: (key, scene) => set((now) => ({ scenes: { ...now.scenes, [key]: scene } })),
}));

export function useSimulations<T>(pick: (held: Held) => T): T {
  return useStore(simulations, pick);
}

export type PersonDoes = 'answers' | 'busy' | 'no_answer' | 'rejects' | 'unavailable' | 'machine' | 'fax';
export const PERSON_DOES: PersonDoes[] = [
  'answers',
  'busy',
  'no_answer',
  'rejects',
  'unavailable',
  'machine',
  'fax',
];

export interface Phone {
  call: Simulated | null;
  problems: UserError[];
  busy: boolean;
  start(document: unknown): Promise<void>;
  press(keys: string): Promise<void>;
  say(words: string): Promise<void>;
  hangUp(): Promise<void>;
  person(does: PersonDoes): Promise<void>;
  advance(seconds: number | null): Promise<void>;
}

/** The phone of one flow's simulator. */
export function usePhone(key: string): Phone {
  const held = useSimulations((now) => now);
  const call = held.key === key ? held.call : null;
  const client = useClient();
  const [start, starting] = useChange(START);
  const [press] = useChange(PRESS);
  const [say] = useChange(SAY);
  const [hangUp] = useChange(HANG_UP);
  const [person] = useChange(PERSON);
  const [advance, advancing] = useChange(ADVANCE);
  const id = call && !call.over ? call.id : null;
  const take = useCallback(
    (answer: { value: Simulated | null }) => {
      if (answer.value) simulations.getState().take(key, answer.value);
    },
    [key],
  );

  useSubscription({ query: FOLLOW, variables: { id: id ?? '' }, pause: !id }, (_, seen) => {
    simulations.getState().take(key, seen.simulation);
    return seen;
  });

  // A call that nobody looks at any more is not kept for a quarter of an hour.
  const last = useRef<string | null>(null);
  last.current = call?.id ?? null;
  useEffect(
    () => () => {
      if (last.current) void client.mutation(STOP, { id: last.current }).toPromise();
      simulations.getState().clear();
    },
    [client],
  );

  return {
    call,
    problems: held.key === key ? held.problems : [],
    busy: starting || advancing,
    async start(document) {
      if (call) void client.mutation(STOP, { id: call.id }).toPromise();
      const scene = simulations.getState().scenes[key] ?? {};
      const answer = await start(
        { key, document, scene: { begin: new Date().toISOString(), ...scene } },
        { quiet: true },
      );
      if (answer.value) simulations.getState().take(key, answer.value);
      else simulations.getState().refuse(key, answer.errors);
    },
    async press(keys) {
      if (id) take(await press({ id, keys }));
    },
    async say(words) {
      if (id) take(await say({ id, words }));
    },
    async hangUp() {
      if (id) take(await hangUp({ id }));
    },
    async person(does) {
      if (id) take(await person({ id, does }));
    },
    async advance(seconds) {
      if (id) take(await advance({ id, seconds }));
    },
  };
}

/**
 * The flow as if it began at a node. A caller is answered first, as there is nobody to hear it otherwise, and what
 * cannot be reached from there is left out: it would count as unfinished.
 */
export function beginningAt(doc: FlowDoc, node: string): FlowDoc {
  const reached = new Set<string>();
  const { hangup, error } = doc.handlers;
  const open = [node, hangup, error, ...doc.shortcuts.map((one) => one.to)].filter((id) => id !== null);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    for (const edge of doc.edges) if (edge.from === id) open.push(edge.to);
  }
  const part = {
    ...removeNodes(
      doc,
      Object.keys(doc.nodes).filter((id) => !reached.has(id)),
    ),
    entry: node,
  };
  if (doc.entry === node || doc.kind !== 'ivr' || doc.nodes[node]?.type === 'voice.answer') return part;
  const answer = freeId(part, 'voice.answer');
  const type = { type: 'voice.answer', typeVersion: 1, name: '', config: {}, at: positionOf(doc, node) };
  return { ...connect(addNode(part, answer, type), { from: answer, port: 'next', to: node }), entry: answer };
}

/** A step of a path as it is written: a node, and mostly the port it was left by. */
export function placeOf(written: string): { node: string; port: string } {
  const dot = written.lastIndexOf('.');
  return dot < 0
    ? { node: written, port: '' }
    : { node: written.slice(0, dot), port: written.slice(dot + 1) };
}

/** What lights up on the canvas: where the call stands, and the way it came. */
export function walked(path: readonly string[], standing: string): MarkLayer {
  const nodes: Record<string, NodeMark> = {};
  const edges: Record<string, EdgeMark> = {};
  for (const step of path) {
    const { node, port } = placeOf(step);
    nodes[node] = { state: 'passed' };
    if (port) edges[edgeId(node, port)] = { state: 'passed' };
  }
  if (standing) nodes[standing] = { state: 'running' };
  return { nodes, edges };
}

type Line = Simulated['transcript'][number];

/** A line of the transcript as it is read: what is heard in one breath stands in one line, with all its sounds. */
export interface ReadLine extends Pick<Line, 'at' | 'kind' | 'text' | 'node'> {
  sounds: string[];
}

/** What the simulated line notes where a caller hears a tone. */
export const BEEP = '♪ beep';

const SENTENCE_END = /[。！？.!?…]["”』」）)]*$/;
const NO_SPACE = /[\p{Script=Han}，。！？、：；]$/u;
const NO_SPACE_BEFORE = /^[\p{Script=Han}，。！？、：；,.!?:;]/u;

/** Parts of one prompt (words, a balance, a date) belong to one sentence: they are joined until it ends. */
export function readTranscript(lines: readonly Line[]): ReadLine[] {
  const read: ReadLine[] = [];
  for (const { at, kind, text, node, sound } of lines) {
    const last = read.at(-1);
    const sounds = sound ? [sound] : [];
    const goesOn =
      last?.kind === 'heard' &&
      kind === 'heard' &&
      last.node === node &&
      !SENTENCE_END.test(last.text) &&
      ![last.text, text].includes(BEEP);
    if (last && goesOn) {
      const tight = NO_SPACE.test(last.text) || NO_SPACE_BEFORE.test(text);
      last.text += tight ? text : ` ${text}`;
      last.sounds.push(...sounds);
    } else read.push({ at, kind, text, node, sounds });
  }
  return read;
}

/** The way out and the error of a step's line: `menu → timeout (reason: message)`. */
export function stepOf(text: string): { port: string; error: string } {
  const [, port = '', error = ''] = /→ (\S+)(?: \((.*)\))?$/s.exec(text) ?? [];
  return { port, error: error || (/^\S+ \((.*)\)$/s.exec(text)?.[1] ?? '') };
}
