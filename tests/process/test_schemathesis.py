"""Schemathesis, which makes requests out of the schema, finds nothing (`security.md` A6, A7).

It runs in an environment of its own, made on first use: it wants other versions of packages than the server has.
"""

import asyncio
import os
import shutil
import subprocess
import venv
from pathlib import Path

import pytest

from tests.process.workflows import create
from tests.servers import ROOT, ServerProcess

DIRECTORY = Path(__file__).parent / "schemathesis"
REQUIREMENTS = ROOT / "requirements-schemathesis.txt"
EXAMPLES = 20  # of each root field, and scenarios of several; the same ones each time


@pytest.fixture(scope="session")
def schemathesis() -> Path:
    """The program, installed as its lock file says."""
    environment = DIRECTORY / ".venv"
    python, copy = environment / "bin" / "python", environment / ".installed"
    if not copy.is_file() or copy.read_bytes() != REQUIREMENTS.read_bytes():
        venv.create(environment, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--require-hashes", "-r", REQUIREMENTS], check=True)
        shutil.copyfile(REQUIREMENTS, copy)
    return environment / "bin" / "schemathesis"


def test_it_finds_no_error_and_no_violation_of_the_schema(
    server: ServerProcess, schemathesis: Path, tmp_path: Path
) -> None:
    """All its phases and checks but one: that whatever the types admit is carried out. The API's bounds are narrower
    than its types (`docs/api.md`), and what passes them is refused, with a code that it takes for a client's error.
    """
    execution = asyncio.run(create(server))
    found = server.graphql(
        "query($id: ID!) { workflowExecution(id: $id) { workflowTemplateVersion { id workflowTemplate { id } } } }",
        id=execution.id,
    )
    version = found["workflowExecution"]["workflowTemplateVersion"]
    ids = [execution.id, *execution.steps.values(), version["id"], version["workflowTemplate"]["id"]]
    options = [
        *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
        *(
            "--max-examples",
            str(EXAMPLES),
            "--generation-deterministic",
            "--no-shrink",
            "--continue-on-failure",
        ),
        "--no-color",
    ]
    ran = subprocess.run(
        [schemathesis, "run", f"{server.url}/graphql", *options],
        cwd=tmp_path,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "hooks",
            "PYTHONPATH": str(DIRECTORY),
            "PYTHONDONTWRITEBYTECODE": "1",
            "IDS_OF_THE_SERVER": " ".join(ids),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert {"Fuzzing", "Stateful"} <= set(ran.stdout.split()), ran.stdout
    assert " 0 passed" not in ran.stdout
