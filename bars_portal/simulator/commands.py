"""The program's other uses: list the scenarios, switch drills on and off, reset a running simulator."""

import argparse
import sys
from collections.abc import Mapping, Sequence

import httpx

from bars_portal.simulator.faults import Fault
from bars_portal.simulator.listing import markdown, plain_list

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
    given = _parser(environment).parse_args(arguments)
    try:
        answer = _asked(given)
    except httpx.TransportError:
        sys.stderr.write(f"no simulator answers at {given.url}\n")
        return 1
    sys.stdout.write(f"{answer.text or 'done'}\n")
    return 0 if answer.is_success else 1


def _asked(given: argparse.Namespace) -> httpx.Response:
    with httpx.Client(base_url=f"{given.url}/simulator", trust_env=False, timeout=TIMEOUT_SECONDS) as http:
        match given.command:
            case "drill":
                names = ("service", "fault", "times", "method", "seconds")
                return http.post("/faults", json={name: getattr(given, name) for name in names})
            case "drills":
                return http.get("/faults")
            case "calm":
                return http.delete(f"/faults/{given.service}" if given.service else "/faults")
        return http.post("/reset", json={"organisation": given.organisation})


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
