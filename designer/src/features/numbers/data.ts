import { graphql } from '@/gql';
import type { NumberPlanQuery } from '@/gql/graphql';

export const PLAN = graphql(`
  query NumberPlan {
    phoneNumbers { id number name flowId alias version language enabled }
    trunks {
      id name host port transport encryption verify authority username registers addresses callerId codecs maxCalls priority enabled
    }
    extensions { id number name userId enabled }
    outboundRules { numberClass maxPerHour fromHour toHour trunkId }
    emergencyRoutes { number destination }
  }
`);
export const PLAN_FLOWS = graphql(`
  query NumberPlanFlows {
    flows { id key name aliases { name version } }
  }
`);
export const PLAN_USERS = graphql(`
  query NumberPlanUsers {
    users { id name displayName }
  }
`);
export const SAVE_NUMBER = graphql(`
  mutation SaveNumber(
    $id: String, $number: String!, $name: String!, $flow: String, $alias: String!, $version: Int,
    $language: String!, $enabled: Boolean!
  ) {
    savePhoneNumber(
      id: $id, number: $number, name: $name, flow: $flow, alias: $alias, version: $version,
      language: $language, enabled: $enabled
    ) { value { id } errors { ...Refusal } }
  }
`);
export const DELETE_NUMBER = graphql(`
  mutation DeleteNumber($id: String!) {
    deletePhoneNumber(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
export const SAVE_TRUNK = graphql(`
  mutation SaveTrunk($id: String, $input: TrunkInput!) {
    saveTrunk(id: $id, input: $input) { value { id } errors { ...Refusal } }
  }
`);
export const DELETE_TRUNK = graphql(`
  mutation DeleteTrunk($id: String!) {
    deleteTrunk(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
export const SAVE_EXTENSION = graphql(`
  mutation SaveExtension(
    $id: String, $number: String!, $name: String!, $password: String, $userId: String, $enabled: Boolean!
  ) {
    saveExtension(
      id: $id, number: $number, name: $name, password: $password, userId: $userId, enabled: $enabled
    ) {
      value { extension { id number } password }
      errors { ...Refusal }
    }
  }
`);
export const DELETE_EXTENSION = graphql(`
  mutation DeleteExtension($id: String!) {
    deleteExtension(id: $id) { value { ok } errors { ...Refusal } }
  }
`);
export const SAVE_RULE = graphql(`
  mutation SaveRule(
    $numberClass: String!, $maxPerHour: Int!, $fromHour: Int!, $toHour: Int!, $trunkId: String
  ) {
    saveOutboundRule(
      numberClass: $numberClass, maxPerHour: $maxPerHour, fromHour: $fromHour, toHour: $toHour, trunkId: $trunkId
    ) { value { numberClass } errors { ...Refusal } }
  }
`);
export const SAVE_EMERGENCY = graphql(`
  mutation SaveEmergency($number: String!, $destination: String!) {
    saveEmergencyRoute(number: $number, destination: $destination) {
      value { number }
      errors { ...Refusal }
    }
  }
`);
export const DELETE_EMERGENCY = graphql(`
  mutation DeleteEmergency($number: String!) {
    deleteEmergencyRoute(number: $number) { value { ok } errors { ...Refusal } }
  }
`);

export type Plan = NumberPlanQuery;
export type Did = Plan['phoneNumbers'][number];
export type Trunk = Plan['trunks'][number];
export type Extension = Plan['extensions'][number];
export type Rule = Plan['outboundRules'][number];
export type Route = Plan['emergencyRoutes'][number];

/** How a number names its version: an alias, or `v12` for a version that it is pinned to. */
export function versionChoice(did: { alias: string; version?: number | null }): string {
  return did.version ? `v${did.version}` : did.alias;
}

export function readChoice(choice: string): { alias: string; version: number | null } {
  const pinned = /^v(\d+)$/.exec(choice);
  return pinned ? { alias: 'live', version: Number(pinned[1]) } : { alias: choice, version: null };
}
