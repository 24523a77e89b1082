import { graphql } from '@/gql';
import type { FlowListQuery } from '@/gql/graphql';

export const FLOWS = graphql(`
  query FlowList($archived: Boolean!) {
    flows(archived: $archived) {
      id key name kind folder tags archived updatedAt updatedBy draftAhead
      aliases { name version }
      cases { total green red stale neverRan }
      problemCounts { errors warnings }
      numbers { id number name alias version enabled }
    }
    flowLabels { folders tags }
  }
`);
export const HISTORY = graphql(`
  query FlowHistory($key: String!, $first: Int!, $after: String) {
    flowHistory(key: $key, first: $first, after: $after) {
      nodes { seq at since times actor action details text { zh en } }
      endCursor
      hasNext
    }
  }
`);
export const EXPORT = graphql(`
  query ExportFlow($key: String!) {
    exportFlow(key: $key)
  }
`);
export const CHECK = graphql(`
  query CheckImport($document: JSON!) {
    checkFlow(document: $document) { code severity node field message { zh en } }
  }
`);
export const IMPORT = graphql(`
  mutation ImportFlows($flows: [FlowToImport!]!) {
    importFlows(flows: $flows) {
      value { flow { id key name } }
      errors { ...Refusal node }
    }
  }
`);
export const CREATE = graphql(`
  mutation CreateFlow($document: JSON!) {
    createFlow(document: $document) {
      value { flow { id key name } }
      errors { ...Refusal }
    }
  }
`);
export const FROM_TEMPLATE = graphql(`
  mutation CreateFromTemplate($key: String!, $name: String!) {
    createFromTemplate(key: $key, name: $name) {
      value { flow { id key name } }
      errors { ...Refusal }
    }
  }
`);
export const META = graphql(`
  mutation UpdateFlowMeta($key: String!, $folder: String, $tags: [String!]) {
    updateFlowMeta(key: $key, folder: $folder, tags: $tags) {
      value { id folder tags }
      errors { ...Refusal }
    }
  }
`);
export const DUPLICATE = graphql(`
  mutation DuplicateFlow($key: String!) {
    duplicateFlow(key: $key) {
      value { flow { id key name } }
      errors { ...Refusal }
    }
  }
`);
export const ARCHIVE = graphql(`
  mutation ArchiveFlow($key: String!, $archived: Boolean!) {
    archiveFlow(key: $key, archived: $archived) {
      value { id archived }
      errors { ...Refusal }
    }
  }
`);
export const DELETE = graphql(`
  mutation DeleteFlow($key: String!) {
    deleteFlow(key: $key) { value { ok } errors { ...Refusal } }
  }
`);

export type FlowRow = FlowListQuery['flows'][number];
