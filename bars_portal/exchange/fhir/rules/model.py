"""What a rule is, what it may know, and what judging gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.outcomes import Issue
from bars_portal.exchange.fhir.rules.conditions import Condition
from bars_portal.exchange.fhir.rules.elements import Elements

# A focus in one of these states takes something back; such messages leave most resources out.
_TAKING_BACK = frozenset({"cancelled", "entered-in-error", "revoked"})


@dataclass(frozen=True, slots=True)
class HostedService:
    """Facts about a service that we host; no allowed callers means that everybody may call.

    `record` is what its owner holds of it, looked up with the facts; no rule looks into it.
    """

    service_id: ServiceID
    provider_ods: str
    accepted_use_cases: frozenset[str]
    allowed_callers: frozenset[str] = frozenset()
    record: object = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """One row of the workflow table (standard section 6): the variables that name a message type.

    `categories` are codes of ServiceRequest.category, `use_cases` those of Applications 1 to 6; none means
    that they play no part. `pairs` (reason, focus status) narrow down `reasons` times `focus_statuses`.
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
