"""The program's other uses: list the scenarios, switch drills on and off, reset a running simulator."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple

import httpx

from bars_portal.simulator.drills import Fault
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
LIST = "--list-scenarios"
NAMES = ("drill", "drills", "calm", "reset")
DEFAULT_URL = "http://127.0.0.1:8010"
TIMEOUT_SECONDS = 10


def is_command(arguments: Sequence[str]) -> bool:
    """Whether these arguments ask for something else than serving."""
    return LIST in arguments or (bool(arguments) and arguments[0] in NAMES)


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Does it and prints what came of it; 0 when done, 1 when the simulator refused or is not there."""
    if LIST in arguments:
        sys.stdout.write(markdown() if "--markdown" in arguments else plain_list())
        return 0
    options = _parser(environment).parse_args(arguments)
    try:
        answer = _sent(options)
    except httpx.TransportError:
        sys.stderr.write(f"no simulator answers at {options.url}\n")
        return 1
    sys.stdout.write(f"{answer.text or 'done'}\n")
    return 0 if answer.is_success else 1


def _sent(options: argparse.Namespace) -> httpx.Response:
    with httpx.Client(base_url=f"{options.url}/simulator", trust_env=False, timeout=TIMEOUT_SECONDS) as http:
        match options.command:
            case "drill":
                names = ("service", "fault", "times", "method", "seconds")
                return http.post("/faults", json={name: getattr(options, name) for name in names})
            case "drills":
                return http.get("/faults")
            case "calm":
                return http.delete(f"/faults/{options.service}" if options.service else "/faults")
        return http.post("/reset", json={"organisation": options.organisation})


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    url = environment.get("SIMULATOR_PUBLIC_URL") or DEFAULT_URL
    parser = argparse.ArgumentParser(prog="python -m bars_portal.simulator")
    commands = parser.add_subparsers(dest="command", required=True)
    drill = commands.add_parser("drill", help="make something go wrong for a service")
    drill.add_argument("service", help="service id")
    drill.add_argument("fault", choices=[str(each) for each in Fault])
    drill.add_argument("--times", type=int, default=1, help="for how many requests (default 1)")
    drill.add_argument("--method", default="", help="only for this HTTP method")
    drill.add_argument("--seconds", type=float, default=0, help="how long slow and hang last")
    commands.add_parser("drills", help="show what is switched on")
    calm = commands.add_parser("calm", help="switch drills off")
    calm.add_argument("service", nargs="?", default="", help="service id (default: all)")
    reset = commands.add_parser("reset", help="stateful scenarios back to their start")
    reset.add_argument("organisation", nargs="?", default="", help="ODS code (default: everyone)")
    for each in commands.choices.values():
        each.add_argument("--url", default=url, help=f"where the simulator is (default {url})")
    return parser


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
    played = [(each.service, each.name, each.postcode) for each in services().values()]
    parts.append(f"## Services\n\n{_table(('Service', 'Name', 'Postcode'), played)}")
    parts.append(f"## Patients\n\n{_table(_PATIENT, map(astuple, patients()))}")
    return "\n\n".join(parts) + "\n"


def _row(row: Scenario) -> Row:
    sentinel = _SENTINELS[row.sentinel].format(row.value)
    return row.name, " ".join(row.editions), row.request, sentinel, str(row.answer), row.gives, row.reply


def _stateful() -> str:
    events = list(dict.fromkeys(event for event, _state in transitions()))
    states = list(dict.fromkeys(state for _event, state in transitions()))
    rows = [[event, *("{} {}".format(*transitions()[event, state]) for state in states)] for event in events]
    return _table(["Event", *states], rows)


def _table(headings: Row, rows: Iterable[Row]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
