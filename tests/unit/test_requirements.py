"""Versions: the floors below which a library has a fault that matters here, the minima of `pyproject.toml`, the locks.

A floor is the first version without the fault (CVEs, no `Origin` check, no back-pressure, …). What a package manager would
let in is checked, and what the locks pin.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.servers import ROOT

FLOORS = {
    "strawberry-graphql": "0.341.2",  # checks the Origin of WebSockets; CVEs before
    "graphql-core": "3.3.1",
    "starlette": "1.3.1",
    "uvicorn": "0.52.1",  # 0.50 to 0.52.0 held no WebSocket writer up
    "h11": "0.16",
    "pyjwt": "2.13",
    "sqlalchemy": "2.1",
}
NODE_FLOORS = {
    "graphiql": "5.4.0",
    "@graphiql/react": "0.39.1",
    "@graphiql/toolkit": "0.12.1",
    "@graphiql/plugin-explorer": "5.1.5",
    "graphql-ws": "6.4.2",
    "vite": "8.3",
}
# Placeholders, and a name that somebody else has taken.
NOT_WHAT_THEY_SEEM = {"graphql-cop", "graphw00f", "k6"}

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = sorted(ROOT.glob("requirements*.txt"))
PACKAGES = sorted(
    path for path in ROOT.rglob("package.json") if not {"node_modules", ".venv"} & set(path.parts)
)
GRAPHIQL = ROOT / "server/graphiql"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+) \\$", re.MULTILINE)


def pins(lock: Path) -> dict[str, Version]:
    """What a lock file pins."""
    found = _PIN.findall(lock.read_text(encoding="utf-8"))
    return {canonicalize_name(name): Version(version) for name, version in found}


def required() -> Iterator[Requirement]:
    """What `pyproject.toml` asks for, of every extra too."""
    project = PROJECT["project"]
    for group in (project["dependencies"], *project["optional-dependencies"].values()):
        yield from map(Requirement, group)


def minimum(requirement: Requirement) -> Version:
    (least,) = [each for each in requirement.specifier if each.operator == ">="]
    return Version(least.version)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("name", FLOORS)
def test_no_version_below_a_floor_would_be_installed(name: str) -> None:
    minima = [minimum(each) for each in required() if canonicalize_name(each.name) == name]
    assert minima, f"pyproject.toml does not ask for {name}"
    assert min(minima) >= Version(FLOORS[name])


@pytest.mark.parametrize("lock", LOCKS, ids=name_of)
def test_no_lock_pins_a_version_below_a_floor(lock: Path) -> None:
    pinned = pins(lock)
    assert pinned
    low = {
        name: str(pinned[name]) for name in FLOORS if name in pinned and pinned[name] < Version(FLOORS[name])
    }
    assert low == {}


def test_the_lock_of_the_server_pins_every_library_that_has_a_floor() -> None:
    assert set(FLOORS) - set(pins(ROOT / "requirements.txt")) == set()


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_what_is_pinned_is_what_the_project_asks_for(lock: str) -> None:
    pinned = pins(ROOT / lock)
    extras = PROJECT["project"]["optional-dependencies"]["dev"] if lock == "requirements-dev.txt" else []
    for wanted in map(Requirement, [*PROJECT["project"]["dependencies"], *extras]):
        assert pinned[canonicalize_name(wanted.name)] in wanted.specifier


def test_both_locks_pin_the_same() -> None:
    for_all, for_development = (pins(ROOT / name) for name in ("requirements.txt", "requirements-dev.txt"))
    assert {name: for_development.get(name) for name in for_all} == for_all


def test_the_extras_that_tests_need_are_those_of_development() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    for name in set(extras) - {"dev", "docs", "node"}:
        assert set(extras[name]) <= set(extras["dev"]), name


@pytest.mark.parametrize("lock", LOCKS, ids=name_of)
def test_a_lock_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    for line in re.findall(r"^[^\s#].*$", text, flags=re.MULTILINE):
        assert line.endswith(" \\"), line  # a hash follows
    assert not NOT_WHAT_THEY_SEEM & set(pins(lock))


# ---- Node.js


@pytest.mark.parametrize("name", NODE_FLOORS)
def test_graphiql_is_built_of_versions_that_work(name: str) -> None:
    locked = json.loads((GRAPHIQL / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert Version(locked[f"node_modules/{name}"]["version"]) >= Version(NODE_FLOORS[name])


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_packages_of_node_are_pinned_and_graphql_is_of_one_line(package: Path) -> None:
    """The explorer of GraphiQL is wrong with graphql 17, and two copies of graphql refuse each other's schemas."""
    described = json.loads(package.read_text(encoding="utf-8"))
    named = {**described.get("dependencies", {}), **described.get("devDependencies", {})}
    for name, version in named.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} {version}"
    locked = json.loads(package.with_name("package-lock.json").read_text(encoding="utf-8"))["packages"]
    copies = [each["version"] for path, each in locked.items() if path.endswith("node_modules/graphql")]
    assert [version for version in copies if Version(version).major != 16] == []
    assert [path for path, each in locked.items() if "resolved" in each] == []
    assert not NOT_WHAT_THEY_SEEM & set(named)


def test_tools_of_frontends_have_the_override_without_which_they_break() -> None:
    described = json.loads((ROOT / "tests/frontend/tools/package.json").read_text(encoding="utf-8"))
    assert described["overrides"] == {"@graphql-tools/batch-execute": "10.2.0"}
