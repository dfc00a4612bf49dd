"""A verdict, and what is right and wrong in a message (standard section 6).

Header, references, people, use case, counts: what was looked at, and whether it was as the standard asks.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from bars_portal.simulator.fhir import Resource, child, dicts, first


class Outcome(StrEnum):
    """How a check ended. A note is no fault: official examples do the same, or it is statistics only."""

    RIGHT = "right"
    WRONG = "wrong"
    NOTE = "note"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, in plain words; `rule` names the section of the standard."""

    rule: str
    words: str
    outcome: Outcome


@dataclass(frozen=True)
class Verdict:
    """Everything that was looked at in one exchange."""

    checks: tuple[Check, ...]

    @property
    def outcome(self) -> Outcome:
        """Wrong when anything is, else a note when there is one."""
        found = {each.outcome for each in self.checks}
        return next((each for each in (Outcome.WRONG, Outcome.NOTE) if each in found), Outcome.RIGHT)

    @property
    def ordered(self) -> tuple[Check, ...]:
        """What is wrong first, then the notes."""
        order = (Outcome.WRONG, Outcome.NOTE, Outcome.RIGHT)
        return tuple(sorted(self.checks, key=lambda each: order.index(each.outcome)))

    @property
    def wrong(self) -> tuple[str, ...]:
        """What is wrong, in plain words."""
        return self._told(Outcome.WRONG)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual and no fault."""
        return self._told(Outcome.NOTE)

    def _told(self, outcome: Outcome) -> tuple[str, ...]:
        return tuple(each.words for each in self.checks if each.outcome is outcome)


def look(rule: str, holds: bool, right: str, wrong: str, *, note: bool = False) -> Check:
    """A check that holds or not; `note` when it is no fault."""
    if holds:
        return Check(rule, right, Outcome.RIGHT)
    return Check(rule, wrong, Outcome.NOTE if note else Outcome.WRONG)


_FILE = Path(__file__).parent / "definitions.toml"
Limits = Mapping[str, tuple[int, int | None]]
EVENTS = frozenset(
    {"booking-request", "booking-response", "servicerequest-request", "servicerequest-response"}
)
REASONS = frozenset({"new", "update", "delete"})
USE_CASES = "usecases-categories-bars"
_RANK = "Extension-UKCore-ContactRank"
_STRIPPED = frozenset(
    {"bars-message-booking-request-cancelled", "bars-message-servicerequest-request-cancelled"}
)
_CARRIERS = {"Appointment": "serviceCategory", "ServiceRequest": "category"}
_ELSEWHERE = ("EpisodeOfCare/", "Appointment/", "ServiceRequest/", "Encounter/", "#", "http://", "https://")


@dataclass(frozen=True)
class Message:
    """A Bundle; nothing in it is trusted to have the right shape."""

    bundle: Resource

    @property
    def entries(self) -> list[Resource]:
        """Entries that hold a resource."""
        return [each for each in dicts(self.bundle.get("entry")) if isinstance(each.get("resource"), dict)]

    @property
    def header(self) -> Resource:
        """The first MessageHeader, empty when there is none."""
        return next(iter(self.of_type("MessageHeader")), {})

    @property
    def definition(self) -> str:
        """Last part of MessageHeader.definition."""
        return str(self.header.get("definition", "")).partition("|")[0].rpartition("/")[2]

    @property
    def focus(self) -> Resource:
        """What the header's first focus points at, empty when nothing."""
        wanted = first(self.header.get("focus")).get("reference")
        return next((each["resource"] for each in self.entries if each.get("fullUrl") == wanted), {})

    @property
    def event(self) -> str:
        """MessageHeader.eventCoding.code."""
        return str(child(self.header.get("eventCoding")).get("code") or "")

    @property
    def reason(self) -> str:
        """The first code of MessageHeader.reason."""
        return str(first(child(self.header.get("reason")).get("coding")).get("code") or "")

    def of_type(self, kind: str) -> list[Resource]:
        """The resources of one type."""
        return [each["resource"] for each in self.entries if each["resource"].get("resourceType") == kind]


def codings(concepts: object) -> list[Resource]:
    """Every Coding of a CodeableConcept or a list of them."""
    listed = concepts if isinstance(concepts, list) else [concepts]
    return [coding for each in dicts(listed) for coding in dicts(each.get("coding"))]


