// urql over HTTP for queries and commands, over one WebSocket for subscriptions.

import { createClient as createSocket, type SubscribePayload } from 'graphql-ws';
import { Client, fetchExchange, subscriptionExchange } from 'urql';
import { authorization } from '../token';

const ENDPOINT = '/graphql';
const NO_TEXT = ''; // graphql-ws wants a text beside the id of a document, and the server does not
const SILENCE = 5_000; // milliseconds without a pong after which the network is taken to be cut

export function createClient(): Client {
  const socket = openSocket();
  return new Client({
    url: ENDPOINT,
    preferGetMethod: false,
    fetchOptions: () => ({ headers: authorization() }),
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ documentId, variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ query: NO_TEXT, documentId, variables } as SubscribePayload, sink),
          }),
        }),
      }),
    ],
  });
}

function openSocket() {
  let overdue: ReturnType<typeof setTimeout>;
  const socket = createSocket({
    url: `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${ENDPOINT}`,
    connectionParams: authorization,
    jsonMessageReplacer: (key, value: unknown) => (key === 'query' && value === NO_TEXT ? undefined : value),
    retryAttempts: 0, // `follow` does it, with the place as it is by then
    lazyCloseTimeout: 1_000,
    connectionAckWaitTimeout: 10_000,
    keepAlive: 10_000,
    on: {
      ping: (received) => {
        if (!received) overdue = setTimeout(() => socket.terminate(), SILENCE);
      },
      pong: (received) => {
        if (received) clearTimeout(overdue);
      },
      closed: () => clearTimeout(overdue),
    },
  });
  return socket;
}
