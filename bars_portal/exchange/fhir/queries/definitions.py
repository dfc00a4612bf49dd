"""GET /MessageDefinition (standard section 7; api.md section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

from bars_portal.exchange.fhir.codes import USE_CASE_SYSTEM, UseCase
from bars_portal.exchange.fhir.identifiers import (
    SERVICE_ID_SYSTEM,
    InvalidIdentifier,
    ServiceID,
    same_system,
    split_token,
)
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.queries.params import Pairs, Params, sound

CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class DefinitionQuery:
    """A valid search: one service and, optionally, the use cases to keep (none: all)."""

    service_id: ServiceID
    use_cases: frozenset[UseCase]

    @classmethod
    def parse(cls, params: Pairs) -> Self:
        """Raise OutcomeError with every fault: 400 required, value or invalid, 404 unknown use case."""
        reader = Params(params, (CONTEXT,))
        services: set[ServiceID] = set()
        use_cases: set[UseCase] = set()
        if not reader.given(CONTEXT):
            reader.fault(OutcomeCode.REQUIRED, f"{CONTEXT} is missing")
        for text in _contexts(reader):
            _sort(reader, text, services, use_cases)
        service_id = _only(reader, services)
        reader.finish()
        return cls(sound(service_id), frozenset(use_cases))


def _contexts(reader: Params) -> Iterator[str]:
    """Single contexts: in the wild two arrive as one value that was percent-encoded as a whole."""
    for value in reader.all(CONTEXT):
        whole = unquote(value)
        yield from (part.strip() for part in whole.split(f"&{CONTEXT}="))


def _sort(reader: Params, text: str, services: set[ServiceID], use_cases: set[UseCase]) -> None:
    system, value = split_token(text)
    use_case = UseCase.lookup(value)
    try:
        if (system is None and use_case is None) or same_system(system or "", SERVICE_ID_SYSTEM):
            services.add(ServiceID.parse(value))
            return
    except InvalidIdentifier:
        use_case = None
    named = system is not None and same_system(system, USE_CASE_SYSTEM)
    if use_case is not None and (named or system is None):
        use_cases.add(use_case)
    elif named and value:
        # Well-formed, and in no list: an unknown context is not found (api.md section 4).
        reader.fault(OutcomeCode.NOT_FOUND, f"{CONTEXT} names a use case that is not known")
    else:
        reader.fault(OutcomeCode.VALUE, f"{CONTEXT} is neither a DoS service id nor a use case")


def _only(reader: Params, services: set[ServiceID]) -> ServiceID | None:
    if len(services) > 1:
        reader.fault(OutcomeCode.VALUE, f"{CONTEXT} names more than one service")
    elif not services and not reader.faulty:
        reader.fault(OutcomeCode.REQUIRED, f"{CONTEXT} names no service")
    return next(iter(services), None)
