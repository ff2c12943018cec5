"""`stepgraph validate`, `draw` and `publish`: a definition in a file, checked, drawn and published."""

import asyncio
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from db.runtime.validation import definition_schema
from server.demo import KEYS, demo_definition
from tests.process.commands import invoke
from tests.process.workflows import send
from tests.servers import Ended, ServerProcess

DEMO = Path("server/demo")
BROKEN = """\
{
  "id": "broken",
  "name": "Broken",
  "steps": [
    {"id": "start", "type": "start", "name": "Start"},
    {
      "id": "a",
      "type": "human.form",
      "nmae": "A"
    },
    {"id": "end", "type": "end", "name": "End", "legacy/x~": {"\\u00e9": 1}, "dueIn": "soon"}
  ],
  "stepTransitions": [
    {"id": "t1", "fromStepId": "start", "toStepId": "end"}
  ]
}
"""
ISSUES = """\
{file}:6:5: error NO_ISOLATED_STEPS: No transition touches 'a'.
{file}:6:5: error TYPE_MISMATCH: The key 'name' is missing.
{file}:9:7: error UNKNOWN_KEY: Unknown key 'nmae'; known here: id, type, name, outputSchema, group, activationPolicy, \
dueIn, retry, ui.
{file}:11:77: error DURATION_INVALID: 'soon' is not an ISO 8601 duration, such as PT10S, P3D or P1Y6M.
"""


def written(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def template(server: ServerProcess, fields: str, key: str = "mine") -> Any:
    return server.graphql(f'{{ workflowTemplate(key: "{key}") {{ {fields} }} }}')["workflowTemplate"]


def definition(**more: Any) -> str:
    return json.dumps({**demo_definition("verify"), "id": "mine", **more})


def sub_workflow(key: str) -> dict[str, Any]:
    """What a definition has that runs this template, and nothing else."""
    child = {"id": "verify", "type": "sys.sub_workflow", "name": "It", "mode": "SINGLE"}
    start, _, end = demo_definition("verify")["steps"]
    return {"steps": [start, {**child, "childWorkflowTemplateKey": key}, end]}


@pytest.mark.parametrize("key", KEYS)
def test_the_demo_can_be_published(key: str) -> None:
    file = str(DEMO / f"{key}.json")
    validated = invoke("validate", file)
    assert validated.code == 0
    assert validated.output.endswith(f"{file} can be published.\n")


def test_issues_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = written(tmp_path / "broken.json", BROKEN)
    assert invoke("validate", file) == Ended(1, ISSUES.format(file=file), "")


def test_children_are_looked_up_where_a_server_is_named(tmp_path: Path) -> None:
    file = written(tmp_path / "parent.json", definition(**sub_workflow("nobody")))
    asked = f"Whether the child templates exist was not asked: name a server with --url.\n{file} can be published.\n"
    assert invoke("validate", file) == Ended(0, asked, "")
    with ServerProcess(cwd=tmp_path) as server:
        told = invoke("validate", file, "--url", server.url)
        assert told.code == 1
        assert "error CHILD_VERSION_EXISTS: There is no template with the key 'nobody'." in told.output
        broken = written(tmp_path / "broken.json", BROKEN)
        assert invoke("validate", broken, "--url", server.url) == invoke("validate", broken)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", ":1:1: Not JSON: "),
        ('{"id": 1,\n "id" 2}', ":2:7: Not JSON: "),
        ('{"id": NaN}', ":1:8: Not JSON: "),
    ],
)
@pytest.mark.parametrize("command", ["validate", "draw", "publish"])
def test_what_is_no_json_is_refused_with_its_place(
    command: str, text: str, place: str, tmp_path: Path
) -> None:
    file = written(tmp_path / "wrong.json", text)
    ended = invoke(command, file)
    assert (ended.code, ended.output) == (1, "")
    assert ended.errors.startswith(f"{file}{place}")


@pytest.mark.parametrize("value", ["[]", "7", "null", "{}", '{"steps": []}'])
def test_any_json_is_answered(value: str, tmp_path: Path) -> None:
    file = written(tmp_path / "any.json", value)
    assert invoke("validate", file).code == 1
    assert invoke("draw", file) == Ended(1, "", f"{file}: There is no step to draw.\n")


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    missing, binary, deep = tmp_path / "missing.json", tmp_path / "binary.json", tmp_path / "deep.json"
    binary.write_bytes(b"\xff")
    deep.write_text('{"steps": ' + "[" * 900 + "]" * 900 + "}")
    assert invoke("validate", str(missing)).errors == f"{missing}: No such file or directory.\n"
    assert invoke("validate", str(binary)).errors == f"{binary}: The byte at 0 is not UTF-8.\n"
    assert invoke("validate", str(deep)).code == 1


def test_the_schema_for_editors_is_the_one_in_the_docs() -> None:
    printed = invoke("definition-schema").output
    assert json.loads(printed) == definition_schema()
    assert printed == Path("docs/definition.schema.json").read_text(encoding="utf-8")


