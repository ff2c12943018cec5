"""What `stepgraph types` prints: the golden files, a compiler's and an interpreter's word, what the server accepts.

`python -m tests.types.modules` writes the golden files anew.
"""

from pathlib import Path
from typing import Any

import pytest

from db.runtime.schemas import violations
from server.demo import KEYS, demo_definition
from server.types.printing import Language
from tests.types.modules import GOLDEN, SUFFIXES, compiler_output, imported, module_of, takes

pytestmark = pytest.mark.node

USE = """
import type { Context, FileOutput, StepOutputs } from './incorporation.js';

type Step<Id extends keyof StepOutputs> = { stepId: Id; outputData: StepOutputs[Id] | null };

export const context: Context = { company: { name: 'A', type: 'llp' }, directors: [{ id: 'd1' }] };
export const file: FileOutput = { issues: ['no stamp'] };
export const step: Step<'name-check'> = { stepId: 'name-check', outputData: { available: true } };
export const free: StepOutputs['fix-issues'] = { anything: [1] };
export const children = (output: StepOutputs['dsc-step']): string[] => output.children.map((child) => child.name);
// @ts-expect-error another step's output
export const wrong: Step<'name-check'> = { stepId: 'name-check', outputData: { complete: true } };
// @ts-expect-error no such step
export const missing: Step<'nowhere'> = { stepId: 'nowhere', outputData: {} };
// @ts-expect-error not in the enum
export const kind: Context = { company: { name: 'A', type: 'gmbh' }, directors: [] };
"""


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("key", KEYS)
def test_the_demo_templates_are_printed_as_the_golden_files_have_them(key: str, language: Language) -> None:
    golden = (GOLDEN / f"{key}.{SUFFIXES[language]}").read_text(encoding="utf-8")
    assert module_of(demo_definition(key), language, key) == golden


def test_the_compiler_takes_the_types_and_holds_their_users_to_them(tmp_path: Path) -> None:
    sources = {f"{key}.ts": (GOLDEN / f"{key}.ts").read_text(encoding="utf-8") for key in KEYS}
    assert compiler_output(sources | {"use.ts": USE}, tmp_path) == ""


def test_the_models_accept_and_refuse_as_the_server_does() -> None:
    module = imported((GOLDEN / "incorporation.py.txt").read_text(encoding="utf-8"))
    definition = demo_definition("incorporation")
    samples: list[Any] = [
        {"company": {"name": "A", "type": "llp"}, "directors": [{"id": "d1", "hasDsc": True, "more": 1}]},
        {"company": {"name": "A", "type": "gmbh"}, "directors": []},
        {"company": {"name": "A", "type": "llp"}},
        {"company": {"name": 1, "type": "llp"}, "directors": []},
        {"company": {"name": "A", "type": "llp"}, "directors": [{"hasDsc": "yes"}]},
    ]
    accepted = [not violations(definition["contextSchema"], sample) for sample in samples]
    assert accepted == [True, False, False, False, False]
    assert [takes(module.Context, sample) for sample in samples] == accepted
    assert (
        module.Context.model_validate(samples[0]).model_dump(by_alias=True, exclude_unset=True) == samples[0]
    )
    schemas_of_steps = {
        step["id"]: step["outputSchema"] for step in definition["steps"] if "outputSchema" in step
    }
    assert module.STEP_OUTPUTS.keys() == {*schemas_of_steps, "dsc-step"}
    for step, schema in schemas_of_steps.items():
        for output in ({"complete": True}, {"available": False}, {"issues": [1]}, {}):
            assert takes(module.STEP_OUTPUTS[step], output) == (not violations(schema, output)), (
                step,
                output,
            )
