"""What clients follow: the document, where a client stands in it, and what it has seen, in the order it saw it."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.folding import folded

JSON = dict[str, Any]

CHANGE = """revision kind at actor fromStatus toStatus attempt reason rootWorkflowExecutionId workflowExecutionId
  stepExecutionId data"""
# All that the journal's images tell of a row: what is folded and compared.
EXECUTION = """id name correlationId parentWorkflowExecutionId childIndex item workflowTemplateVersionId runtimeStatus
  createdAt startedAt completedAt failedAt cancelledAt lastActivityAt context revision reason
  failure { code message }
  steps {
    id type stepId name status attempt createdAt startedAt completedAt failedAt disabledAt passedAt disabledBy
    enteredBy dueAt isOverdue retryAt revision failure { code message } claim { worker claimedAt leaseExpiresAt }
  }"""
TREE = f"{EXECUTION} descendantWorkflowExecutions(first: 40) {{ nodes {{ {EXECUTION} }} }}"
STATE = "id runtimeStatus revision context steps { id stepId status attempt revision }"

FOLLOW_TREE = f"""
  subscription ($rootId: ID!, $after: Int, $epoch: String) {{
    workflowExecutionTree(rootId: $rootId, after: $after, epoch: $epoch) {{
      __typename
      ... on TreeSnapshot {{ revision epoch reason root {{ {TREE} }} }}
      ... on TreeChanged {{ revision changes {{ {CHANGE} }} }}
      ... on TreeEnded {{ revision root {{ id runtimeStatus treeRevision }} }}
    }}
  }}
"""
FOLLOW_CHANGES = f"""
  subscription ($after: String, $rootId: ID) {{
    changes(after: $after, rootWorkflowExecutionId: $rootId) {{
      __typename
      ... on Change {{ {CHANGE} cursor }}
      ... on ChangesResync {{ why: reason cursor }}
    }}
  }}
"""
POLL_CHANGES = f"""
  query ($after: String, $rootId: ID, $first: Int) {{
    changes(first: $first, after: $after, rootWorkflowExecutionId: $rootId) {{ nodes {{ {CHANGE} cursor }} }}
  }}
"""
WATCH = f"subscription ($id: ID!) {{ workflowExecution(id: $id) {{ {STATE} }} }}"


ROW = "id runtimeStatus revision"
# Those that run, in the order of a column that changes with every command.
PAGE_ARGUMENTS = """(
  first: 10
  where: { runtimeStatus: { in: [IN_PROGRESS, FAILED] } }
  orderBy: [{ field: LAST_ACTIVITY_AT, direction: DESC }]
)"""
FOLLOW_LIST = f"""
  subscription {{
    workflowExecutions{PAGE_ARGUMENTS} {{ entries {{ kind id index workflowExecution {{ {ROW} }} }} }}
  }}
"""
LIST = f"{{ workflowExecutions{PAGE_ARGUMENTS} {{ nodes {{ {ROW} }} }} }}"


class Stream(Protocol):
    """What a client follows."""

    document: str

    @property
    def event_id(self) -> str | None:
        """Where it stands, as server-sent events tell it; None where it cannot go on from there."""

    def variables(self) -> JSON:
        """Those that go on from where it stands."""

    def take(self, data: JSON, event_id: str | None) -> list[JSON]:
        """An event's data; returns the records of what it says."""


@dataclass
class TreeStream:
    """`workflowExecutionTree`: from revision `after`, or from the state."""

    root_id: str
    after: int | None = None
    epoch: str | None = None
    is_careless: bool = False
    document: str = FOLLOW_TREE

    @property
    def event_id(self) -> str | None:
        return None if self.after is None or self.epoch is None else f"{self.epoch}:{self.after}"

    def variables(self) -> JSON:
        return {"rootId": self.root_id, "after": self.after, "epoch": self.epoch}

    def take(self, data: JSON, event_id: str | None) -> list[JSON]:
        event = data["workflowExecutionTree"]
        self.after = event["revision"]
        if event_id is not None:
            self.epoch = event_id.partition(":")[0]
        match event["__typename"]:
            case "TreeSnapshot":
                self.epoch = event["epoch"]
                root = event["root"]
                nodes = root.pop("descendantWorkflowExecutions")["nodes"]
                state = {
                    "revision": event["revision"],
                    "reason": event["reason"],
                    "executions": [root, *nodes],
                }
                return [{"saw": "snapshot", **state}]
            case "TreeChanged":
                changes = [{"saw": "change", **change} for change in event["changes"]]
                told = [{"saw": "until", "revision": event["revision"]}]
                return changes + told
            case _:
                return [{"saw": "ended", "revision": event["revision"], "root": event["root"]}]


@dataclass
class ChangesStream:
    """`changes`, of one tree or of all. A careless client forgets where it stood when it comes again."""

    root_id: str | None
    cursor: str | None
    is_careless: bool = False
    document: str = FOLLOW_CHANGES

    @property
    def event_id(self) -> str | None:
        return None if self.is_careless else self.cursor

    def variables(self) -> JSON:
        given = {} if self.is_careless else {"after": self.cursor}
        return {**given, "rootId": self.root_id}

    def take(self, data: JSON, event_id: str | None) -> list[JSON]:
        event = data["changes"]
        self.cursor = event.pop("cursor")
        if event_id is not None and event_id != self.cursor:
            return [{"saw": "wrong id", "id": event_id, "cursor": self.cursor}]
        if event.pop("__typename") == "Change":
            return [{"saw": "change", **event}]
        return [{"saw": "resync", **event}]

    def take_page(self, data: JSON) -> list[JSON]:
        """A page of the journal over plain HTTP."""
        found = []
        for change in data["changes"]["nodes"]:
            self.cursor = change.pop("cursor")
            found.append({"saw": "change", **change})
        return found


@dataclass
class StateStream:
    """`workflowExecution`, whose readers get the newest state."""

    execution_id: str
    document: str = WATCH
    event_id: str | None = field(default=None, init=False)

    def variables(self) -> JSON:
        return {"id": self.execution_id}

    def take(self, data: JSON, event_id: str | None) -> list[JSON]:
        if event_id is not None:
            return [{"saw": "wrong id", "id": event_id}]
        return [{"saw": "state", **data["workflowExecution"]}]


@dataclass
class ListStream:
    """`workflowExecutions`: a page, then what changes on it; whoever comes again begins with the page."""

    document: str = FOLLOW_LIST
    event_id: str | None = field(default=None, init=False)
    page: list[JSON] = field(default_factory=list, init=False)
    _begins: bool = field(default=True, init=False)

    def variables(self) -> JSON:
        self._begins = True
        return {}

    def take(self, data: JSON, event_id: str | None) -> list[JSON]:
        if event_id is not None:
            return [{"saw": "wrong id", "id": event_id}]
        entries = data["workflowExecutions"]["entries"]
        record = {"saw": "entries", "begins": self._begins, "entries": entries}
        self.page = folded([] if self._begins else self.page, entries)
        self._begins = False
        return [record]
