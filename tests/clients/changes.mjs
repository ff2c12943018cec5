import { ask } from './ask.mjs';
import { resume } from './resume.mjs';
import { openClient } from './socket.mjs';

const [url] = process.argv.slice(2);
const print = (line) => console.log(JSON.stringify(line));

const FOLLOW_CHANGES = `
  subscription FollowChanges($after: String) {
    changes(after: $after) {
      ... on Change { cursor rootWorkflowExecutionId revision kind reason }
      ... on ChangesResync { cursor why: reason }
    }
  }
`;

// Without a place a subscription begins with what comes next, and a break before its first event would lose something.
const { data } = await ask(url, '{ changes(last: 1) { pageInfo { endCursor } } }');

const journal = {
  position: { after: data.changes.pageInfo.endCursor },
  take({ changes: { cursor, ...change } }) {
    print(change);
    this.position = { after: cursor };
  },
};

print({ from: journal.position.after });
const client = openClient(url.replace(/^http/, 'ws'));
await resume(journal, (position, sink) => client.subscribe({ query: FOLLOW_CHANGES, variables: position }, sink));
