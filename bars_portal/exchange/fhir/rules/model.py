"""What a rule is, what it may know, and what judging gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Any

from bars_portal.exchange.fhir.access import AccessRule, Caller, check_access
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.outcomes import Issue


class Part(Enum):
    """Which of several resources of a type is meant."""

    ONLY = auto()
    # The Encounter that the ServiceRequest names: the sender's assessment.
    REQUESTER = auto()
    # The other Encounter: what the receiver does about it.
    RESPONDER = auto()


@dataclass(frozen=True, slots=True)
class Condition:
    """What a row asks of another resource than the focus: one of these statuses, maybe a class or a reason.

    It holds for `use_cases` only (none: for all), and for a focus in one of `when_focus`. An absent
    resource is left to the counts unless `required`. A condition that `decides` also tells rows apart which
    are otherwise alike.
    """

    resource_type: str
    statuses: frozenset[str]
    part: Part = Part.ONLY
    use_cases: frozenset[str] = frozenset()
    class_code: str = ""
    needs_reason: bool = False
    required: bool = False
    decides: bool = False
    when_focus: frozenset[str] = frozenset()


# A focus in one of these states takes something back; such messages leave most resources out.
_TAKING_BACK = frozenset({"cancelled", "entered-in-error", "revoked"})


@dataclass(frozen=True, slots=True)
class HostedService:
    """Facts about a service that we host; no allowed callers and no access rules: everybody may call.

    One that is not `active` begins nothing new, but what it has goes on. `record` is what its owner holds of
    it, looked up with the facts, and `organisation_id` whose it is in our own books; no rule looks at either.
    """

    service_id: ServiceID
    provider_ods: str
    accepted_use_cases: frozenset[str]
    allowed_callers: frozenset[str] = frozenset()
    access_rules: tuple[AccessRule, ...] = ()
    record: object = field(default=None, repr=False, compare=False)
    active: bool = True
    paused_until: datetime | None = None
    organisation_id: int | None = field(default=None, compare=False)

    def check_access(self, caller: Caller) -> None:
        """Raises OutcomeError (401)."""
        check_access(self.allowed_callers, self.access_rules, caller)


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """One row of the workflow table (standard section 6): the variables that name a message type.

    `categories` are codes of ServiceRequest.category, `use_cases` those of Applications 1 to 6; none means
    that they play no part. `pairs` (reason, focus status) narrow down `reasons` times `focus_statuses`.
    `by_encounter`: statuses of the responder's Encounter where that may be the focus instead.
    """

    event: str
    reasons: frozenset[str]
    focus_type: str
    focus_statuses: frozenset[str]
    categories: frozenset[str]
    definition: str
    message_key: str
    use_cases: frozenset[str] = frozenset()
    conditions: tuple[Condition, ...] = ()
    pairs: frozenset[tuple[str, str]] = frozenset()
    other_definitions: frozenset[str] = frozenset()
    by_encounter: frozenset[str] = frozenset()

    @property
    def definitions(self) -> frozenset[str]:
        """Every MessageDefinition that such a message may name."""
        return self.other_definitions | {self.definition}

    @property
    def is_stripped(self) -> bool:
        """Whether it is a cancel, whose references may point at resources that were left out."""
        taking_back = bool(self.focus_statuses) and self.focus_statuses <= _TAKING_BACK
        return taking_back and not self.answers

    @property
    def begins(self) -> bool:
        """Whether a booking or a case begins with it."""
        return "new" in self.reasons and not self.answers and not self.is_stripped

    @property
    def answers(self) -> bool:
        """Whether it is a response, which names the message that it answers."""
        return self.event.endswith("-response")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known around a message before its rules run."""

    row: WorkflowRow | None
    service: HostedService | None
    # References and codings, found in one pass; rules look them up themselves when there are none.
    elements: Elements | None = None


Check = Callable[[MessageBundle, Facts], Iterable[Issue]]


class Severity(StrEnum):
    """What a breach means for the message."""

    REFUSED = "refused"
    WARNING = "warning"
    EITHER = "refused or warning"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the standard: its section, a sentence for people, and the check that finds breaches."""

    id: str
    section: str
    sentence: str
    check: Check
    severity: Severity = Severity.REFUSED


@dataclass(frozen=True, slots=True)
class Verdict:
    """Faults with the decisive one first, warnings, and what was recognised on the way."""

    issues: tuple[Issue, ...]
    warnings: tuple[Issue, ...]
    row: WorkflowRow | None
    service: HostedService | None


FindService = Callable[[ServiceID], HostedService | None]
Workflows = Sequence[WorkflowRow]


# -- every Reference and Coding of a message, found in one pass; paths are worked out only for what is wrong

Found = list[tuple[Resource, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Elements:
    """Pairs of the resource of the Bundle and an element somewhere in it."""

    references: Found = field(default_factory=list)
    codings: Found = field(default_factory=list)


def scan(bundle: MessageBundle) -> Elements:
    """Iterative, so that deep nesting cannot exhaust the stack; plain, for it walks over all of a message."""
    found = Elements()
    for _, resource in bundle.entries:
        stack: list[Any] = [resource]
        while stack:
            item = stack.pop()
            if isinstance(item, dict):
                if "reference" in item:
                    if isinstance(item["reference"], str):
                        found.references.append((resource, item))
                elif (
                    "system" in item and isinstance(item["system"], str) and isinstance(item.get("code"), str)
                ):
                    found.codings.append((resource, item))
                item = item.values()
            for member in item:
                kind = type(member)
                if kind is dict or kind is list:
                    stack.append(member)
    return found


def located(bundle: MessageBundle, wrong: Found) -> Iterator[tuple[str, dict[str, Any]]]:
    """The elements with the FHIRPath of each, resource by resource."""
    by_resource: dict[int, tuple[Resource, set[int]]] = {}
    for resource, element in wrong:
        by_resource.setdefault(id(resource), (resource, set()))[1].add(id(element))
    for resource, elements in by_resource.values():
        yield from _within(resource, bundle.path_of(resource), elements)


def _within(resource: Resource, path: str, wanted: set[int]) -> Iterator[tuple[str, dict[str, Any]]]:
    stack: list[tuple[Any, str]] = [(resource, path)]
    while stack:
        item, place = stack.pop()
        if isinstance(item, list):
            stack.extend((member, f"{place}[{at}]") for at, member in reversed(list(enumerate(item))))
        elif isinstance(item, dict):
            if id(item) in wanted:
                yield place, item
            stack.extend((member, f"{place}.{name}") for name, member in reversed(item.items()))
