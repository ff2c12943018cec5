import { Environment, Network, Observable, RecordSource, Store } from 'relay-runtime';

import { resume } from './resume.mjs';
import { openClient } from './socket.mjs';
import { FOLLOW_TREE, Tree } from './tree.mjs';

const [url, rootId] = process.argv.slice(2);
const print = (line) => console.log(JSON.stringify(line));

const socket = openClient(url.replace(/^http/, 'ws'));
const fetchFunction = () => Promise.reject(new Error('This example has no queries.'));
const subscribeFunction = ({ text, name }, variables) =>
  Observable.create((sink) => socket.subscribe({ query: text, operationName: name, variables }, sink));
const environment = new Environment({
  network: Network.create(fetchFunction, subscribeFunction),
  store: new Store(new RecordSource()),
});

// What relay-compiler puts into `params` of a compiled subscription.
const FollowTree = { id: null, metadata: {}, name: 'FollowTree', operationKind: 'subscription', text: FOLLOW_TREE };

function subscribe(variables, sink) {
  const results = environment.getNetwork().execute(FollowTree, variables, {});
  const subscription = results.subscribe(sink);
  return () => subscription.unsubscribe();
}

const tree = new Tree(rootId, print);
await resume(tree, subscribe);
print({ state: tree.executions });
