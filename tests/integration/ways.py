"""Which files a reader opens along the way of one real request, by stage, in the order of reaching them.

The rule, as docs/ARCHITECTURE.md states it: a stage is a layer, whichever app it is of (views with forms
and helpers of pages, policies, selectors, services, mapping, messages), or one module of the exchange. One
each are the edge of the receiver, the transport, arrival with inbound, and what is asked as a library:
`exchange.fhir`, models with their states, audit with what applications are told, the correspondence room, and
what stands beneath all rooms.

Who reads comes back to a stage when a function there is called that was not read yet, after another stage.
Asking a room below and reading on is no leaving: the question's name says what is needed to know.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "ARCHITECTURE.md"
_ROOMS = ("bars_portal/", "bookings/", "directory/", "referrals/")
_LIBRARIES = {
    "bars_portal/exchange/fhir/": "exchange.fhir",
    "bars_portal/exchange/receiver/": "exchange: receiver",
    "bars_portal/exchange/transport/": "exchange: transport",
    "bars_portal/exchange/arrival": "exchange: inbound",
    "bars_portal/audit/": "audit",
    # Written with the audit event, and as it is: what applications are told of the change.
    "bars_portal/api/events": "audit",
    # Django's way to the database, as another library would be.
    "bars_portal/postgresql/": "beneath all rooms",
    "bars_portal/nhsuk/": "views",
    "referrals/parts/": "mapping",
    "bars_portal/correspondence/entries": "mapping",
    "bars_portal/correspondence/": "correspondence",
}
# By the name of a module, or of the package that it is in.
_LAYERS = {
    "models": ("models", "states", "settings", "fields", "response_states"),
    "views": (
        "views",
        "forms",
        "presenters",
        "acting",
        "decorators",
        "common",
        "lookup",
        "pages",
        "typed",
        "codes",
    ),
    "policies": ("policies", "permissions", "capability"),
    "selectors": ("selectors", "remote", "postcodes", "providers", "ports", "known_services"),
    "services": ("services", "history", "requests", "requesting", "drafts", "outcomes", "duties"),
    "mapping": ("mapping", "wire", "held", "details"),
    "messages": ("messages", "message"),
}
# A reader looks these up without leaving the place; of some the table says only how many.
_ANYWHERE = {"exchange.fhir", "models", "audit", "beneath all rooms"}
_ASKED = _ANYWHERE | {"correspondence", "exchange: transport", "exchange: gateway"}
_ROOMS_BELOW = (
    "bars_portal/accounts/",
    "bars_portal/correspondence/",
    "bars_portal/nhsuk/",
    "bars_portal/patients/",
    "directory/",
)
_LAYER_OF = {name: layer for layer, names in _LAYERS.items() for name in names}


@dataclass
class Way:
    """The files of each stage, both in the order of their first call."""

    stages: dict[str, list[str]] = field(default_factory=dict)
    # How often the way came back to a stage that it had left for another one.
    returns: Counter[str] = field(default_factory=Counter)
    _at: str = ""
    _entered: set[str] = field(default_factory=set)
    _read: set[CodeType] = field(default_factory=set)

    @property
    def files(self) -> int:
        return sum(len(each) for each in self.stages.values())

    def reach(self, path: str, function: CodeType) -> None:
        if function in self._read:
            return
        self._read.add(function)
        stage = stage_of(path)
        files = self.stages.setdefault(stage, [])
        if path not in files:
            files.append(path)
        if stage in _ASKED or path.startswith(_ROOMS_BELOW):
            return
        if stage in self._entered and stage != self._at:
            self.returns[stage] += 1
        self._entered.add(stage)
        self._at = stage

    def table(self) -> str:
        """Markdown; of what is looked up without leaving the place only how much."""
        rows = (
            "| Stage | Files |",
            "|---|---|",
            *(f"| {each} | {self._named(each)} |" for each in self.stages),
        )
        return "\n".join(rows)

    def _named(self, stage: str) -> str:
        files = self.stages[stage]
        return f"{len(files)}" if stage in _ANYWHERE else ", ".join(f"`{each}`" for each in files)


def stage_of(path: str) -> str:
    for prefix, stage in _LIBRARIES.items():
        if path.startswith(prefix):
            return stage
    parts = path.removeprefix("bars_portal/").removesuffix(".py").split("/")
    if path.startswith("bars_portal/") and len(parts) == 1:
        return "beneath all rooms"
    if parts[0] == "exchange" and parts[1] != "models":
        return f"exchange: {parts[1]}"
    return next((_LAYER_OF[each] for each in parts[1:] if each in _LAYER_OF), path)


@contextmanager
def traced(starts_in: str, until: str) -> Iterator[Way]:
    """The way from the first call of the file `starts_in` until the function `until` returns.

    What comes before (middleware) and after (waiting, the page) is not of it.
    """
    way, inside = Way(), False
    paths: dict[str, str] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal inside
        code = frame.f_code
        if inside and event == "return" and code.co_name == until and paths.get(code.co_filename):
            sys.setprofile(None)
        # Comprehensions and lambdas belong to who wrote them, and an import is no step.
        if event != "call" or code.co_name.startswith("<"):
            return
        path = paths.get(code.co_filename)
        if path is None:
            path = paths[code.co_filename] = _own_path(code.co_filename)
        inside = inside or path == starts_in
        if inside and path:
            way.reach(path, code)

    sys.setprofile(note)
    try:
        yield way
    finally:
        sys.setprofile(None)


def _own_path(filename: str) -> str:
    """Relative to the root; "" for what is not ours, and for settings."""
    path = filename.removeprefix(f"{ROOT}/")
    return path if path.startswith(_ROOMS) and "/settings/" not in path else ""


def check(way: Way, name: str, *, most_stages: int, most_returns: int | None = None) -> None:
    """Bounded, and as the page has it. What a cache spares this time is missing here, never there."""
    assert len(way.stages) <= most_stages, list(way.stages)
    if most_returns is not None:
        assert max(way.returns.values(), default=0) <= most_returns, way.returns
    text = PAGE.read_text()
    begin, end = f"<!-- way: {name} -->\n", "<!-- end of way -->"
    headline = f"**{name}**: {len(way.stages)} stages."
    if os.environ.get("WRITE_WAYS"):
        told = f"{begin}{headline}\n\n{way.table()}\n\n{end}"
        PAGE.write_text(re.sub(f"{re.escape(begin)}.*?{end}", lambda _: told, text, flags=re.DOTALL))
        return
    written = text.partition(begin)[2].partition(end)[0]
    named = [path for stage, files in way.stages.items() if stage not in _ANYWHERE for path in files]
    assert headline in written, "make ways"
    assert [path for path in named if path not in written] == [], "make ways"
