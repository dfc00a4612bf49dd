"""What a rule is, what it may know, and what judging gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.outcomes import Issue

# A focus in one of these states takes something back; such messages leave most resources out.
_TAKING_BACK = frozenset({"cancelled", "entered-in-error", "revoked"})


@dataclass(frozen=True, slots=True)
class HostedService:
    """Facts about a service that we host; no allowed callers means that everybody may call."""

    service_id: ServiceID
    provider_ods: str
    accepted_use_cases: frozenset[str]
    allowed_callers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """One row of the workflow table (standard section 6): the variables that name a message type.

    `categories` are codes of ServiceRequest.category; none means that category plays no part.
    """

    event: str
    reasons: frozenset[str]
    focus_type: str
    focus_statuses: frozenset[str]
    categories: frozenset[str]
    definition: str
    message_key: str

    @property
    def is_stripped(self) -> bool:
        """Whether it is a cancel, whose references may point at resources that were left out."""
        taking_back = bool(self.focus_statuses) and self.focus_statuses <= _TAKING_BACK
        return taking_back and self.event.endswith("-request")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known around a message before its rules run."""

    row: WorkflowRow | None
    service: HostedService | None


Check = Callable[[MessageBundle, Facts], Iterable[Issue]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the standard: its section, a sentence for people, and the check that finds breaches."""

    id: str
    section: str
    sentence: str
    check: Check


@dataclass(frozen=True, slots=True)
class Verdict:
    """Faults with the decisive one first, warnings, and what was recognised on the way."""

    issues: tuple[Issue, ...]
    warnings: tuple[Issue, ...]
    row: WorkflowRow | None
    service: HostedService | None


FindService = Callable[[ServiceID], HostedService | None]
Workflows = Sequence[WorkflowRow]
