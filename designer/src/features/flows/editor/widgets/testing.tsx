/** What component tests need around a form: a server that cannot be reached, and a person who may do everything. */
import { App, ConfigProvider } from 'antd';
import type { ReactNode } from 'react';
import { createClient, fetchExchange, Provider } from 'urql';
import { SessionContext } from '@/app/session';

const client = createClient({
  url: 'http://127.0.0.1:9/graphql',
  exchanges: [fetchExchange],
  preferGetMethod: false,
  // Nothing ever answers: as a form is while the connection is lost.
  fetch: () => new Promise<Response>(() => undefined),
});

export function offline(children: ReactNode): ReactNode {
  // Nothing is painted in a test: no styles are made.
  return (
    <ConfigProvider theme={{ zeroRuntime: true }} wave={{ disabled: true }}>
      <App>
        <Provider value={client}>{children}</Provider>
      </App>
    </ConfigProvider>
  );
}

export function Session({ children }: { children: ReactNode }) {
  return (
    <SessionContext
      value={{
        person: {
          id: 'me',
          name: 'me',
          permissions: [],
          mustChangePassword: false,
          business: { id: 'b', name: 'b', timezone: 'Asia/Shanghai', country: 'CN', language: 'zh' },
        },
        may: () => true,
        reload: () => undefined,
      }}
    >
      {children}
    </SessionContext>
  );
}
