"""GET /ServiceRequest, of one patient or by an identifier (standard section 7; api.md section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.queries.appointments import PATIENT, AppointmentQuery
from bars_portal.exchange.fhir.queries.params import Pairs, Params

IDENTIFIER = "ServiceRequest.identifier"


@dataclass(frozen=True, slots=True)
class RequestIdentifier:
    """A reference of the case, never its id; `system` is "" when it was not said."""

    system: str
    value: str


@dataclass(frozen=True, slots=True)
class ServiceRequestQuery:
    """A valid search: by an identifier, by patient, or by both."""

    identifier: RequestIdentifier | None
    patient: AppointmentQuery

    @classmethod
    def parse(cls, params: Pairs) -> Self:
        """Raise OutcomeError with every fault: 400 required, value or invalid."""
        reader = Params(params, (IDENTIFIER, *PATIENT))
        identifier = _identifier(reader)
        patient = AppointmentQuery.read(reader, required=not reader.given(IDENTIFIER))
        reader.finish()
        return cls(identifier, patient)


def _identifier(reader: Params) -> RequestIdentifier | None:
    text = reader.one(IDENTIFIER, required=False)
    if text is None:
        return None
    system, bar, value = text.rpartition("|")
    if not value or (bar and not system):
        reader.fault(OutcomeCode.VALUE, f"{IDENTIFIER} is not of the form system|value")
        return None
    return RequestIdentifier(system, value)
