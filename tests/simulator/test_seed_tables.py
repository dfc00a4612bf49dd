"""seed_rows.py against the published text, row by row, where the text is at hand."""

import re
from collections import Counter
from pathlib import Path

import pytest

from bars_portal.simulator.tkw.stateful import PATIENT
from bars_portal.simulator.tkw.tables import patients, services, transitions
from tests.simulator.seed_rows import BETA, NEW, ROWS, SLOW_READ, VALIDATED

FILES = {
    NEW: "testing-and-environments-v1.8.1.txt",
    BETA: "testing-and-environments-v1.0.0-beta.txt",
}
SUITES = ("Capability", "MessageDef", "Booking", "Referral", "Validation", "Response")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SENTINEL = re.compile(r"(?<![\d-])(?:\d{10}|FAIL\d{4})(?![\d-])")
# The number that the published messages hold, to be replaced by the sentinel.
PLACEHOLDERS = {"9476719931", "3478526985"}
TITLES = (
    *("CS ", "MD ", "Search ", "Return ", "Slot search", "New ", "Get ", "Cancel ", "Update "),
    *("Full Validation", "Interim validation", "Safeguarding", "Validation Response"),
)
# (sentinel, status, id) of rows with a known slip, and what they mean (standard.md section 10).
MEANT = {(VALIDATED, 408, ""): (SLOW_READ, 408, "")}
Fact = tuple[str, str, int, str]


@pytest.mark.parametrize("edition", [NEW, BETA])
def test_every_published_row_is_here_and_no_other(shared_dir: Path, edition: str) -> None:
    published = _published((shared_dir / "seeds" / FILES[edition]).read_text())

    assert Counter(published) == Counter(_ours(edition))


def _ours(edition: str) -> list[Fact]:
    facts = []
    for row in ROWS:
        if row.edition == edition:
            gives = row.gives if UUID.fullmatch(row.gives) and row.status == 200 else ""
            facts.append((row.suite, row.sentinel, row.status, gives))
    # The beta lists one capability row twice.
    return facts + ([("Capability", "2000094704", 200, "")] if edition == BETA else [])


def _published(text: str) -> list[Fact]:
    facts, suite = [], ""
    for line in _table_lines(text):
        first, _, rest = line.partition(" ")
        if line in SUITES:
            suite = line
        elif first in SUITES and rest.startswith(TITLES):
            suite, line = first, rest
        if suite and line.startswith(TITLES):
            facts.append((suite, *_fact(line, suite)))
    return facts


def _table_lines(text: str) -> list[str]:
    scenarios = text[text.index("\nScenarios\n") : text.index("\nStateful Scenarios\n")]
    return [
        " ".join(line.split()) for line in scenarios.partition("\nUserTest DoS Services\n")[0].splitlines()
    ]


def _fact(line: str, suite: str) -> tuple[str, int, str]:
    status = re.search(r"HTTP (\d{3})", line.partition("which can be used")[0])
    code = int(status[1]) if status else 200
    ids = UUID.findall(line)
    path = re.search(r"/(?:Appointment|ServiceRequest)/\S*", line)
    reads = line.startswith("Get ") and (path or suite != "Booking" or "must be" in line)
    # Where a title's status and path disagree, the words at the end of the row count.
    sentinel = ids[-1] if reads else next((each for each in reversed(_sentinels(line))), "")
    gives = ids[-1] if ids and code == 200 else ""
    return MEANT.get((sentinel, code, gives), (sentinel, code, gives))


def _sentinels(line: str) -> list[str]:
    return [each for each in SENTINEL.findall(UUID.sub("", line)) if each not in PLACEHOLDERS]


def test_the_services_and_patients_are_the_published_ones(shared_dir: Path) -> None:
    text = (shared_dir / "seeds" / FILES[NEW]).read_text()

    listed = dict(
        re.findall(r"^(\d{10}) (TESTING ONLY BaRS Test Service \(TKW[ \d]*\)) LS1 4AP ", text, re.M)
    )
    ours = {each.service: each.name for each in services().values() if each.service in listed}
    assert len(listed) == 12
    assert ours == listed
    people = re.findall(r"^(\w+) (\w+) (\d\d)/(\d\d)/(\d{4}) (\d{10}) ([MF]) (\w+ \w+)$", text, re.M)
    assert [
        (family, given, f"{year}-{month}-{day}", number, {"M": "male", "F": "female"}[sex], postcode)
        for family, given, day, month, year, number, sex, postcode in people
    ] == [
        (each.family, each.given, each.born, each.nhs_number, each.gender, each.postcode)
        for each in patients()
    ]
    assert len(people) == 17


@pytest.mark.parametrize("edition", [NEW, BETA])
def test_the_stateful_table_is_the_published_one(shared_dir: Path, edition: str) -> None:
    text = (shared_dir / "seeds" / FILES[edition]).read_text()
    rows = re.findall(r"^(?:Make|Cancel|Create) .*Http.*$", text, re.M)

    statuses = [int(status) for row in rows for status in re.findall(r"Http (\d{3})", row)]

    assert statuses == [status for status, _word in transitions().values()]
    assert PATIENT in text
