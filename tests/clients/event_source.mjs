import { EventSource } from 'eventsource'; // browsers have their own

import { resume } from './resume.mjs';
import { FOLLOW_TREE, Tree } from './tree.mjs';
import { watchedFetch } from './watched_fetch.mjs';

const [url, rootId] = process.argv.slice(2);
const print = (line) => console.log(JSON.stringify(line));

// Reconnects by itself, with the id of the last event as Last-Event-ID. Where it has given up, `resume` opens another.
function subscribe(position, sink) {
  const parameters = new URLSearchParams({ query: FOLLOW_TREE, variables: JSON.stringify(position) });
  const source = new EventSource(`${url}?${parameters}`, { fetch: watchedFetch });
  source.addEventListener('next', ({ data }) => sink.next(JSON.parse(data)));
  source.addEventListener('complete', () => sink.complete());
  source.addEventListener('error', (error) => {
    if (source.readyState === EventSource.CLOSED) sink.error(error);
  });
  return () => source.close();
}

const tree = new Tree(rootId, print);
await resume(tree, subscribe);
print({ state: tree.executions });
