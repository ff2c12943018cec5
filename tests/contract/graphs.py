"""Definitions that are not sequences: splits and joins, policies, loops, sub-workflows."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

JSON = dict[str, Any]


def graph(key: str, steps: Mapping[str, str | JSON], *ways: str, **edges: JSON) -> JSON:
    """Steps by id – a type, or a type and more – and ways through them: `"a b c"` is a → b → c.

    A transition's id is `a_b`; `edges` adds to it. `start` and `end` are there by themselves.
    """
    all_steps = {"start": "start", **steps, "end": "end"}
    pairs = dict.fromkeys(pair for way in ways for pair in pairwise(way.split()))
    return {
        "id": key,
        "name": key.title(),
        "steps": [
            {"id": id_, "name": id_.title(), **({"type": step} if isinstance(step, str) else step)}
            for id_, step in all_steps.items()
        ],
        "stepTransitions": [
            {"id": f"{a}_{b}", "fromStepId": a, "toStepId": b, **edges.get(f"{a}_{b}", {})} for a, b in pairs
        ],
    }


def expression(src: str) -> JSON:
    return {"src": src}


def single(key: str, **options: Any) -> JSON:
    """A step with one child."""
    return {"type": "sys.sub_workflow", "mode": "SINGLE", "childWorkflowTemplateKey": key, **options}


def batch(key: str, items: str = "__context__.items", **options: Any) -> JSON:
    """A step with a child for each item; the child has its item in its context."""
    return {
        "type": "sys.sub_workflow",
        "mode": "BATCH",
        "childWorkflowTemplateKey": key,
        "iterable": {"type": "EXPRESSION", "expr": expression(items)},
        "inputMapping": [{"targetPath": "item", "value": {"type": "expr", "expr": expression("__each__")}}],
        **options,
    }


PARALLEL = "gateway.parallel_split"
JOIN = "gateway.parallel_join"
EXCLUSIVE = "gateway.exclusive_split"
TASK = "sys.task"
FORM = "human.form"
OFF: JSON = {"activationPolicy": {"defaultStatus": "Disabled"}}
CHILD = graph("child", {"task": TASK}, "start task end")
