/** What the page of agents and queues asks of the API, and its forms as plain data. */
import { graphql } from '@/gql';
import type { AgentsAndQueuesQuery, QueueInput } from '@/gql/graphql';

export const SETUP = graphql(`
  query AgentsAndQueues {
    queues {
      name label { zh en } strategy lastAgent lastAgentSeconds skills seats priority ageSeconds ringSeconds againSeconds
      overflow { queue afterSeconds when } outsideNumber outsideAfter maxWaiting music wrapUpSeconds
      serviceLevelSeconds serviceLevelTarget thresholds script popUrl record enabled position members
    }
    agents {
      userId name displayName extension phoneKind outsideNumber seat skills team autoAnswer autoRelease
      wrapUpSeconds wrapUpByHand maxMisses enabled state queues
    }
    teams { key name }
    agentReasons { key labelZh labelEn paid limitMinutes position enabled }
  }
`);
export const PEOPLE = graphql(`
  query AgentUsers {
    users { id name displayName role active }
    extensions { id number name userId enabled }
  }
`);
export const SAVE_AGENT = graphql(`
  mutation SaveAgent($user: String!, $agent: AgentInput!) {
    saveAgent(userId: $user, agent: $agent) {
      value { userId } errors { ...Refusal }
    }
  }
`);
export const DELETE_AGENT = graphql(`
  mutation DeleteAgent($user: String!) {
    deleteAgent(userId: $user) { value { ok } errors { ...Refusal } }
  }
`);
export const SAVE_QUEUE = graphql(`
  mutation SaveQueue($queue: QueueInput!) {
    saveQueue(queue: $queue) { value { name } errors { ...Refusal } }
  }
`);
export const DELETE_QUEUE = graphql(`
  mutation DeleteQueue($name: String!) {
    deleteQueue(name: $name) { value { ok } errors { ...Refusal } }
  }
`);
export const SET_MEMBERS = graphql(`
  mutation SetQueueMembers($name: String!, $users: [String!]!) {
    setQueueMembers(name: $name, userIds: $users) { value errors { ...Refusal } }
  }
`);
export const SAVE_TEAM = graphql(`
  mutation SaveTeam($key: String!, $name: String!) {
    saveTeam(key: $key, name: $name) { value { key } errors { ...Refusal } }
  }
`);
export const DELETE_TEAM = graphql(`
  mutation DeleteTeam($key: String!) {
    deleteTeam(key: $key) { value { ok } errors { ...Refusal } }
  }
`);
export const SAVE_REASON = graphql(`
  mutation SaveAgentReason($reason: AgentReasonInput!) {
    saveAgentReason(reason: $reason) { value { key } errors { ...Refusal } }
  }
`);
export const DELETE_REASON = graphql(`
  mutation DeleteAgentReason($key: String!) {
    deleteAgentReason(key: $key) { value { ok } errors { ...Refusal } }
  }
`);

export type Setup = AgentsAndQueuesQuery;
export type Queue = Setup['queues'][number];
export type Agent = Setup['agents'][number];
export type Team = Setup['teams'][number];
export type Reason = Setup['agentReasons'][number];

/** Skills as rows of a form. */
export interface SkillRow {
  skill: string;
  level: number;
}

export function skillRows(skills: unknown): SkillRow[] {
  return Object.entries((skills ?? {}) as Record<string, number>).map(([skill, level]) => ({ skill, level }));
}

export function skillMap(rows: readonly (SkillRow | undefined)[] | undefined): Record<string, number> {
  return Object.fromEntries(
    (rows ?? []).flatMap((row) => (row?.skill ? [[row.skill.trim(), row.level ?? 1]] : [])),
  );
}

export const THRESHOLDS = ['waiting', 'longest', 'service_level', 'expected'] as const;

/** Thresholds that are set; empty fields are none. */
export function thresholdMap(
  given: Record<string, number | null | undefined> | undefined,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(given ?? {}).flatMap(([key, value]) => (typeof value === 'number' ? [[key, value]] : [])),
  );
}

export interface QueueForm extends Omit<QueueInput, 'skills' | 'thresholds'> {
  skillRows: SkillRow[];
  thresholds: Record<string, number | null | undefined>;
  members: string[];
}

export const BLANK_QUEUE: QueueForm = {
  name: '',
  labelZh: '',
  labelEn: '',
  strategy: 'longest_idle',
  lastAgent: false,
  lastAgentSeconds: 0,
  seats: [],
  priority: 0,
  ageSeconds: 60,
  ringSeconds: 20,
  againSeconds: 20,
  overflow: [],
  outsideNumber: '',
  outsideAfter: 3,
  maxWaiting: 0,
  music: '',
  wrapUpSeconds: 15,
  serviceLevelSeconds: 20,
  serviceLevelTarget: 80,
  script: '',
  popUrl: '',
  record: true,
  enabled: true,
  position: 0,
  skillRows: [],
  thresholds: {},
  members: [],
};

export function formOf(queue: Queue): QueueForm {
  const { label, skills, thresholds, members, ...same } = queue;
  return {
    ...same,
    labelZh: label.zh,
    labelEn: label.en,
    overflow: queue.overflow.map((one) => ({ ...one })),
    skillRows: skillRows(skills),
    thresholds: { ...(thresholds as Record<string, number>) },
    members: [...members],
  };
}

export function inputOf(form: QueueForm): QueueInput {
  const { skillRows: rows, thresholds, members: _, ...same } = form;
  return {
    ...same,
    overflow: (form.overflow ?? []).filter((one) => one?.queue),
    skills: skillMap(rows),
    thresholds: thresholdMap(thresholds),
  };
}
