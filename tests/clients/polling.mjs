import { ask } from './ask.mjs';
import { pause } from './resume.mjs';
import { CHANGE, STATE, Tree } from './tree.mjs';

const [url, rootId] = process.argv.slice(2);
const print = (line) => console.log(JSON.stringify(line));

const STATE_NOW = `query ($rootId: ID!) { workflowExecution(id: $rootId) { treeRevision ${STATE} } }`;
const CHANGES = `
  query ($rootId: ID!, $cursor: String) {
    changes(rootWorkflowExecutionId: $rootId, after: $cursor, first: 500) {
      nodes { ${CHANGE} }
      pageInfo { endCursor }
    }
  }
`;

const tree = new Tree(rootId, print);
let cursor;

async function readState(reason) {
  const { data, errors } = await ask(url, STATE_NOW, { rootId });
  if (!data?.workflowExecution) throw new Error('There is no such execution.', { cause: errors });
  const { treeRevision: revision, ...root } = data.workflowExecution;
  tree.takeSnapshot({ revision, reason, root });
  cursor = null; // where in the journal the state stands is not told: begin at the front and pass over what it holds
}

// Returns whether there was anything.
async function readChanges() {
  const { data, errors } = await ask(url, CHANGES, { rootId, cursor });
  const code = errors?.[0].extensions.code;
  if (['CURSOR_EXPIRED', 'EPOCH_CHANGED'].includes(code)) return readState(code).then(() => true);
  if (errors) throw errors;
  const { nodes, pageInfo } = data.changes;
  const news = nodes.filter(({ revision }) => revision > tree.position.after);
  if (news.length && news[0].revision > tree.position.after + 1) {
    return readState('CURSOR_EXPIRED').then(() => true);
  }
  news.forEach((change) => tree.takeChange(change));
  cursor = pageInfo.endCursor ?? cursor;
  return nodes.length > 0;
}

const hasEnded = () => ['COMPLETED', 'CANCELLED'].includes(tree.executions[rootId].runtimeStatus);

await readState('START');
while ((await readChanges()) || !hasEnded()) await pause(3);
print({ ended: tree.position.after });
print({ state: tree.executions });
