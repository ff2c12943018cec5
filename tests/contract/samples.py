"""Definitions of sequences."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

Task = tuple[str, str]


def sequence(name: str, *tasks: Task, **options: Any) -> dict[str, Any]:
    """start → each of these (id, type) → end."""
    steps = [("start", "start"), *tasks, ("end", "end")]
    return {
        "id": name,
        "name": name.title(),
        "steps": [{"id": id_, "type": type_, "name": id_.title()} for id_, type_ in steps],
        "stepTransitions": transitions([id_ for id_, _ in steps]),
    } | options


def transitions(step_ids: Sequence[str]) -> list[dict[str, str]]:
    """One transition between each two neighbours."""
    return [
        {"id": f"t{number}", "fromStepId": source, "toStepId": target}
        for number, (source, target) in enumerate(pairwise(step_ids), 1)
    ]


ONE = sequence("one", ("a", "human.confirm"))
TWO = sequence("two", ("a", "human.form"), ("b", "sys.task"))
