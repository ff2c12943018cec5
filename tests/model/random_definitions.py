"""Random valid definitions: nested blocks, then arrows that no author would draw; and small libraries of them.

Everything is made by a `Choose`: given n it names a number below n, of which 0 is the simplest. Hypothesis gives one
that shrinks, `random.Random.randrange` is one that is fast.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from db.runtime.validation import Catalogue, KnownVersion, Severity, child_references, validate_definition

JSON = dict[str, Any]
Choose = Callable[[int], int]

TASKS = ("human.confirm", "human.form", "sys.task")
MAX_STEPS = 30


class Draft:
    """A definition that grows from `start` to `end`.

    `ends` are the arrows that wait for whatever comes next: the keys of a transition without its target.
    """

    def __init__(self, key: str, choose: Choose, children: list[str]) -> None:
        self.key = key
        self.choose = choose
        self.children = children
        self.steps: list[JSON] = []
        self.transitions: list[JSON] = []
        self.start = self.add("start")

    def add(self, step_type: str, **keys: Any) -> str:
        step_id = f"{step_type.rsplit('.', maxsplit=1)[-1].split('_', maxsplit=1)[0]}{len(self.steps)}"
        self.steps.append({"id": step_id, "type": step_type, "name": step_id.title(), **keys})
        return step_id

    def arrow(self, origin: str, target: str, **keys: Any) -> None:
        number = len(self.transitions)
        self.transitions.append({"id": f"t{number}", "fromStepId": origin, "toStepId": target, **keys})

    def connect(self, ends: list[JSON], target: str) -> None:
        """Lead every open end to a step; no two arrows join the same steps, so a task comes between."""
        for end in ends:
            taken = {(each["fromStepId"], each["toStepId"]) for each in self.transitions}
            if (end["fromStepId"], target) in taken:
                between = self.task()
                self.arrow(**_from(end), target=between)
                self.arrow(between, target)
            else:
                self.arrow(**_from(end), target=target)

    def maybe(self, one_in: int) -> bool:
        """False is the simpler."""
        return self.choose(one_in) == one_in - 1

    def pick(self, options: Any) -> Any:
        return options[self.choose(len(options))]

    def raw(self) -> JSON:
        return {
            "id": self.key,
            "name": self.key.title(),
            "steps": self.steps,
            "stepTransitions": self.transitions,
        }

    # Steps

    def task(self) -> str:
        keys: JSON = {}
        if self.maybe(4):
            keys["activationPolicy"] = self.policy()
        if self.maybe(4):
            keys["retry"] = self.pick(
                (
                    {"maxAttempts": 2},
                    {"maxAttempts": 3, "backoff": "PT1H", "backoffRate": 2},
                    {"maxAttempts": 1},
                )
            )
        if self.maybe(8):
            keys["outputSchema"] = {"type": "object", "required": ["ok"]}
        if self.maybe(8):
            keys["dueIn"] = "P1M"
        return self.add(self.pick(TASKS), **keys)

    def policy(self) -> JSON:
        if self.maybe(3):
            return {"defaultStatus": "Disabled"}
        keys = {"defaultStatus": "Disabled"} if self.maybe(6) else {}
        return {**keys, "enabledWhen": {"src": self.condition()}}

    def condition(self) -> str:
        """Something to be true or not; of a step that is there already, or of the context."""
        earlier = self.pick([step["id"] for step in self.steps])
        return str(
            self.pick(
                (
                    "__context__.a = 1",
                    "__context__.b",
                    f"__steps__.{earlier}.outputData.ok",
                    "$count(__context__.items) > 1",
                    "__context__.bad ? $error('boom') : __context__.a",
                )
            )
        )

    def sub_workflow(self) -> str:
        if not self.children:
            return self.task()
        child = self.pick([*self.children[1:], *self.children])
        pinned = self.maybe(2)
        keys: JSON = (
            {"childWorkflowTemplateVersionId": f"tver_{child}"}
            if pinned
            else {"childWorkflowTemplateKey": child}
        )
        keys["mode"] = self.pick(("SINGLE", "BATCH"))
        if keys["mode"] == "BATCH":
            keys["iterable"] = self.iterable()
        if self.maybe(2):
            keys["inputMapping"] = [self.mapping() for _ in range(1 + self.choose(3))]
        if self.maybe(4):
            keys["childWorkflowName"] = {"src": "'child of ' & __execution__.name"}
        if self.maybe(4):
            keys["onParentClose"] = "ABANDON"
        if self.maybe(6):
            keys["activationPolicy"] = self.policy()
        return self.add("sys.sub_workflow", **keys)

    def iterable(self) -> JSON:
        earlier = self.pick([step["id"] for step in self.steps])
        return dict(
            self.pick(
                (
                    {"type": "EXPRESSION", "expr": {"src": "__context__.items"}},
                    {"type": "EXPRESSION", "expr": {"src": "__context__.items"}},
                    {"type": "EXPRESSION", "expr": {"src": f"__steps__.{earlier}.outputData.items"}},
                    {"type": "STEP", "stepId": earlier, "select": {"src": "items"}},
                    {"type": "STEP", "stepId": earlier},
                    {
                        "type": "EXPRESSION",
                        "expr": {"src": "__context__.bad ? $error('boom') : __context__.items"},
                    },
                )
            )
        )

    def mapping(self) -> JSON:
        value = self.pick(
            (
                {"type": "const", "value": self.pick((1, None, [1, 2], True))},
                {"type": "field", "ref": {"source": "CONTEXT", "path": "items"}},
                {"type": "field", "ref": {"source": "EACH", "path": "id"}},
                {"type": "expr", "expr": {"src": "__each__"}},
                {"type": "expr", "expr": {"src": "__context__.items"}},
                {"type": "expr", "expr": {"src": "__context__.bad ? $error('boom') : __context__.items"}},
            )
        )
        mapping = {"targetPath": self.pick(("a", "b", "items", "deep.a", "a.deep")), "value": value}
        return {**mapping, "mode": "append"} if self.maybe(3) else mapping

    # Blocks: each takes the open ends that lead to it and leaves its own

    def block(self, ends: list[JSON], depth: int) -> list[JSON]:
        kinds = [
            self.one_task,
            self.one_task,
            self.one_sub_workflow,
            self.exclusive,
            self.parallel,
            self.loop,
            self.inclusive,
        ]
        simple = depth <= 0 or len(self.steps) > MAX_STEPS
        kind = self.pick(kinds[:3] if simple else kinds)
        return list(kind(ends, depth))

    def sequence(self, ends: list[JSON], depth: int, most: int = 3) -> list[JSON]:
        for _ in range(1 + self.choose(most)):
            ends = self.block(ends, depth - 1)
        return ends

    def one_task(self, ends: list[JSON], depth: int) -> list[JSON]:
        step_id = self.task()
        if self.maybe(8):
            ends = [{**end, "onArrival": {"status": "Disabled"}} for end in ends]
        self.connect(ends, step_id)
        return [_end(step_id)]

    def one_sub_workflow(self, ends: list[JSON], depth: int) -> list[JSON]:
        step_id = self.sub_workflow()
        self.connect(ends, step_id)
        return [_end(step_id)]

    def exclusive(self, ends: list[JSON], depth: int) -> list[JSON]:
        split = self.add("gateway.exclusive_split")
        self.connect(ends, split)
        taken = [_end(split, condition={"src": self.condition()})]
        otherwise = [_end(split, isDefault=True)]
        left = self.sequence(taken, depth)
        right = self.sequence(otherwise, depth) if self.maybe(2) else otherwise
        return left + right

    def parallel(self, ends: list[JSON], depth: int) -> list[JSON]:
        split = self.add("gateway.parallel_split")
        self.connect(ends, split)
        branches = [_end(split) for _ in range(2 + self.choose(2))]
        return self.joined(branches, depth)

    def inclusive(self, ends: list[JSON], depth: int) -> list[JSON]:
        split = self.add("gateway.inclusive_split")
        self.connect(ends, split)
        conditions = [_end(split, condition={"src": self.condition()}) for _ in range(1 + self.choose(3))]
        return self.joined([*conditions, _end(split, isDefault=True)], depth)

    def joined(self, branches: list[JSON], depth: int) -> list[JSON]:
        """The branches run, and meet at a join – or at one step that does not wait for all."""
        ends = [end for branch in branches for end in self.sequence([branch], depth, most=2)]
        meeting = self.task() if self.maybe(8) else self.add("gateway.parallel_join")
        self.connect(ends, meeting)
        return [_end(meeting)]

    def loop(self, ends: list[JSON], depth: int) -> list[JSON]:
        """A body that is done again, on a condition or unless one holds."""
        first = self.task()
        self.connect(ends, first)
        body = self.sequence([_end(first)], depth) if self.maybe(2) else [_end(first)]
        split = self.add("gateway.exclusive_split")
        self.connect(body, split)
        if self.maybe(3):
            self.arrow(split, first, isDefault=True)
            return [_end(split, condition={"src": "__context__.b"})]
        self.arrow(split, first, condition={"src": f"__steps__.{first}.outputData.again"})
        return [_end(split, isDefault=True)]

    # Arrows that no author would draw

    def finish(self, ends: list[JSON]) -> None:
        if len(ends) > 1:
            step_id = self.task() if self.maybe(2) else self.add("gateway.parallel_join")
            self.connect(ends, step_id)
            ends = [_end(step_id)]
        self.connect(ends, self.add("end"))

    def cross(self) -> None:
        """A split on some arrow, which also leads to some other step."""
        arrow = self.pick(self.transitions)
        target = self.pick([step["id"] for step in self.steps if step["type"] not in ("start", "end")])
        split = self.add(f"gateway.{self.pick(('exclusive', 'parallel', 'inclusive'))}_split")
        old, arrow["toStepId"] = arrow["toStepId"], split
        onward = {"onArrival": arrow.pop("onArrival")} if "onArrival" in arrow else {}
        if "parallel" in self.steps[-1]["type"]:
            self.arrow(split, old, **onward)
            self.arrow(split, target)
        else:
            self.arrow(split, old, isDefault=True, **onward)
            self.arrow(split, target, condition={"src": self.condition()})

    def confuse(self) -> None:
        """A join becomes a task, or a task with several arrows in a join."""
        step = self.pick(self.steps)
        if step["type"] == "gateway.parallel_join":
            step["type"] = "human.form"
        elif step["type"] in TASKS:
            for key in ("activationPolicy", "retry", "outputSchema", "dueIn"):
                step.pop(key, None)
            step["type"] = "gateway.parallel_join"


def _end(step_id: str, **keys: Any) -> JSON:
    return {"fromStepId": step_id, **keys}


def _from(end: JSON) -> JSON:
    return {"origin": end["fromStepId"], **{key: value for key, value in end.items() if key != "fromStepId"}}


def random_definition(choose: Choose, key: str, library: list[JSON], depth: int = 3) -> JSON:
    """A valid definition that may run those of the library as children."""
    draft = Draft(key, choose, [raw["id"] for raw in library])
    draft.finish(draft.sequence([_end(draft.start)], depth))
    valid = draft.raw()
    assert is_valid(valid, library), errors_of(valid, library)
    valid = deepcopy(valid)
    for _ in range(choose(5)):
        draft.pick((draft.cross, draft.cross, draft.confuse))()
        if is_valid(draft.raw(), library):
            valid = deepcopy(draft.raw())
        else:
            draft.steps, draft.transitions = deepcopy(valid["steps"]), deepcopy(valid["stepTransitions"])
    return shuffled(valid, choose)


def shuffled(raw: JSON, choose: Choose) -> JSON:
    """The same graph with its steps and transitions in another order, which is the order of flow (F2)."""
    if choose(2):
        for name in ("steps", "stepTransitions"):
            left = list(raw[name])
            raw[name] = [left.pop(choose(len(left))) for _ in range(len(left))]
    return raw


def random_library(choose: Choose) -> list[JSON]:
    """Up to four templates, each of which may run those before it as children; the last is to be run."""
    library = [minimal()]
    for level in range(1 + choose(2)):
        library.append(random_definition(choose, f"child{level}", library, depth=1 + choose(2)))
    library.append(random_definition(choose, "root", library))
    return library


def minimal() -> JSON:
    """A child that ends at once."""
    draft = Draft("minimal", lambda _: 0, [])
    draft.connect([_end(draft.start)], draft.add("end"))
    return draft.raw()


def errors_of(raw: JSON, library: list[JSON]) -> list[str]:
    """What publishing would find wrong."""
    issues = validate_definition(raw, catalogue(raw["id"], library))
    return [
        f"{issue.code} {issue.path}: {issue.message}" for issue in issues if issue.severity is Severity.ERROR
    ]


def is_valid(raw: JSON, library: list[JSON]) -> bool:
    return not errors_of(raw, library)


def catalogue(key: str, library: list[JSON]) -> Catalogue:
    versions = {f"tver_{raw['id']}": KnownVersion(True, raw["id"], child_references(raw)) for raw in library}
    return Catalogue(versions, {raw["id"]: f"tver_{raw['id']}" for raw in library}, key)
