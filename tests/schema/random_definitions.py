"""Random definitions that run others as children: tasks, sub-workflows and parallel branches in a row."""

from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

from tests.schema.random_values import WORDS, random_object, some

JSON = dict[str, Any]
TASKS = ("human.confirm", "human.form", "human.url_redirect", "human.doc_upload", "sys.task")
POLICIES = ({"defaultStatus": "Disabled"}, {"enabledWhen": {"src": "__context__.on"}})
RETRIES = ({"maxAttempts": 2}, {"maxAttempts": 3, "backoff": "PT1H", "backoffRate": 2})
# What the children of a batch are started for: what the context has, and what it rarely has.
ITEMS = ('[null, {"a": null, "b": [1, null]}, "it\'s", 0, false]', "[[1.5], {}, 'one', 1e21]")
BATCHES = ("__context__.items", "__context__.items", *ITEMS, "[]")
MAPPINGS = (
    {"targetPath": "items", "value": {"type": "expr", "expr": {"src": "[1, {'b': 2}]"}}},
    {"targetPath": "on", "value": {"type": "field", "ref": {"source": "CONTEXT", "path": "on"}}},
    {"targetPath": "each.item", "value": {"type": "expr", "expr": {"src": "__each__"}}},
    {"targetPath": "nothing", "value": {"type": "const", "value": None}},
    {"targetPath": "a.list", "value": {"type": "const", "value": [None, 1.0]}, "mode": "append"},
)


@dataclass(frozen=True, slots=True)
class Child:
    """A template that may be run as a child, by its key or by one of its published versions."""

    key: str
    version_ids: tuple[str, ...]


class Draft:
    """A definition in the making; `ends` are the steps from which flow goes on."""

    def __init__(self, random: Random, children: list[Child]) -> None:
        self.random = random
        self.children = children
        self.numbers = count()
        self.steps: list[JSON] = [{"id": "start", "type": "start", "name": "Start"}]
        self.transitions: list[JSON] = []
        self.ends = ["start"]

    def write(self, key: str) -> JSON:
        """The definition."""
        for _ in range(self.random.randint(2 if self.children else 0, 6)):
            self._block()
        self._add({"id": "end", "type": "end", "name": "End"})
        definition = {
            "id": key,
            "name": self.random.choice(WORDS),
            "steps": self.steps,
            "stepTransitions": self.random.sample(self.transitions, len(self.transitions)),
        }
        groups = self._groups()
        return definition | ({"stepGroups": groups} if groups else {})

    def _block(self) -> None:
        chosen = self.random.random()
        if chosen < 0.15:
            self._parallel()
        else:
            self._add(self._step())

    def _parallel(self) -> None:
        number = next(self.numbers)
        self._add({"id": f"split-{number}", "type": "gateway.parallel_split", "name": "Split"})
        ends: list[str] = []
        for _ in range(2):
            self.ends = [f"split-{number}"]
            self._add(self._step())
            ends += self.ends
        self.ends = ends
        self._add({"id": f"join-{number}", "type": "gateway.parallel_join", "name": "Join"})

    def _add(self, step: JSON) -> None:
        """Leads every end to a step."""
        self.steps.append(step)
        for end in self.ends:
            arrow = {"id": f"t{len(self.transitions)}", "fromStepId": end, "toStepId": step["id"]}
            self.transitions.append(arrow | some(self.random, label=self.random.choice(WORDS)))
        self.ends = [step["id"]]

    def _step(self) -> JSON:
        if self.children and self.random.random() < 0.5:
            return self._sub_workflow()
        keys = {"outputSchema": {"type": "object", "title": self.random.choice(WORDS)}}
        return self._common(self.random.choice(TASKS)) | some(
            self.random, **keys, retry=self.random.choice(RETRIES)
        )

    def _sub_workflow(self) -> JSON:
        child = self.random.choice(self.children)
        keys: JSON = {"mode": self.random.choice(("SINGLE", "BATCH", "BATCH"))}
        if child.version_ids and self.random.random() < 0.6:
            keys["childWorkflowTemplateVersionId"] = self.random.choice(child.version_ids)
        else:
            keys["childWorkflowTemplateKey"] = child.key
        if keys["mode"] == "BATCH":
            keys["iterable"] = {"type": "EXPRESSION", "expr": {"src": self.random.choice(BATCHES)}}
        return (
            self._common("sys.sub_workflow")
            | keys
            | some(
                self.random,
                inputMapping=self.random.sample(MAPPINGS, 3),
                childWorkflowName={"src": "'child of ' & __execution__.name"},
                onParentClose="ABANDON",
            )
        )

    def _common(self, type_: str) -> JSON:
        step = {"id": f"step-{next(self.numbers)}", "type": type_, "name": self.random.choice(WORDS)}
        if self.random.random() < 0.2:
            step["activationPolicy"] = self.random.choice(POLICIES)
        due_in = self.random.choice(("P3D", "PT10S", "P1M"))
        return step | some(self.random, dueIn=due_in, ui=random_object(self.random, 2))

    def _groups(self) -> list[JSON]:
        members: dict[str, list[str]] = {}
        grouped = [step for step in self.steps if step["id"].startswith("step-")]
        for step in self.random.sample(grouped, len(grouped)):
            if self.random.random() < 0.6:
                group_id = f"g{self.random.randint(0, 2)}"
                ids = members.setdefault(group_id, [])
                ids.append(step["id"])
                step["group"] = {"groupId": group_id, "order": len(ids)}
        return [
            {"id": name, "name": self.random.choice(WORDS), "stepIds": ids} for name, ids in members.items()
        ]


def random_definition(random: Random, key: str, children: list[Child]) -> JSON:
    """A definition that may run the children's templates."""
    return Draft(random, children).write(key)
