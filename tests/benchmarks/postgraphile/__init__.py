"""PostGraphile over the same tables: how it is started, and its answers in this server's words."""

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from db.runtime.moments import timestamp_text
from schema.enums import ExecutionStatus, StepStatus, StepType
from tests.benchmarks.node import Node
from tests.benchmarks.processes import Program

DIRECTORY = Path(__file__).parent
_ENUMS = {"runtimeStatus": ExecutionStatus, "status": StepStatus, "type": StepType}


def server(url: str) -> Program:
    """Start it on a database; its packages are installed if they are not."""
    node = Node.installed()
    node.install(DIRECTORY)
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return Program([node.executable, str(DIRECTORY / "server.mjs"), plain])


def as_ours(answer: Any) -> Any:
    """It shows a column as it is stored: enums by their values, and a moment's offset as a number."""
    if isinstance(answer, list):
        return [as_ours(each) for each in answer]
    if isinstance(answer, dict):
        return {key: _value_as_ours(key, value) for key, value in answer.items()}
    return answer


def _value_as_ours(key: str, value: Any) -> Any:
    if key in _ENUMS:
        return _ENUMS[key](value).name
    if key.endswith("At") and value is not None:
        return timestamp_text(datetime.fromisoformat(value))
    return as_ours(value)
