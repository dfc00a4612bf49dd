"""Reads scenario files strictly: what is misspelt is told with file and scenario, never left out."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bars_portal.simulator.selftest.checks import CHECKS
from bars_portal.simulator.selftest.connections import CERTIFICATES, OWN
from bars_portal.simulator.selftest.messages import CHANGES, names
from bars_portal.simulator.selftest.model import Scenario, Step
from bars_portal.simulator.selftest.roles import ROLES

FOLDER = Path(__file__).parent / "scenarios"
DOES = ("send", "post", "repeat", "call")
OPTIONS = CHANGES | {
    *("as", "respell", "type", "zipped", "chunked", "headers", "encoded", "without", "accept", "service"),
    *("params", "slots", "ids", "copies"),
}
EXPECTATIONS = frozenset({*CHECKS, "refused", "one", "others"})
_GROUP = frozenset({"id", "title", "section", "role", "use_case", "given", "certificate"})
_SCENARIO = frozenset(
    {
        "id",
        "name",
        "section",
        "role",
        "use_case",
        "given",
        "certificate",
        "step",
        "each",
        "answers_theirs",
        "asks_closed",
    }
)
_ROW = re.compile(r"<(\w+)>")


class BadScenario(Exception):
    """A scenario file that cannot be used; the text names file, scenario and fault."""


def read_scenarios(files: Iterable[Path] | None = None) -> tuple[Scenario, ...]:
    """Every scenario of the files (none: all of ours), in their order. Raises BadScenario."""
    chosen = sorted(FOLDER.glob("*.toml")) if files is None else list(files)
    scenarios = tuple(each for file in chosen for each in _file(file))
    seen: set[str] = set()
    for each in scenarios:
        if each.id in seen:
            raise BadScenario(f"The scenario {each.id} is there twice")
        seen.add(each.id)
    return scenarios


def _file(file: Path) -> Iterator[Scenario]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise BadScenario(f"{file.name}: {problem}") from problem
    group = content.get("group", {})
    _only_known(group, _GROUP, f"{file.name}, group")
    for entry in content.get("scenario", ()):
        for row in entry.get("each", [{}]):
            where = f"{file.name}, scenario {entry.get('id', 'without an id')}"
            try:
                yield _scenario(_with_row(entry, row), group, row)
            except (BadScenario, KeyError, TypeError, ValueError, AttributeError) as problem:
                raise BadScenario(f"{where}: {problem}") from problem


def _scenario(entry: Mapping[str, Any], group: Mapping[str, Any], row: Mapping[str, Any]) -> Scenario:
    steps = entry.get("step") or [{key: value for key, value in entry.items() if key not in _SCENARIO}]
    if entry.get("step"):
        _only_known(entry, _SCENARIO, "the scenario")
    certificate = _chosen(entry, group, "certificate", OWN)
    role = _chosen(entry, group, "role", "any")
    for name, allowed in ((certificate, CERTIFICATES), (role, ROLES)):
        if name not in allowed:
            raise BadScenario(f"{name} is none of {', '.join(sorted(allowed))}")
    given = _chosen(entry, group, "given", [])
    for name in given:
        _template(name)
    return Scenario(
        id=f"{entry['id']}.{row['row']}" if row else entry["id"],
        name=entry["name"],
        group=f"{group['id']} {group['title']}",
        section=str(_chosen(entry, group, "section", "")),
        role=role,
        use_case=_chosen(entry, group, "use_case", ""),
        certificate=certificate,
        given=tuple(given),
        steps=tuple(map(_step, steps)),
        answers_theirs=bool(entry.get("answers_theirs")),
        asks_closed=bool(entry.get("asks_closed")),
    )


def _step(entry: Mapping[str, Any]) -> Step:
    does = [each for each in DOES if each in entry]
    if len(does) != 1:
        raise BadScenario(f"a step does one of {', '.join(DOES)}")
    _only_known(entry, OPTIONS | {does[0], "expect"}, "the step")
    expect = entry.get("expect", {})
    _only_known(expect, EXPECTATIONS, "expect")
    if not expect:
        raise BadScenario("a step expects something")
    if does[0] == "send":
        _template(entry["send"])
    options = {key: value for key, value in entry.items() if key in OPTIONS}
    return Step(does[0], entry[does[0]], options, expect)


def _with_row(entry: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """The scenario with `<name>` replaced by the row's value; a text that is nothing else takes its type."""
    return {key: _filled(value, row) for key, value in entry.items() if key != "each"}


def _filled(value: Any, row: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        whole = _ROW.fullmatch(value)
        if whole and whole[1] in row:
            return row[whole[1]]
        return _ROW.sub(lambda match: str(row.get(match[1], match[0])), value)
    if isinstance(value, dict):
        return {_filled(key, row): _filled(each, row) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, row) for each in value]
    return value


def _chosen(entry: Mapping[str, Any], group: Mapping[str, Any], name: str, default: Any) -> Any:
    return entry.get(name, group.get(name, default))


def _template(name: str) -> None:
    if name not in names():
        raise BadScenario(f"there is no message template {name}")


def _only_known(entry: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    unknown = set(entry) - set(known)
    if unknown:
        raise BadScenario(f"{where} has unknown members: {', '.join(sorted(unknown))}")


class UnknownScenario(Exception):
    """There is no such scenario or group; the text names it."""


def select(
    scenarios: Sequence[Scenario],
    wanted: Sequence[str],
    *,
    answers_theirs: bool = False,
    asks_closed: bool = False,
) -> tuple[Scenario, ...]:
    """Those that are named, in their own order; all when none is. Raises UnknownScenario.

    What answers a request of the tested organisation is among all only with `answers_theirs`, what asks for
    a slot that is not offered only with `asks_closed`.
    """
    for name in wanted:
        if not any(_is_meant(each, name) for each in scenarios):
            raise UnknownScenario(f"There is no scenario or group {name}")
    if not wanted:
        left_out = [
            each
            for each in scenarios
            if (each.answers_theirs and not answers_theirs) or (each.asks_closed and not asks_closed)
        ]
        return tuple(each for each in scenarios if each not in left_out)
    return tuple(each for each in scenarios if any(_is_meant(each, name) for name in wanted))


def _is_meant(scenario: Scenario, name: str) -> bool:
    return scenario.id == name or scenario.id.startswith((f"{name}-", f"{name}."))
