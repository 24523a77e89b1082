/** What is set up, by name: numbers, prompts, calendars, lists, queues and people, for the command palette. */
import {
  CalendarDays,
  ListChecks,
  type LucideIcon,
  PhoneIncoming,
  UserRound,
  UsersRound,
  Volume2,
} from 'lucide-react';
import type { TypedDocumentNode } from 'urql';
import { graphql } from '@/gql';
import { client } from '@/graphql/client';
import { currentLanguage, type Text } from '@/i18n';
import { groupedPhone } from '@/ui/format';
import type { Found, Searcher } from './searchers';

interface Thing {
  id: string;
  label: string;
  /** What finds it besides its label. */
  also?: string;
  to: string;
}

function searcherOf<Data>(
  permission: string,
  kind: Text,
  icon: LucideIcon,
  query: TypedDocumentNode<Data, { [key: string]: never }>,
  things: (data: Data) => Thing[],
): Searcher {
  return {
    permission,
    async search(typed) {
      const wanted = typed.trim().toLowerCase();
      if (!wanted) return [];
      const { data } = await client.query(query, {}).toPromise();
      if (!data) return [];
      return things(data)
        .filter((one) => `${one.label} ${one.also ?? ''}`.toLowerCase().includes(wanted))
        .slice(0, 6)
        .map(({ id, label, to }): Found => ({ id: `${kind.en}:${id}`, label, to, kind, icon }));
    },
  };
}

const q = encodeURIComponent;

export const setupSearchers: Searcher[] = [
  searcherOf(
    'numbers.read',
    { zh: '号码', en: 'Number' },
    PhoneIncoming,
    graphql(`
      query PaletteNumbers {
        phoneNumbers { id number name }
      }
    `),
    (data) =>
      data.phoneNumbers.map(({ id, number, name }) => ({
        id,
        label: `${groupedPhone(number)} ${name}`.trim(),
        also: number,
        to: `/numbers?search=${q(number)}`,
      })),
  ),
  searcherOf(
    'queues.read',
    { zh: '队列', en: 'Queue' },
    UsersRound,
    graphql(`
      query PaletteQueues {
        queues { name label { zh en } }
      }
    `),
    (data) =>
      data.queues.map(({ name, label }) => ({
        id: name,
        label: label[currentLanguage()] || name,
        also: `${label.zh} ${label.en} ${name}`,
        to: '/agents?tab=queues',
      })),
  ),
  searcherOf(
    'prompts.read',
    { zh: '语音', en: 'Prompt' },
    Volume2,
    graphql(`
      query PalettePrompts {
        prompts { id name }
      }
    `),
    (data) =>
      [...new Set(data.prompts.map((one) => one.name))].map((name) => ({
        id: name,
        label: name,
        to: `/prompts?search=${q(name)}`,
      })),
  ),
  searcherOf(
    'calendars.read',
    { zh: '日历', en: 'Calendar' },
    CalendarDays,
    graphql(`
      query PaletteCalendars {
        calendars { id name }
      }
    `),
    (data) =>
      data.calendars.map(({ id, name }) => ({ id, label: name, to: `/calendars?calendar=${q(name)}` })),
  ),
  searcherOf(
    'lists.read',
    { zh: '名单', en: 'Number list' },
    ListChecks,
    graphql(`
      query PaletteLists {
        numberLists { id name }
      }
    `),
    (data) => data.numberLists.map(({ id, name }) => ({ id, label: name, to: `/lists?list=${q(name)}` })),
  ),
  searcherOf(
    'users.manage',
    { zh: '用户', en: 'User' },
    UserRound,
    graphql(`
      query PaletteUsers {
        users { id name displayName }
      }
    `),
    (data) =>
      data.users.map(({ id, name, displayName }) => ({
        id,
        label: `${displayName} ${name}`.trim(),
        to: `/users?search=${q(name)}`,
      })),
  ),
];
