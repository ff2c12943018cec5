"""The dashboard and the alert rules read metrics that exist, by labels that they have (`security.md` O1)."""

import json
import re
from itertools import chain
from typing import Any

import pytest
import yaml

from tests.docs.metrics_table import metric_of, names_in, told_metrics
from tests.docs.pages import ROOT, code, read, table

DASHBOARD = json.loads((ROOT / "docs/grafana/stepgraph.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = [each for each in DASHBOARD["panels"] if each["type"] != "row"]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "docs/alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
SHOWN = {
    f"{panel['title']}: {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]
}
EXPRESSIONS = SHOWN | {rule["alert"]: rule["expr"] for rule in RULES}

# Labels that Prometheus itself adds.
ITS_OWN = {"le", "instance", "job"}
_SELECTOR = re.compile(r"\b(stepgraph_\w+)\{([^}]*)\}")
_GROUPING = re.compile(r"\bby \(([^)]*)\)")


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_every_metric_that_is_read_exists_under_that_name(place: str) -> None:
    names = list(names_in(EXPRESSIONS[place]))
    assert names
    assert [name for name in names if metric_of(name) is None] == []


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_labels_are_those_of_the_metric(place: str) -> None:
    expression = EXPRESSIONS[place]
    for name, selected in _SELECTOR.findall(expression):
        metric = metric_of(name)
        assert metric is not None
        wanted = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selected))
        assert wanted <= {*metric.labels, *ITS_OWN}
    labels = {
        label for name in names_in(expression) if (metric := metric_of(name)) for label in metric.labels
    }
    for grouped in _GROUPING.findall(expression):
        assert {each.strip() for each in grouped.split(",")} <= labels | ITS_OWN


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_counters_are_read_as_rates(place: str) -> None:
    for name in names_in(EXPRESSIONS[place]):
        metric = metric_of(name)
        if metric is not None and metric.type != "gauge":
            rated = re.search(rf"\b(?:rate|increase)\({name}(?:\{{[^}}]*\}})?\[", EXPRESSIONS[place])
            assert rated, f"{place}: {name}"


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {metric.name for name in chain(*map(names_in, SHOWN.values())) if (metric := metric_of(name))}
    assert {each.name for each in told_metrics()} - shown == set()


def test_every_alert_has_a_severity_a_summary_and_a_row_that_says_what_to_do() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".")
    told = [code(row[0]) for row in table("docs/operations.md", "Alerts")]
    assert told == [rule["alert"] for rule in RULES]


def test_panels_have_titles_and_places_of_their_own() -> None:
    titles = [panel["title"] for panel in PANELS]
    assert len(set(titles)) == len(titles)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert all(0 <= x < 24 for x, _ in cells)
        taken |= cells


def test_the_page_names_both_files() -> None:
    page = read("docs/operations.md")
    assert "(grafana/stepgraph.json)" in page
    assert "(alerts.yml)" in page
