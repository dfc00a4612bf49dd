"""What a receiver's synchronous answer says about a request of ours. Pure."""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bars_portal.correspondence.entries import clean, derived_url
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import EncounterStatus, ServiceRequestStatus
from bars_portal.exchange.fhir.reading import as_text
from bars_portal.exchange.registry import Outcome
from referrals.mapping import reading

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_REFERENCE = 64
_TAKEN_BACK = (ServiceRequestStatus.REVOKED, ServiceRequestStatus.ENTERED_IN_ERROR)
_STANDS = (ServiceRequestStatus.ACTIVE, ServiceRequestStatus.ON_HOLD, ServiceRequestStatus.COMPLETED)


@dataclass(frozen=True)
class Answered:
    """The receiver's ServiceRequest ({} when there is none) and the Bundle that it came in."""

    request: Resource = field(repr=False)
    bundle: MessageBundle = field(repr=False)

    @property
    def remote_id(self) -> str:
        """ServiceRequest.id; "" for what is no id, for it becomes part of an address."""
        ident = as_text(self.request.get("id"))
        return ident if _ID.fullmatch(ident) else ""

    @property
    def is_taken_back(self) -> bool:
        return as_text(self.request.get("status")) in _TAKEN_BACK

    @property
    def is_unclear(self) -> bool:
        """There is a request, and neither does it stand nor is it taken back."""
        return bool(self.request) and as_text(self.request.get("status")) not in (*_STANDS, *_TAKEN_BACK)

    def reference(self, case_id: UUID) -> str:
        """Identifier of the receiver's own Encounter, which is planned (standard section 5, "Ids")."""
        ours = derived_url(case_id, "encounter")
        theirs = [each for each in self.bundle.of_type("Encounter") if self.bundle.full_url_of(each) != ours]
        planned = [each for each in theirs if each.get("status") == EncounterStatus.PLANNED]
        found = next(iter([*planned, *theirs]), None)
        named: str = clean(reading.identifier_of(found))
        return named[:_REFERENCE]


def answered(outcome: Outcome) -> Answered:
    """From the answer itself, or from what was read after a lost one."""
    bundle = _bundle(outcome)
    focus = bundle.focus or {}
    listed = [focus] if focus.get("resourceType") == "ServiceRequest" else bundle.of_type("ServiceRequest")
    request: Resource = clean(listed[0]) if listed else {}
    return Answered(request, bundle)


def _bundle(outcome: Outcome) -> MessageBundle:
    if outcome.found is not None:
        found: dict[str, Any] = outcome.found
        whole = found.get("resourceType") == "Bundle"
        return MessageBundle(found if whole else {"entry": [{"resource": found}]})
    return outcome.reply or MessageBundle({})
