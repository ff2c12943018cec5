"""Types are never narrower than the schema: what the server accepts, the models validate and the compiler assigns."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.runtime.schema_documents import schema_error
from db.runtime.schemas import violations
from server.types.outline import outline_of
from server.types.printing import Language
from server.types.pydantic_models import models_of
from server.types.refusal import NoTypes
from tests.types.modules import compiler_output, imported, module_of, with_output
from tests.types.schemas import OBJECTS, SCHEMAS

VALUES = st.lists(OBJECTS, min_size=8, max_size=8)


@settings(max_examples=60, deadline=None)
@given(SCHEMAS, VALUES)
def test_models_validate_what_the_server_accepts(schema: dict[str, Any], values: list[Any]) -> None:
    if schema_error(schema) is not None:
        return
    accepted = [value for value in values if not violations(schema, value)]
    try:
        document = outline_of(with_output(schema)).document()
    except NoTypes:
        assert not accepted
        return
    module = imported(models_of(json.dumps(document)))
    for value in accepted:
        module.DoOutput.model_validate(value)


@pytest.mark.node
def test_the_compiler_assigns_what_the_server_accepts(tmp_path: Path) -> None:
    sources: dict[str, str] = {}

    @settings(max_examples=12, deadline=None, database=None, derandomize=True)
    @given(SCHEMAS, VALUES)
    def gather(schema: dict[str, Any], values: list[Any]) -> None:
        accepted = [
            value for value in values if schema_error(schema) is None and not violations(schema, value)
        ]
        if accepted:
            uses = [
                f"export const value{index}: DoOutput = {json.dumps(value)};"
                for index, value in enumerate(accepted)
            ]
            text = module_of(with_output(schema), Language.TYPESCRIPT)
            sources[f"module{len(sources)}.ts"] = "\n".join([text, *uses])

    gather()
    assert len(sources) > 3
    assert compiler_output(sources, tmp_path) == ""
