"""The schema and the operations serve the tools that clients use, and each tool would say so if they did not."""

import json
from pathlib import Path

import pytest
from strawberry.printer import print_schema

from schema.schema import build_schema
from tests.frontend.client_tools import TOOLS, Workspace
from tests.frontend_documents import operation_names
from tests.node import installed

pytestmark = pytest.mark.node


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A copy of the schema and the operations, with the tools."""
    installed(TOOLS)
    return Workspace(tmp_path)


def test_graphql_eslint_recommends_nothing_else(workspace: Workspace) -> None:
    linted = workspace.run("eslint", "--max-warnings", "0", "--no-inline-config", ".")
    assert (linted.returncode, linted.stdout) == (0, "")


def test_graphql_eslint_finds_what_is_planted(workspace: Workspace) -> None:
    workspace.plant("operations/WatchTree.graphql", "WatchTree", "watch_tree")
    workspace.plant("operations/ExplainStep.graphql", "summary", "summery")
    workspace.plant("operations/RuntimeJSON.graphql", "    id\n", "")
    workspace.plant("schema.graphql", "  totalCount: Int!", "  total_count: Int!")
    workspace.plant("schema.graphql", "type Query {", "type Lonely { id: ID! }\n\ntype Query {")
    linted = workspace.run("eslint", "--format", "json", ".")
    found = {
        (Path(file["filePath"]).name, message["ruleId"].removeprefix("@graphql-eslint/"))
        for file in json.loads(linted.stdout)
        for message in file["messages"]
    }
    assert linted.returncode == 1
    assert found >= {
        ("WatchTree.graphql", "naming-convention"),
        ("ExplainStep.graphql", "fields-on-correct-type"),
        ("RuntimeJSON.graphql", "require-selections"),
        ("schema.graphql", "naming-convention"),
        ("schema.graphql", "no-unreachable-types"),
    }


def test_relay_compiles_every_operation(workspace: Workspace) -> None:
    workspace.write_relay_modules()
    compiled = workspace.run("relay", "relay.config.json")
    assert compiled.returncode == 0, compiled.stdout
    made = {path.name for path in (workspace.directory / "relay" / "__generated__").iterdir()}
    assert {name for name in operation_names() if not any(each.startswith(name) for each in made)} == set()


def test_relay_finds_what_is_planted(workspace: Workspace) -> None:
    workspace.write_relay_modules()
    workspace.plant("relay/WatchTree.ts", "totalCount", "totalCost")
    compiled = workspace.run("relay", "relay.config.json")
    assert compiled.returncode != 0
    assert "totalCost" in compiled.stdout


def test_codegen_makes_types_that_compile(workspace: Workspace) -> None:
    generated = workspace.run("codegen", "--config", "codegen.config.js")
    assert generated.returncode == 0, generated.stdout
    compiled = workspace.run("typescript")
    assert (compiled.returncode, compiled.stdout) == (0, "")
    documents = (workspace.directory / "generated" / "graphql.ts").read_text()
    assert [name for name in operation_names() if f"{name}Document" not in documents] == []


def test_codegen_finds_what_is_planted(workspace: Workspace) -> None:
    workspace.plant("operations/WatchTree.graphql", "totalCount", "totalCost")
    generated = workspace.run("codegen", "--config", "codegen.config.js")
    assert generated.returncode != 0
    assert "totalCost" in generated.stdout


def test_codegen_wants_a_type_for_every_scalar(workspace: Workspace) -> None:
    workspace.plant("schema.graphql", "scalar Duration", "scalar Duration\n\nscalar Weight")
    workspace.plant("schema.graphql", "  totalCount: Int!", "  totalCount: Int!\n  weight: Weight")
    generated = workspace.run("codegen", "--config", "codegen.config.js")
    assert generated.returncode != 0
    assert "Weight" in generated.stdout


def test_inspector_finds_every_operation_valid(workspace: Workspace) -> None:
    validated = workspace.run(
        "inspector", "validate", "operations/**/*.graphql", "schema.graphql", "--deprecated"
    )
    assert validated.returncode == 0, validated.stdout


def test_inspector_finds_what_is_planted(workspace: Workspace) -> None:
    workspace.plant("schema.graphql", "  progress: StepProgress!", "  progress: StepProgress! @deprecated")
    validated = workspace.run(
        "inspector", "validate", "operations/**/*.graphql", "schema.graphql", "--deprecated"
    )
    assert validated.returncode != 0
    assert "progress" in validated.stdout


def test_inspector_sees_no_difference_from_the_running_schema(workspace: Workspace) -> None:
    """`server schema` prints what the committed SDL holds; taking a field away is a breaking change."""
    served = workspace.directory / "served.graphql"
    served.write_text(print_schema(build_schema()))
    same = workspace.run("inspector", "diff", "schema.graphql", "served.graphql")
    assert (same.returncode, "No changes detected" in same.stdout) == (0, True)
    workspace.plant("served.graphql", "  treeRevision: Int!", "  revisionOfTree: Int!")
    broken = workspace.run("inspector", "diff", "schema.graphql", "served.graphql")
    assert broken.returncode != 0
    assert "Field treeRevision was removed from object type WorkflowExecution" in broken.stdout
