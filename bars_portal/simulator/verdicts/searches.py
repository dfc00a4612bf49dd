"""The parameters of a search (standard section 7)."""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import parse_qsl

from bars_portal.simulator.verdicts.model import Check, look
from bars_portal.simulator.wire import Request

RULE = "7"
INCLUDES = ("Slot:schedule", "Schedule:actor:Practitioner", "Schedule:actor:HealthcareService")
SERVICE = "Schedule.actor:HealthcareService"


def check_search(request: Request) -> Iterator[Check]:
    """A slot search has all it needs; definitions are asked for a context."""
    pairs = parse_qsl(request.query, keep_blank_values=True)
    if request.raw_path.endswith("/Slot"):
        yield from _slots(pairs)
    elif request.raw_path.endswith("/MessageDefinition"):
        given = any(name == "context" and value for name, value in pairs)
        yield look(RULE, given, "A context is given", "There is no context")


def _slots(pairs: list[tuple[str, str]]) -> Iterator[Check]:
    values = {name: [value for other, value in pairs if other == name] for name, _ in pairs}
    for name in (SERVICE, "status"):
        yield look(RULE, bool(values.get(name)), f"{name} is given", f"{name} is missing")
    bounds = Counter(value[:2] for value in values.get("start", []))
    right = bounds == {"ge": 1, "le": 1}
    # The seeds' own spelling has start=ge and end=le, which their test services take.
    yield look(
        RULE, right, "start has its two bounds", "start is not given once with ge and once with le", note=True
    )
    asked = {part for value in values.get("_include", []) for part in value.split(",")}
    for each in INCLUDES:
        yield look(RULE, each in asked, f"_include {each}", f"_include {each} is missing", note=True)
