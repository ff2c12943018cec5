import { ApolloClient, CombinedGraphQLErrors, gql, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import WebSocket from 'ws';

import { resume } from './resume.mjs';
import { openClient } from './socket.mjs';
import { FOLLOW_TREE, Tree } from './tree.mjs';

const [url, rootId] = process.argv.slice(2);
const print = (line) => console.log(JSON.stringify(line));

globalThis.WebSocket ??= WebSocket; // GraphQLWsLink compares with its constants
const link = new GraphQLWsLink(openClient(url.replace(/^http/, 'ws')));
const client = new ApolloClient({ link, cache: new InMemoryCache() });
const query = gql(FOLLOW_TREE);

// GraphQLWsLink makes an Error of a close event; the code is left in its message only.
function causeOf(error) {
  if (CombinedGraphQLErrors.is(error)) return error.errors;
  const code = /^Socket closed with event (\d+)/.exec(error.message)?.[1];
  return code ? { code: Number(code) } : error;
}

function subscribe(variables, sink) {
  const results = client.subscribe({ query, variables, fetchPolicy: 'no-cache' });
  const subscription = results.subscribe({
    ...sink,
    next: ({ data, error }) => (error ? sink.error(causeOf(error)) : sink.next({ data })),
  });
  return () => subscription.unsubscribe();
}

const tree = new Tree(rootId, print);
await resume(tree, subscribe);
print({ state: tree.executions });
