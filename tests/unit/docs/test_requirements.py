"""Every duty of the guide is shown somewhere, is excepted with a reason, or is a gap that is known."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import NoReverseMatch, get_resolver

from bars_portal.exchange.fhir.rules import all_rules
from bars_portal.simulator.selftest.scenarios import read_scenarios
from tests.factories.whole_messages import whole_messages
from tests.sender_rules import RULES as SENDER_RULES
from tests.unit.docs.markdown import ROOT
from tests.unit.docs.requirements import (
    FILE,
    TOUCHES,
    Element,
    Entry,
    Row,
    Trace,
    has_test,
    is_about,
    read_trace,
    rows_of_the_guide,
)

_SCENARIOS = {name for each in read_scenarios() for name in (each.id, each.id.partition(".")[0])}


@pytest.fixture(scope="module")
def trace() -> Trace:
    return read_trace(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows(shared_dir: Path) -> dict[str, Row]:
    return rows_of_the_guide(shared_dir)


def _is_page(name: str) -> bool:
    *spaces, page = name.split(":")
    try:
        resolver = get_resolver("bars_portal.urls")
        for space in spaces:
            resolver = resolver.namespace_dict[space][1]
    except (KeyError, NoReverseMatch):
        return False
    return page in resolver.reverse_dict


def _is_on_the_wire(told: str) -> bool:
    """ "<message>:<path>" in each such message that has a resource of the type; "!<path>" in none."""
    message, _, path = told.partition(":")
    element = Element.parse(f"some {path.removeprefix('!')}")
    bundles = [bundle for (_, name), bundle in whole_messages().items() if name == message]
    found = [stands for each in bundles if (stands := element.stands_in(each)) is not None]
    return bool(found) and (not any(found) if path.startswith("!") else all(found))


_EXISTS: dict[str, Callable[[str], bool]] = {
    "rule": {each.id for each in all_rules()}.__contains__,
    "scenario": _SCENARIOS.__contains__,
    "sender": {each.id for each in SENDER_RULES}.__contains__,
    "test": has_test,
    "page": _is_page,
    "doc": lambda path: (ROOT / path).is_file(),
    "wire": _is_on_the_wire,
}


def faults(trace: Trace) -> list[str]:
    """What the file says that is not so, as far as the project itself can tell."""
    told = Counter(row for row, _ in trace.places)
    return [
        *(f"{row} is told {count} times" for row, count in told.items() if count > 1),
        *(f"{entry.rows[0]}: {fault}" for entry in trace.entries for fault in _faults_of(entry)),
        *(f"{row}: in no message" for row, each in trace.elements.items() if not _is_anywhere(each)),
    ]


def _faults_of(entry: Entry) -> list[str]:
    unknown = [each for each in entry.evidence if not _exists(each)]
    without = ["no evidence"] if entry.kind == "met" and not entry.evidence else []
    silent = ["no words"] if not entry.words or (entry.kind == "gap" and not entry.where) else []
    rank = ["touches nothing known"] if entry.kind == "gap" and entry.touches not in TOUCHES else []
    return [*unknown, *without, *silent, *rank]


def _exists(evidence: str) -> bool:
    kind, _, name = evidence.partition(":")
    return kind in _EXISTS and _EXISTS[kind](name)


def _is_anywhere(element: Element) -> bool:
    return any(element.stands_in(each) for each in whole_messages().values())


def unshown(trace: Trace, rows: dict[str, Row]) -> list[str]:
    """Rows that nobody speaks of, ids that are none, and elements that a message of their row lacks."""
    told = {row for row, _ in trace.places}
    wanted = {each.id for each in rows.values() if each.level in ("MUST", "SHOULD")}
    lacking = [
        f"{row} in {message} of Application {application}"
        for row, element in trace.elements.items()
        for (application, message), bundle in whole_messages().items()
        if row in rows and is_about(rows[row], application, message) and element.stands_in(bundle) is False
    ]
    return [*sorted(wanted - told), *sorted(told - set(rows)), *lacking]


def test_what_is_named_exists(trace: Trace) -> None:
    assert faults(trace) == []


def test_there_are_no_more_gaps_than_before(trace: Trace) -> None:
    """Fewer: lower the number, so that they stay as few."""
    assert sum(len(each.rows) for each in trace.missing) == trace.gaps


def test_every_duty_of_the_guide_is_told(trace: Trace, rows: dict[str, Row]) -> None:
    assert unshown(trace, rows) == []


_MET = '[[met]]\nrows = "CORE-001"\nduty = "Times"\nevidence = [{}]\n'


@pytest.mark.parametrize(
    "evidence",
    [
        "",
        '"rule:no-such-rule"',
        '"scenario:IDS-999"',
        '"sender:no-such-rule"',
        '"test:unit/docs/test_requirements.py::test_no_such_thing"',
        '"test:unit/docs/no_such_file.py::test_faults"',
        '"page:referrals:no-such-page"',
        '"page:no-such-room:list"',
        '"doc:docs/no-such-page.md"',
        '"wire:referral-new:Patient.noSuchElement"',
        '"wire:referral-new:!Patient.name"',
        '"wire:no-such-message:Patient.name"',
        '"hearsay:somebody"',
    ],
)
def test_evidence_that_is_none_is_told(evidence: str) -> None:
    assert faults(read_trace(f"gaps = 0\n{_MET.format(evidence)}"))


@pytest.mark.parametrize(
    "text",
    [
        '[elements]\nCORE-001 = "Patient.noSuchElement"\n',
        '[elements]\nCORE-001 = "ServiceRequest.intent = order"\n',
        '[[gap]]\nrows = "CORE-001"\ntouches = "patient"\nmissing = "It"\nwhere = ""\n',
        '[[gap]]\nrows = "CORE-001"\ntouches = "nobody"\nmissing = "It"\nwhere = "Here"\n',
        '[[excepted]]\nrows = "CORE-001"\nbecause = ""\n',
        _MET.format('"rule:version"') + '[elements]\nCORE-001 = "Patient.name"\n',
    ],
)
def test_what_says_nothing_is_told(text: str) -> None:
    assert faults(read_trace(f"gaps = 0\n{text}"))


def test_a_row_that_nobody_speaks_of_is_told() -> None:
    rows = {
        "CORE-001": Row("CORE-001", "MUST", ("Core",), ("-",)),
        "APP-001": Row("APP-001", "MAY", ("1",), ("-",)),
        "A4-001": Row("A4-001", "MUST", ("4",), ("*-new",)),
    }
    stands = 'gaps = 0\n[elements]\nA4-001 = "CarePlan.status = completed"\nA4-002 = "Patient.name"\n'
    assert unshown(read_trace(stands), rows) == [
        "CORE-001",
        "A4-002",
        "A4-001 in validation-new of Application 4",
    ]
