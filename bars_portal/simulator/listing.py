"""The tables as text: for the terminal, and as the page docs/scenarios.md."""

from collections.abc import Iterable, Sequence

from bars_portal.simulator.tkw.stateful import PATIENT
from bars_portal.simulator.tkw.tables import Scenario, patients, scenarios, services, transitions

_SENTINELS = {
    "target": "NHSD-Target-Identifier {}",
    "context": "context {}",
    "service": "Schedule.actor:HealthcareService {}",
    "patient": "NHS number {}",
    "no-nhs-number": "no NHS number",
    "id": "id {}",
    "any": "anything else",
}
_HEADINGS = ("Scenario", "Edition", "Request", "Sentinel", "Answer", "Gives", "Reply later")
Row = Sequence[str]


def plain_list() -> str:
    """Each scenario on a line, in columns."""
    rows = [_HEADINGS, *(_row(each) for each in scenarios())]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADINGS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def markdown() -> str:
    """The page docs/scenarios.md, with a line feed at its end."""
    suites = list(dict.fromkeys(each.suite for each in scenarios()))
    parts = [_HEAD]
    for suite in suites:
        rows = [_row(each) for each in scenarios() if each.suite == suite]
        parts.append(f"## {suite}\n\n{_table(_HEADINGS, rows)}")
    parts.append(f"## Stateful, NHS number {PATIENT}\n\n{_STATEFUL}\n\n{_stateful()}")
    parts.append(f"## Services\n\n{_table(('Service', 'Name', 'Postcode'), _services())}")
    parts.append(f"## Patients\n\n{_table(_PATIENT, _patients())}")
    return "\n\n".join(parts) + "\n"


def _row(row: Scenario) -> Row:
    sentinel = _SENTINELS[row.sentinel].format(row.value)
    return row.name, " ".join(row.editions), row.request, sentinel, str(row.answer), row.gives, row.reply


def _stateful() -> str:
    events = list(dict.fromkeys(event for event, _state in transitions()))
    states = list(dict.fromkeys(state for _event, state in transitions()))
    rows = [[event, *("{} {}".format(*transitions()[event, state]) for state in states)] for event in events]
    return _table(["Event", *states], rows)


def _services() -> list[Row]:
    return [(each.service, each.name, each.postcode) for each in services().values()]


def _patients() -> list[Row]:
    return [
        (each.nhs_number, each.family, each.given, each.born, each.gender, each.postcode)
        for each in patients()
    ]


def _table(headings: Row, rows: Iterable[Row]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


_PATIENT = ("NHS number", "Family name", "Given name", "Born", "Gender", "Postcode")
_STATEFUL = (
    "Per end-user organisation (NHSD-End-User-Organisation), new every night in London. A cell is the HTTP\n"
    "status, then the next state or why not."
)
_HEAD = """# What the simulator answers

Made from the tables in `bars_portal/simulator/tkw/tables/` by
`python -m bars_portal.simulator --list-scenarios --markdown > docs/scenarios.md`. The first row of a
request whose sentinel fits decides. Edition `1.8.1` and `beta` are the published test world's, `own` fills
what they leave open. [How to test against it](how-to/test-against-the-simulator.md)."""
