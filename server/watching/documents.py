"""The operations that a watcher sends. What they select of an execution and of a step is what a change tells of them."""

from typing import Final

EXECUTION: Final = """
fragment WatchedExecution on WorkflowExecution {
  id
  name
  correlationId
  parentWorkflowExecutionId
  childIndex
  workflowTemplateVersionId
  runtimeStatus
  createdAt
  startedAt
  completedAt
  failedAt
  cancelledAt
  lastActivityAt
  reason
  failure { code message }
  revision
  parentStep { stepId }
  steps {
    id
    stepId
    type
    name
    status
    attempt
    createdAt
    startedAt
    completedAt
    failedAt
    disabledAt
    passedAt
    disabledBy
    enteredBy
    dueAt
    isOverdue
    retryAt
    failure { code message }
    claim { worker claimedAt leaseExpiresAt }
    revision
  }
}
fragment WatchedPage on WorkflowExecutionConnection {
  nodes { ...WatchedExecution }
  pageInfo { hasNextPage endCursor }
}
"""

# The link is to what never changes, so that it tells of every revision alike.
CHANGE: Final = """
fragment WatchedChange on Change {
  revision
  kind
  at
  actor
  fromStatus
  toStatus
  attempt
  reason
  workflowExecutionId
  stepExecutionId
  data
  workflowExecution { parentStep { stepId } }
}
"""

FOLLOW: Final = (
    """
subscription Follow($rootId: ID!, $after: Int, $epoch: String, $first: Int!) {
  workflowExecutionTree(rootId: $rootId, after: $after, epoch: $epoch) {
    __typename
    ... on TreeSnapshot {
      revision
      epoch
      reason
      root {
        ...WatchedExecution
        descendantWorkflowExecutions(first: $first) { ...WatchedPage }
      }
    }
    ... on TreeChanged {
      revision
      changes {
        ...WatchedChange
      }
    }
    ... on TreeEnded {
      revision
      root { runtimeStatus }
    }
  }
}
"""
    + EXECUTION
    + CHANGE
)

# The rest of a snapshot: it stands still while the stream goes on (`live.md` H8).
REST: Final = (
    """
query Rest($rootId: ID!, $revision: Int!, $first: Int!, $after: String!) {
  workflowExecution(id: $rootId, asOf: $revision) {
    descendantWorkflowExecutions(first: $first, after: $after) { ...WatchedPage }
  }
}
"""
    + EXECUTION
)

ROOT_OF: Final = """
query RootOf($id: ID!) {
  workflowExecution(id: $id) { rootWorkflowExecution { id } }
}
"""

WATCHING: Final = (FOLLOW, REST, ROOT_OF)
