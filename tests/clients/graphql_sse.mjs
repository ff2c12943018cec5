import { createClient } from 'graphql-sse';

import { resume } from './resume.mjs';
import { FOLLOW_TREE, Tree } from './tree.mjs';
import { watchedFetch } from './watched_fetch.mjs';

const [url, rootId] = process.argv.slice(2);
const print = (line) => console.log(JSON.stringify(line));

const client = createClient({ url, fetchFn: watchedFetch, retryAttempts: 0 });
const tree = new Tree(rootId, print);
await resume(tree, (position, sink) => client.subscribe({ query: FOLLOW_TREE, variables: position }, sink));
print({ state: tree.executions });