def references(value: object) -> Iterator[str]:
    """Every reference in a structure, whatever it is called."""
    if isinstance(value, dict):
        reference = value.get("reference")
        if isinstance(reference, str):
            yield reference
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def check_contents(message: Message) -> Iterator[Check]:
    """Every rule that a reader of the message alone can judge."""
    yield from _header(message)
    if message.definition not in _STRIPPED:
        yield _resolves(message)
    yield from _people(message)
    yield _use_case(message)


def _header(message: Message) -> Iterator[Check]:
    bundle = message.bundle
    version = str(child(bundle.get("meta")).get("versionId", ""))
    yield look("6", bundle.get("type") == "message", "Bundle.type is message", "Bundle.type is not message")
    wrong = "Bundle.meta.versionId is missing or of another major version"
    yield look("6", version.startswith("1."), f"Bundle.meta.versionId is {version}", wrong)
    yield look("6", message.event in EVENTS, f"The event is {message.event}", "The event is none of BaRS")
    yield look(
        "6", message.reason in REASONS, f"The reason is {message.reason}", "The reason is none of BaRS"
    )
    yield look("6", bool(message.focus), "The focus is in the message", "The focus is not in the message")
    answers = bool(child(message.header.get("response")).get("identifier"))
    if message.event.endswith("-response"):
        yield look("6", answers, "It names what it answers", "MessageHeader.response names nothing")
    reply = str(child(message.header.get("source")).get("endpoint", ""))
    wrong = "MessageHeader.source.endpoint is no service id: no reply can find its way"
    yield look("8", "dos-service-id|" in reply, "A reply finds its way to the source", wrong)


def _resolves(message: Message) -> Check:
    known = {str(each.get("fullUrl")) for each in message.entries}
    lost = sum(each not in known and not each.startswith(_ELSEWHERE) for each in references(message.bundle))
    return look("6", not lost, "Every reference points at something", f"{lost} references point at nothing")


def _people(message: Message) -> Iterator[Check]:
    for patient in message.of_type("Patient")[:1]:
        callers = [each for each in dicts(patient.get("contact")) if _rank(each) == 1]
        wrong = f"{len(callers)} contacts have rank 1, where exactly one is to be called back"
        yield look("6", len(callers) == 1, "One contact has rank 1", wrong)
        if len(callers) == 1:
            number = bool(first(callers[0].get("telecom")).get("value"))
            yield look("6", number, "It can be called back", "The contact of rank 1 has no telecom")
    consents = message.of_type("Consent")
    if consents:
        direct = all(any(c.get("code") == "DRC" for c in codings(each.get("category"))) for each in consents)
        yield look("6", direct, "The consent is for direct care", "A consent is not for direct care (DRC)")


def _use_case(message: Message) -> Check:
    carrier = message.focus
    if carrier.get("resourceType") not in _CARRIERS:
        carrier = next(iter(message.of_type("ServiceRequest")), {})
    found = codings(carrier.get(_CARRIERS.get(str(carrier.get("resourceType")), "")))
    codes = [str(each.get("code")) for each in found if str(each.get("system", "")).endswith(USE_CASES)]
    return look("6", len(codes) == 1, f"The use case is {', '.join(codes)}", "There is not one use case")


def _rank(contact: Resource) -> object:
    extensions = dicts(contact.get("extension"))
    ranks = (each.get("valuePositiveInt") for each in extensions if str(each.get("url")).endswith(_RANK))
    return next(ranks, None)


def check_counts(message: Message) -> Iterator[Check]:
    """The definition is known, and the Bundle holds what it says."""
    name = message.definition
    known = name in definitions()
    yield look(
        "6",
        known,
        f"The definition is {name}",
        "MessageHeader.definition is none that is known",
        note=True,
    )
    if not known:
        return
    for kind, (low, high) in definitions()[name].items():
        count = len(message.of_type(kind))
        holds = low <= count and (high is None or count <= high)
        wanted = f"{low} to {'any number' if high is None else high}"
        # Official updates carry the receiver's Encounter beside the sender's.
        extra = kind == "Encounter" and count == 2 and high == 1
        wrong = f"There are {count} {kind}, where the definition asks for {wanted}"
        yield look("6", holds, f"{kind}: {count} of {wanted}", wrong, note=extra)


@cache
def definitions() -> Mapping[str, Limits]:
    """Fewest and most (None: no limit) of each resource, by the last part of the definition's address."""
    loaded = tomllib.loads(_FILE.read_text())
    return {
        name: {kind: (low, None if high == "*" else int(high)) for kind, (low, high) in limits.items()}
        for name, limits in loaded.items()
    }
