// The state of a workflow tree, made of its snapshots and changes; every revision counts once.

const STEP = `
  id stepId type name status attempt createdAt startedAt completedAt failedAt disabledAt passedAt disabledBy enteredBy
  dueAt isOverdue retryAt failure { code message } claim { worker claimedAt leaseExpiresAt } revision
`;
const EXECUTION = `
  id name correlationId parentWorkflowExecutionId childIndex workflowTemplateVersionId runtimeStatus createdAt startedAt
  completedAt failedAt cancelledAt lastActivityAt failure { code message } reason revision context item
  steps { ${STEP} }
`;
// Has the fields that `Change.data` has, so that a change can take the place of what a snapshot showed.
export const STATE = `
  ${EXECUTION} descendantWorkflowExecutions(first: 250) { nodes { ${EXECUTION} } pageInfo { hasNextPage } }
`;
export const CHANGE = 'revision kind at workflowExecutionId stepExecutionId data';

export const FOLLOW_TREE = `
  subscription FollowTree($rootId: ID!, $after: Int, $epoch: String) {
    workflowExecutionTree(rootId: $rootId, after: $after, epoch: $epoch) {
      __typename
      ... on TreeSnapshot { revision epoch reason root { ${STATE} } }
      ... on TreeChanged { revision changes { ${CHANGE} } }
      ... on TreeEnded { revision }
    }
  }
`;

// What an attempt is before anything has happened to it, beside what EXECUTION_CREATED tells of it.
const FIRST_ATTEMPT = {
  status: 'NOT_STARTED', attempt: 1, startedAt: null, completedAt: null, failedAt: null, disabledAt: null,
  passedAt: null, disabledBy: null, enteredBy: [], dueAt: null, isOverdue: false, retryAt: null, failure: null,
  claim: null,
};

const byStepId = (steps) => Object.fromEntries(steps.map((step) => [step.stepId, step]));

export function fold(executions, { revision, kind, at, workflowExecutionId, stepExecutionId, data }) {
  const before = executions[workflowExecutionId];
  if (kind === 'EXECUTION_CREATED') {
    const steps = data.steps.map((step) => ({ ...FIRST_ATTEMPT, ...step, createdAt: at, revision }));
    executions[workflowExecutionId] = { ...data, steps: byStepId(steps) };
  } else if (stepExecutionId === null) {
    executions[workflowExecutionId] = { ...before, ...data };
  } else {
    const steps = { ...before.steps, [data.stepId]: data };
    executions[workflowExecutionId] = { ...before, steps, revision, lastActivityAt: at };
  }
}

export class Tree {
  executions = {};

  // `position` is what a subscription needs to go on from here; `tell` is called with each thing that was learnt.
  constructor(rootId, tell) {
    this.position = { rootId };
    this.tell = tell;
  }

  // Takes the data of one event.
  take({ workflowExecutionTree: event }) {
    if (event.__typename === 'TreeSnapshot') this.takeSnapshot(event);
    else if (event.__typename === 'TreeChanged') event.changes.forEach((change) => this.takeChange(change));
    else this.tell({ ended: event.revision });
  }

  takeSnapshot({ revision, epoch, reason, root: { descendantWorkflowExecutions: below, ...root } }) {
    if (below.pageInfo.hasNextPage) throw new Error('More than 250: page on with workflowExecution(id:, asOf:).');
    const shown = [root, ...below.nodes].map((each) => [each.id, { ...each, steps: byStepId(each.steps) }]);
    this.executions = Object.fromEntries(shown);
    this.position = { ...this.position, after: revision, epoch };
    this.tell({ snapshot: revision, reason });
  }

  takeChange(change) {
    const { after = 0 } = this.position;
    if (change.revision !== after + 1) throw new Error(`Revision ${change.revision} follows ${after}.`);
    fold(this.executions, change);
    this.position = { ...this.position, after: change.revision };
    this.tell({ revision: change.revision, kind: change.kind });
  }
}
