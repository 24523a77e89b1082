/** One GraphQL client for the app: requests over HTTP, subscriptions over one WebSocket that reconnects by itself. */
import { createClient as createSocket } from 'graphql-ws';
import { cacheExchange, createClient, fetchExchange, mapExchange, subscriptionExchange } from 'urql';
import { connection } from './connection';

const address = `${location.origin}/graphql`;

const socket = createSocket({
  url: address.replace(/^http/, 'ws'),
  lazy: true,
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
  retryWait: (attempt) => new Promise((done) => setTimeout(done, Math.min(500 * 2 ** attempt, 5000))),
  keepAlive: 10_000,
  on: {
    connected: () => connection.getState().socketUp(),
    closed: () => connection.getState().socketDown(),
  },
});

export const client = createClient({
  url: address,
  preferGetMethod: false,
  fetchOptions: { headers: { 'x-callweave': '1' }, credentials: 'same-origin' },
  exchanges: [
    mapExchange({
      onResult(result) {
        if (result.operation.kind !== 'subscription')
          connection.getState().answered(!result.error?.networkError);
        const code = result.error?.graphQLErrors.find(
          (error) => error.extensions?.code === 'unauthenticated',
        );
        if (code) connection.getState().signedOut();
      },
    }),
    cacheExchange,
    fetchExchange,
    subscriptionExchange({
      forwardSubscription(request) {
        const input = { ...request, query: request.query ?? '' };
        return {
          subscribe: (sink) => ({ unsubscribe: socket.subscribe(input, sink as never) }),
        };
      },
    }),
  ],
});

/** Ends the socket, so that the next subscription opens one as whoever is signed in by then. */
export function restartSocket(): void {
  socket.terminate();
}
