import { resume } from './resume.mjs';
import { openClient } from './socket.mjs';
import { FOLLOW_TREE, Tree } from './tree.mjs';

const [url, rootId] = process.argv.slice(2);
const print = (line) => console.log(JSON.stringify(line));

const client = openClient(url.replace(/^http/, 'ws'));
const tree = new Tree(rootId, print);
await resume(tree, (position, sink) => client.subscribe({ query: FOLLOW_TREE, variables: position }, sink));
print({ state: tree.executions });