def test_a_drawing_has_every_step_and_transition() -> None:
    incorporation = demo_definition("incorporation")
    drawn = invoke("draw", str(DEMO / "incorporation.json"), "--format", "svg")
    picture = ET.fromstring(drawn.output)  # noqa: S314  # our own
    found = [" ".join(each.text or "" for each in picture.iter() if each.tag.endswith("text"))]
    for step in incorporation["steps"]:
        assert all(word in found[0] for word in step["name"].split())
    arrows = [each for each in picture.iter() if each.get("class") == "arrow"]
    assert len(arrows) == len(incorporation["stepTransitions"])
    flowchart = invoke("draw", str(DEMO / "incorporation.json")).output.splitlines()
    assert sum("-->" in line for line in flowchart) == len(incorporation["stepTransitions"])
    assert all(any(step["name"] in line for line in flowchart) for step in incorporation["steps"])


def test_names_cannot_break_a_drawing(tmp_path: Path) -> None:
    steps, name = demo_definition("verify")["steps"], '"]; --> n0 <b>&amp; `x` \n%% end\u0007 #quot; | 🧭'
    steps[1]["name"] = name
    file = written(tmp_path / "odd.json", definition(steps=steps))
    picture = ET.fromstring(invoke("draw", file, "--format", "svg").output)  # noqa: S314  # our own
    assert "<b>&amp;" in " ".join(each.text or "" for each in picture.iter() if each.tag.endswith("text"))
    flowchart = invoke("draw", file).output.splitlines()
    assert len(flowchart) == 1 + len(steps) + len(demo_definition("verify")["stepTransitions"])


def test_a_definition_is_published_as_the_first_and_as_the_next_version(
    served_database_url: str, tmp_path: Path
) -> None:
    file = written(tmp_path / "mine.json", definition())
    with ServerProcess("--database", served_database_url, cwd=tmp_path) as server:
        url = ("--url", server.url)
        told = "Created the template 'mine' in version 1.0.0; it runs from now on.\n"
        assert invoke("publish", file, *url) == Ended(0, told, "")
        told = "Published the template 'mine' in version 1.1.0; it runs from now on.\n"
        assert invoke("publish", file, *url) == Ended(0, told, "")
        told = "Published the template 'mine' in version 2.0.0; it is not active.\n"
        more = ("--version", "2.0.0", "--no-activate")
        assert invoke("publish", file, *url, *more) == Ended(0, told, "")
        told = "The template 'mine' has a published version 2.0.0 already.\n"
        assert invoke("publish", file, *url, *more) == Ended(1, "", told)
        told = "Created the template 'other' in version 0.1.0; it runs from now on.\n"
        assert invoke("publish", file, *url, "--key", "other", "--version", "0.1.0") == Ended(0, told, "")
        found = template(server, "activeVersion { version } versions { totalCount }")
    assert found == {"activeVersion": {"version": "1.1.0"}, "versions": {"totalCount": 3}}


def test_a_draft_that_was_left_half_way_is_brought_up_to_date(
    served_database_url: str, tmp_path: Path
) -> None:
    file = written(tmp_path / "mine.json", definition())
    with ServerProcess("--database", served_database_url, cwd=tmp_path) as server:
        assert (invoke("publish", file, "--url", server.url)).code == 0
        given = {"workflowTemplateId": template(server, "id")["id"], "version": "1.1.0", "definition": {}}
        asyncio.run(send(server, "CreateVersion", "TemplateSuccess", input=given))
        told = "Published the template 'mine' in version 1.1.0; it runs from now on.\n"
        assert invoke("publish", file, "--url", server.url) == Ended(0, told, "")
        active = template(server, "activeVersion { version definition }")["activeVersion"]
    assert active == {"version": "1.1.0", "definition": json.loads(definition())}


def test_what_cannot_be_published_leaves_nothing_behind(served_database_url: str, tmp_path: Path) -> None:
    file = written(tmp_path / "broken.json", BROKEN)
    with ServerProcess("--database", served_database_url, cwd=tmp_path) as server:
        assert invoke("publish", file, "--url", server.url) == Ended(1, "", ISSUES.format(file=file))
        assert template(server, "id", key="broken") is None
        good = written(tmp_path / "mine.json", definition())
        refused = invoke("publish", good, "--url", server.url, "--key", "no good")
        assert refused.code == 1
        assert "'no good'" in refused.errors
        refused = invoke("publish", good, "--url", server.url, "--version", "one")
        assert refused.code == 1
        assert "'one' is not a semantic version" in refused.errors


def test_who_does_not_answer_is_told(tmp_path: Path) -> None:
    file = written(tmp_path / "mine.json", definition())
    told = "Cannot connect to http://127.0.0.1:1: Connection refused.\n"
    for words in (("publish", file), ("validate", file)):
        assert invoke(*words, "--url", "http://127.0.0.1:1") == Ended(1, "", told)
