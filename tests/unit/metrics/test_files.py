"""Dashboard and alerts speak of figures that there are, by labels that those have, and of a runbook."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from bars_portal.metrics import figures
from bars_portal.status.collector import FAMILIES
from tests.unit.docs.markdown import ROOT

_ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
_DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"
_HOW_TO = ROOT / "docs" / "how-to" / "watch-the-portal.md"
_SELECTED = re.compile(r"(\bbars_\w+)(?:\{([^}]*)\})?")
_GROUPED = re.compile(r"\bby \(([^)]*)\)")
# Prometheus' own.
_ANYWHERE = {"job", "instance", "le"}


def figures_by_name() -> Iterator[tuple[str, set[str]]]:
    """As they are scraped, with their labels."""
    for found in vars(figures).values():
        if isinstance(found, MetricWrapperBase):
            labels, name = set(found._labelnames), found._name
            endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
            yield from ((f"{name}{ending}", labels) for ending in endings.get(str(found._type), [""]))
    yield from ((name, set(labels)) for name, (_, labels) in FAMILIES.items())


FIGURES = dict(figures_by_name())


def alerts() -> list[dict[str, str]]:
    (group,) = yaml.safe_load(_ALERTS.read_text())["groups"]
    return [{**rule["annotations"], "alert": rule["alert"], "expr": rule["expr"]} for rule in group["rules"]]


def expressions() -> list[str]:
    panels = json.loads(_DASHBOARD.read_text())["panels"]
    shown = [target["expr"] for panel in panels for target in panel["targets"]]
    return [*shown, *(each["expr"] for each in alerts())]


@pytest.mark.parametrize("expression", expressions())
def test_a_figure_that_is_spoken_of_is_there_with_its_labels(expression: str) -> None:
    spoken = _SELECTED.findall(expression)
    named = {name for name, _ in spoken}
    if not named:
        assert expression.startswith("up{job=")
        return
    assert named <= FIGURES.keys()
    known = set.union(*(FIGURES[name] for name in named)) | _ANYWHERE
    matched = {label for _, inside in spoken for label in re.findall(r"(\w+)=", inside)}
    grouped = {each.strip() for inside in _GROUPED.findall(expression) for each in inside.split(",")}
    assert matched | grouped <= known


def test_every_figure_is_looked_at_somewhere() -> None:
    spoken = {name for each in expressions() for name, _ in _SELECTED.findall(each)}
    bare = {re.sub(r"_(bucket|count|sum)$", "", name) for name in spoken}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in FIGURES} == bare


def test_every_alert_has_its_lines_in_the_how_to_and_nothing_else_has() -> None:
    headings = re.findall(r"^### (\w+)$", _HOW_TO.read_text(), re.MULTILINE)
    assert headings == [each["alert"] for each in alerts()]
    path = _HOW_TO.relative_to(ROOT)
    assert [each["runbook"] for each in alerts()] == [f"{path}#{each.lower()}" for each in headings]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "rules", "alerts.yaml"],
        ["check", "config", "prometheus.yaml"],
        ["test", "rules", "alerts_test.yaml"],
    ],
    ids=lambda each: each[-1],
)
def test_promtool_agrees(arguments: list[str]) -> None:
    run = subprocess.run(
        ["promtool", *arguments], cwd=_ALERTS.parent, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
