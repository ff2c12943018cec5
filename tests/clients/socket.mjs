// A client of graphql-ws for `resume`, which does the reconnecting.

import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const SILENCE = 5_000; // milliseconds without a pong after which the network is taken to be cut

export function openClient(url) {
  let overdue;
  const client = createClient({
    url,
    webSocketImpl: WebSocket, // browsers, and Node.js from 22 on, have their own
    retryAttempts: 0, // a retry would send the variables of the first attempt once more
    connectionAckWaitTimeout: 10_000,
    keepAlive: 10_000,
    on: {
      ping: (received) => {
        if (!received) overdue = setTimeout(() => client.terminate(), SILENCE);
      },
      pong: (received) => {
        if (received) clearTimeout(overdue);
      },
      closed: () => clearTimeout(overdue),
    },
  });
  return client;
}
