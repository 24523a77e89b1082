/** Who is signed in, and what that person may do. */
import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { useClient, useQuery } from 'urql';
import { graphql } from '@/gql';
import type { MeQuery } from '@/gql/graphql';

export const ME = graphql(`
  query Me {
    me {
      id
      name
      permissions
      mustChangePassword
      business { id name timezone country language }
    }
  }
`);

export type Person = NonNullable<MeQuery['me']>;

interface Session {
  person: Person;
  may(permission: string | undefined): boolean;
  reload(): void;
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const found = useContext(SessionContext);
  if (!found) throw new Error('no session: this component belongs behind the sign-in');
  return found;
}

const LOGOUT = graphql(`
  mutation Logout {
    logout { value { ok } errors { code } }
  }
`);

/** Ends the sign-in and goes to the sign-in page. */
export function useSignOut(): () => Promise<void> {
  const client = useClient();
  return async () => {
    await client.mutation(LOGOUT, {}).toPromise();
    location.assign('/');
  };
}

/** Whether the signed-in person has a permission. */
export function useMay(permission: string): boolean {
  return useSession().may(permission);
}

export function SessionProvider({
  children,
  signIn,
  waiting,
  away,
}: {
  children: ReactNode;
  signIn: (done: () => void) => ReactNode;
  waiting: ReactNode;
  away: (retry: () => void) => ReactNode;
}) {
  const [answer, ask] = useQuery({ query: ME, requestPolicy: 'cache-and-network' });
  const person = answer.data?.me ?? null;
  const session = useMemo<Session | null>(
    () =>
      person && {
        person,
        may: (permission) => !permission || person.permissions.includes(permission),
        reload: () => ask({ requestPolicy: 'network-only' }),
      },
    [person, ask],
  );
  if (session) return <SessionContext value={session}>{children}</SessionContext>;
  if (answer.fetching || answer.stale) return waiting;
  if (answer.error) return away(() => ask({ requestPolicy: 'network-only' }));
  return signIn(() => ask({ requestPolicy: 'network-only' }));
}
