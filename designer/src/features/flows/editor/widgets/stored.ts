/** What flows use by name: calendars, lists, queries, credentials, other flows, prompts of the library. */
import { useMemo } from 'react';
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import type { Text } from '@/i18n';
import { readDoc, type ValueType } from '../model';

const CALENDARS = graphql(`
  query WidgetCalendars {
    calendars { id name timezone }
  }
`);

const CALENDAR_STATE = graphql(`
  query WidgetCalendarState($name: String!) {
    calendarState(name: $name) { state name nextChange }
  }
`);

const LISTS = graphql(`
  query WidgetLists {
    numberLists { id name kind }
  }
`);

const QUERIES = graphql(`
  query WidgetQueries {
    namedQueries { id name parameters description }
  }
`);

const CREDENTIALS = graphql(`
  query WidgetCredentials {
    httpCredentials { id name hosts }
  }
`);

const FLOWS = graphql(`
  query WidgetFlows {
    flows { id key name kind }
  }
`);

const FLOW = graphql(`
  query WidgetFlow($key: String!) {
    flow(key: $key) { id key name kind aliases { name version } }
  }
`);

const FLOW_VERSION = graphql(`
  query WidgetFlowVersion($key: String!, $number: Int!) {
    flowVersion(key: $key, number: $number) { id number document }
  }
`);

const PROMPTS = graphql(`
  query WidgetPrompts {
    prompts { id name language text seconds url updatedAt }
  }
`);

/** A list that is asked for when it is shown and again when the person comes back from the page that holds it. */
const FRESH = { requestPolicy: 'cache-and-network' } as const;

/** Whether a list is there, and whether it is still to come: who may not read it does not wait for it. */
function stateOf(answer: { data?: unknown; error?: unknown }) {
  return { ready: !!answer.data, waits: !answer.data && !answer.error };
}

export function useCalendars() {
  const [answer, ask] = useQuery({ query: CALENDARS, ...FRESH });
  return { rows: answer.data?.calendars ?? [], ...stateOf(answer), again: ask };
}

export function useCalendarState(name: string) {
  const [answer] = useQuery({ query: CALENDAR_STATE, variables: { name }, pause: !name, ...FRESH });
  return answer.data?.calendarState ?? null;
}

export function useNumberLists() {
  const [answer, ask] = useQuery({ query: LISTS, ...FRESH });
  return { rows: answer.data?.numberLists ?? [], ...stateOf(answer), again: ask };
}

export function useQueries() {
  const [answer, ask] = useQuery({ query: QUERIES, ...FRESH });
  return { rows: answer.data?.namedQueries ?? [], ...stateOf(answer), again: ask };
}

export function useNamedQueries(pause: boolean) {
  const [answer] = useQuery({ query: QUERIES, pause });
  return answer.data?.namedQueries ?? [];
}

export function useCredentials() {
  const [answer, ask] = useQuery({ query: CREDENTIALS, ...FRESH });
  return { rows: answer.data?.httpCredentials ?? [], ...stateOf(answer), again: ask };
}

export function useFlows() {
  const [answer, ask] = useQuery({ query: FLOWS, ...FRESH });
  return { rows: answer.data?.flows ?? [], ...stateOf(answer), again: ask };
}

export interface FaceVariable {
  name: string;
  title: string;
  type: ValueType;
  typeTitle: Text;
  required: boolean;
}

/** What another flow looks like from outside. */
export interface FlowFace {
  key: string;
  name: string;
  kind: string;
  /** The version that runs; null while none is published under the alias. */
  version: number | null;
  aliases: { name: string; version: number }[];
  inputs: FaceVariable[];
  outputs: FaceVariable[];
}

const TYPES: Record<ValueType, Text> = {
  string: { zh: '文本', en: 'text' },
  number: { zh: '数字', en: 'number' },
  boolean: { zh: '是/否', en: 'yes/no' },
  object: { zh: '对象', en: 'object' },
  list: { zh: '列表', en: 'list' },
  any: { zh: '任意', en: 'any' },
};

export function useFlowFace(
  key: string,
  alias = 'live',
  pinned: number | null = null,
): FlowFace | null | undefined {
  const [answer] = useQuery({ query: FLOW, variables: { key }, pause: !key, ...FRESH });
  const flow = answer.data?.flow;
  const version = pinned ?? flow?.aliases.find((one) => one.name === alias)?.version ?? null;
  const [told] = useQuery({
    query: FLOW_VERSION,
    variables: { key, number: version ?? 0 },
    pause: !flow || version === null,
  });
  return useMemo(() => {
    if (!key) return null;
    if (!flow || flow.key !== key) return answer.error ? null : undefined;
    const doc = told.data?.flowVersion ? readDoc(told.data.flowVersion.document) : null;
    const face = (variables: ReturnType<typeof readDoc>['inputs']): FaceVariable[] =>
      variables.map((one) => ({
        name: one.name,
        title: one.title ?? '',
        type: one.type,
        typeTitle: TYPES[one.type] ?? TYPES.any,
        required: one.required === true,
      }));
    return {
      key: flow.key,
      name: flow.name,
      kind: flow.kind,
      version,
      aliases: flow.aliases.map(({ name, version: number }) => ({ name, version: number })),
      inputs: face(doc?.inputs ?? []),
      outputs: face(doc?.outputs ?? []),
    };
  }, [key, flow, version, told.data, answer.error]);
}

export interface StoredPrompt {
  id: string;
  name: string;
  language: string;
  text: string;
  seconds: number;
  url: string | null;
}

/** The prompts of the library, by name. */
export function usePrompts() {
  const [answer, ask] = useQuery({ query: PROMPTS, ...FRESH });
  const rows = answer.data?.prompts;
  const byName = useMemo(() => {
    const found = new Map<string, StoredPrompt[]>();
    for (const row of rows ?? []) {
      const one: StoredPrompt = { ...row, url: row.url ?? null };
      found.set(row.name, [...(found.get(row.name) ?? []), one]);
    }
    return found;
  }, [rows]);
  return { byName, ...stateOf(answer), again: ask };
}
