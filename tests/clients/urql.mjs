import { Client, createRequest, subscriptionExchange } from '@urql/core';
import { onEnd, pipe, subscribe as consume } from 'wonka';

import { resume } from './resume.mjs';
import { openClient } from './socket.mjs';
import { FOLLOW_TREE, Tree } from './tree.mjs';

const [url, rootId] = process.argv.slice(2);
const print = (line) => console.log(JSON.stringify(line));

const socket = openClient(url.replace(/^http/, 'ws'));
const forwardSubscription = ({ query, variables }) => ({
  subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
});
const client = new Client({ url, exchanges: [subscriptionExchange({ forwardSubscription })] });

function subscribe(variables, sink) {
  const { unsubscribe } = pipe(
    client.executeSubscription(createRequest(FOLLOW_TREE, variables)),
    onEnd(sink.complete),
    consume(({ data, error, hasNext }) => {
      if (error) sink.error(error.networkError ?? error.graphQLErrors);
      else if (hasNext) sink.next({ data }); // without, it is the last result once more, because the stream is complete
    }),
  );
  return unsubscribe;
}

const tree = new Tree(rootId, print);
await resume(tree, subscribe);
print({ state: tree.executions });
