"""The test world as tables (tables/*.csv), read once: what provokes which answer. Add rows, not code.

Source: testing-and-environments v1.8.1 and v1.0.0-beta ("Scenarios", "UserTest DoS Services", "INT Test
Patient", "Stateful Scenarios"); rows whose edition is `own` are ours, for requests that neither speaks of.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from bars_portal.simulator.tkw.outcomes import BY_STATUS, Rejected

FOLDER = Path(__file__).parent / "tables"
ANY = "any"
T = TypeVar("T")


@dataclass(frozen=True)
class Scenario:
    """One row of scenarios.csv. The first row of its `request` whose sentinel fits decides.

    `sentinel` says what is looked at: target (service id of the header), context, service (of a slot
    search), patient (NHS number), no-nhs-number, id (of the resource read) or any. `answer` is the HTTP
    status; `gives` the id or the kind of content, `reply` what is sent later (of replies.py),
    `checks` what a message must also fulfil; each may be empty.
    """

    name: str
    editions: tuple[str, ...]
    suite: str
    application: str
    request: str
    sentinel: str
    value: str
    answer: int
    gives: str
    reply: str
    checks: str

    def fits(self, facts: Mapping[str, frozenset[str]]) -> bool:
        """Whether a request with these facts (sentinel to values) is meant."""
        return self.sentinel == ANY or self.value in facts.get(self.sentinel, frozenset())


@dataclass(frozen=True)
class Service:
    """A UserTest service that TKW plays."""

    service: str
    name: str
    postcode: str


@dataclass(frozen=True)
class TestPatient:
    """A published test patient; `born` is an ISO date, `gender` FHIR's code."""

    __test__ = False
    nhs_number: str
    family: str
    given: str
    born: str
    gender: str
    postcode: str


@dataclass(frozen=True)
class Focus:
    """What a message definition says of one resource type: profile, min, max."""

    definition: str
    version: str
    event: str
    resource: str
    min: str
    max: str
    profile: str


@dataclass(frozen=True)
class Accepted:
    """A definition that services of a profile take, for these use cases."""

    profile: str
    definition: str
    use_cases: tuple[str, ...]


@cache
def scenarios() -> tuple[Scenario, ...]:
    """The rows in the order in which they are tried."""
    return tuple(
        Scenario(**row | {"editions": tuple(row["editions"].split()), "answer": int(row["answer"])})  # type: ignore[arg-type]  # both are converted here
        for row in _rows("scenarios")
    )


@cache
def services() -> Mapping[str, Service]:
    """By service id."""
    return {row["service"]: Service(**row) for row in _rows("services")}


@cache
def patients() -> tuple[TestPatient, ...]:
    """The test patients."""
    return tuple(TestPatient(**row) for row in _rows("patients"))


@cache
def focuses(definition: str) -> tuple[Focus, ...]:
    """What the definition says of each resource type."""
    return tuple(Focus(**row) for row in _rows("definitions") if row["definition"] == definition)


@cache
def accepted(profile: str) -> tuple[Accepted, ...]:
    """The definitions that services of a profile take."""
    return tuple(
        Accepted(profile, row["definition"], tuple(row["use_cases"].split()))
        for row in _rows("profiles")
        if row["profile"] == profile
    )


@cache
def transitions() -> Mapping[tuple[str, str], tuple[int, str]]:
    """(event, state) to HTTP status and the next state, or the reason of a refusal."""
    cells = {
        (row["event"], state): cell.partition(" ")[::2]
        for row in _rows("stateful")
        for state, cell in row.items()
        if state != "event"
    }
    return {key: (int(status), word) for key, (status, word) in cells.items()}


@cache
def displays() -> Mapping[tuple[str, str], str]:
    """System and code to what the code system calls it, of every code that is written here."""
    return {(row["system"], row["code"]): row["display"] for row in _rows("codes")}


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def decide(request: str, *more: str, facts: Mapping[str, Iterable[str]]) -> Scenario:
    """The first row of the request's kind (then of the kinds after it) that fits. Raises Rejected.

    `facts` maps a sentinel (target, patient ...) to the values that the request shows.
    """
    shown = {sentinel: frozenset(values) for sentinel, values in facts.items()}
    row = next(
        row for kind in (request, *more) for row in scenarios() if row.request == kind and row.fits(shown)
    )
    if row.answer != 200:
        raise Rejected(BY_STATUS[row.answer], row.name)
    return row
