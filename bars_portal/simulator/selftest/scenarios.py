"""What a receiver can be, and the scenarios for it, read strictly: what is misspelt is told, with its file.

Its own MessageDefinitions show its role (standard sections 6, 7 and 9).
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bars_portal.simulator.selftest.checks import CHECKS
from bars_portal.simulator.selftest.connections import CERTIFICATES, OWN
from bars_portal.simulator.selftest.messages import CHANGES, names, values_at
from bars_portal.simulator.selftest.model import Json, Scenario, Step

USE_CASES = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"
_DEFINITION = "bars-message-"


@dataclass(frozen=True)
class Role:
    """Needs this definition, and a use case with one of these beginnings (none: any)."""

    words: str
    definition: str = ""
    use_cases: tuple[str, ...] = ()
    not_use_cases: tuple[str, ...] = ()


ROLES: Mapping[str, Role] = {
    "any": Role("every receiver"),
    "bookings": Role("takes bookings (Application 1)", "booking-request"),
    "booking-cancels": Role("takes cancelled bookings (Application 1)", "booking-request-cancelled"),
    "referrals": Role(
        "takes referrals (Applications 1, 2, 3 and 5)",
        "servicerequest-request-referral",
        not_use_cases=("a4", "a6"),
    ),
    "pharmacy": Role(
        "takes referrals to a pharmacy (Application 5)", "servicerequest-request-referral", ("a5",)
    ),
    "emergency-to-cas": Role(
        "takes referrals of 999 to a CAS (Application 3)", "servicerequest-request-referral", ("a3",)
    ),
    "validations": Role(
        "takes requests to validate (Application 4)", "servicerequest-request-validation", ("a4",)
    ),
    "cad": Role(
        "takes cases of another ambulance control (Application 6)", "servicerequest-request-referral", ("a6",)
    ),
    "did-not-attend": Role(
        "hears that a patient did not attend",
        "servicerequest-response-referral",
        not_use_cases=("a4", "a6"),
    ),
    "cad-answers": Role(
        "hears answers of an ambulance control (Application 6)",
        "servicerequest-response-referral-short",
        ("a6",),
    ),
    "validation-answers": Role(
        "hears answers to requests to validate (Application 4)",
        "servicerequest-response-validation-interim",
        ("a4",),
    ),
}


@dataclass(frozen=True)
class Offer:
    """What the service says it takes: the use cases of each definition, by the last part of its address."""

    use_cases: Mapping[str, frozenset[str]]

    def use_case_for(self, role: Role, wanted: str = "") -> str | None:
        """The use case to send a scenario of the role with, "" when it needs none; None: not offered."""
        if not role.definition:
            return min(self._everything(), default="")
        fitting = {each for each in self.use_cases.get(role.definition, ()) if _fits(role, each)}
        if wanted:
            return wanted if wanted in fitting else None
        return min(fitting, default=None)

    def _everything(self) -> set[str]:
        return {each for several in self.use_cases.values() for each in several}


def read_offer(searchset: Json) -> Offer:
    """From the answer to GET /MessageDefinition."""
    definitions = values_at(searchset, "MessageDefinition[*]")
    return Offer({_name(each): _use_cases(each) for each in definitions})


def _name(definition: Json) -> str:
    return str(definition.get("url", "")).rpartition("/")[2].removeprefix(_DEFINITION)


def _use_cases(definition: Json) -> frozenset[str]:
    codings: Sequence[Any] = values_at(
        definition, "MessageDefinition.useContext[*].valueCodeableConcept.coding[*]"
    )
    return frozenset(str(each.get("code")) for each in codings if each.get("system") == USE_CASES)


def _fits(role: Role, use_case: str) -> bool:
    wanted = not role.use_cases or use_case.startswith(role.use_cases)
    return wanted and not (role.not_use_cases and use_case.startswith(role.not_use_cases))


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
