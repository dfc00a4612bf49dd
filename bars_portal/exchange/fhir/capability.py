"""What a receiver says of itself, from facts, and what another one says (standard sections 7 and 8)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bars_portal.exchange.fhir.access import is_paused
from bars_portal.exchange.fhir.bundle import searchset
from bars_portal.exchange.fhir.codes import USE_CASE_SYSTEM, MessageEvent, UseCase
from bars_portal.exchange.fhir.identifiers import SERVICE_ID_SYSTEM, ServiceID
from bars_portal.exchange.fhir.json import as_dict, as_text, dicts
from bars_portal.exchange.fhir.profiles import (
    DEFINITIONS,
    FHIR_VERSION,
    KNOWN_VERSIONS,
    STANDARD_VERSION,
    Allowed,
    DefinitionFacts,
)
from bars_portal.exchange.fhir.queries.services import SlotInclude
from bars_portal.exchange.fhir.rules import HostedService, WorkflowRow
from bars_portal.exchange.fhir.timestamps import format_instant

_WORKFLOW = {
    "system": "http://terminology.hl7.org/CodeSystem/usage-context-type",
    "code": "workflow",
    "display": "Workflow Setting",
}
_VARIANT_STATE = "http://terminology.hl7.org/CodeSystem/variant-state"
_SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_PROCESS_MESSAGE = "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message"

_Resource = dict[str, Any]

_PATIENT_SEARCH = (
    ("patient:identifier", "token"),
    ("patient:name", "string"),
    ("patient:birthdate", "date"),
    ("patient:address-postalcode", "string"),
)
_SLOT_SEARCH = (("Schedule.actor:HealthcareService", "token"), ("status", "token"), ("start", "date"))


def capability_statement(
    *,
    software: str,
    version: str,
    now: datetime,
    rows: Sequence[WorkflowRow],
    reads: Collection[str] = ("Appointment", "Slot"),
    formats: Sequence[str] = ("json",),
) -> _Resource:
    """The CapabilityStatement of this receiver for the message types that it takes.

    `software` and `version` name the product; the statement's own version is that of the standard.
    `reads` are the resource types with a GET of their own, `formats` the media types really served.
    """
    return {
        "resourceType": "CapabilityStatement",
        "version": STANDARD_VERSION,
        "name": "BookingAndReferralReceiver",
        "title": "Booking and Referral Standard receiver",
        "status": "active",
        "date": format_instant(now),
        "kind": "instance",
        "software": {"name": software, "version": version},
        "implementation": {"description": f"{software}, receiver of bookings and referrals"},
        "fhirVersion": FHIR_VERSION,
        "format": list(formats),
        "rest": [_rest(reads)],
        "messaging": [{"supportedMessage": _supported(rows)}],
    }


def _rest(reads: Collection[str]) -> _Resource:
    # Receivers know their callers by client certificate; the token ends at the proxy.
    certificates = {"system": _SECURITY_SERVICE, "code": "Certificates", "display": "Certificates"}
    return {
        "mode": "server",
        "security": {"service": [{"coding": [certificates]}]},
        "resource": list(_resources(reads)),
        "operation": [{"name": "$process-message", "definition": _PROCESS_MESSAGE}],
    }


def _resources(reads: Collection[str]) -> Iterator[_Resource]:
    yield _resource("MessageDefinition", ("search-type",), (("context", "token"),))
    if "Slot" in reads:
        slots = _resource("Slot", ("search-type",), _SLOT_SEARCH)
        yield {**slots, "searchInclude": [str(include) for include in SlotInclude]}
    for kind in sorted(set(reads) - {"Slot"}):
        yield _resource(kind, ("read", "search-type"), _PATIENT_SEARCH)


def _resource(kind: str, interactions: Iterable[str], searches: Iterable[tuple[str, str]]) -> _Resource:
    return {
        "type": kind,
        "interaction": [{"code": code} for code in interactions],
        "searchParam": [{"name": name, "type": value_type} for name, value_type in searches],
    }


def _supported(rows: Sequence[WorkflowRow]) -> list[_Resource]:
    return [{"mode": "receiver", "definition": url} for url in dict.fromkeys(row.definition for row in rows)]


def message_definition(
    facts: DefinitionFacts, *, service: HostedService, use_cases: Collection[str], now: datetime
) -> _Resource:
    """One MessageDefinition as the service accepts it; its id is stable per service and definition."""
    return {
        "resourceType": "MessageDefinition",
        "id": str(uuid5(NAMESPACE_URL, f"{facts.url}|{service.service_id}")),
        "url": facts.url,
        "version": facts.version,
        "name": facts.title,
        "title": facts.title,
        "status": "active",
        "date": format_instant(now),
        "useContext": [*_service_contexts(service.service_id), *_use_case_contexts(use_cases)],
        "eventCoding": facts.event.coding,
        "focus": [_focus(allowed) for allowed in facts.allowed],
    }


def _service_contexts(service_id: ServiceID) -> list[_Resource]:
    """The service in the two forms that senders look for: as the context's code, and as its value."""
    service = {
        "system": SERVICE_ID_SYSTEM,
        "code": service_id.value,
        "display": f"Service {service_id.value}",
    }
    positive = {"system": _VARIANT_STATE, "code": "positive", "display": "positive"}
    return [_context(service, positive), _context(_WORKFLOW, service)]


def _use_case_contexts(use_cases: Collection[str]) -> Iterator[_Resource]:
    for code in sorted(use_cases):
        use_case = UseCase.lookup(code)
        unknown = {"system": USE_CASE_SYSTEM, "code": code, "display": code}
        yield _context(_WORKFLOW, use_case.coding if use_case else unknown)


def _context(code: dict[str, str], value: dict[str, str]) -> _Resource:
    return {"code": code, "valueCodeableConcept": {"coding": [value]}}


def _focus(allowed: Allowed) -> _Resource:
    high = "*" if allowed.high is None else str(allowed.high)
    return {"code": allowed.resource_type, "profile": allowed.profile, "min": allowed.low, "max": high}


def message_definitions(
    service: HostedService,
    rows: Sequence[WorkflowRow],
    now: datetime,
    *,
    use_cases: Iterable[str] = (),
) -> _Resource:
    """A searchset of the definitions that a service accepts, of these use cases when some are named.

    Each names all use cases that the service accepts, whichever were asked for (standard section 12). Those
    of requests are left out while it takes no referrals.
    """
    paused = is_paused(service.paused_until, now)
    rows = [row for row in rows if not (paused and row.event == MessageEvent.SERVICEREQUEST_REQUEST.value)]
    wanted = frozenset(use_cases)
    asked = service.accepted_use_cases & wanted if wanted else service.accepted_use_cases
    found = [
        message_definition(DEFINITIONS[url], service=service, use_cases=service.accepted_use_cases, now=now)
        for url in _definition_urls(asked, rows)
    ]
    return searchset(
        bundle_id=uuid5(NAMESPACE_URL, f"MessageDefinition|{service.service_id}|{format_instant(now)}"),
        now=now,
        self_link=f"MessageDefinition?context={service.service_id.token}",
        matches=[(f"urn:uuid:{each['id']}", each) for each in found],
    )


def _definition_urls(use_cases: frozenset[str], rows: Sequence[WorkflowRow]) -> Iterable[str]:
    """A row that none of the use cases reaches is no message of theirs; one without any is of them all."""
    reached = (row for row in rows if use_cases and (not row.use_cases or row.use_cases & use_cases))
    return dict.fromkeys(row.definition for row in reached if row.definition in DEFINITIONS)


# -- what another system's CapabilityStatement says, read leniently

_NUMBERS = re.compile(r"v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?![\d.])")


@dataclass(frozen=True)
class StatedCapability:
    """`version` is CapabilityStatement.version, which is that of the standard; "" when it is not told.

    `definitions` are the last parts of messaging.supportedMessage.definition that it receives, sorted;
    None when it lists no messages at all, which is no statement against any. `formats` are those of
    CapabilityStatement.format, in small letters, sorted; None when it names none.
    """

    version: str
    definitions: tuple[str, ...] | None
    formats: tuple[str, ...] | None = None


def read_capability_statement(statement: dict[str, Any]) -> StatedCapability:
    version = as_text(statement.get("version")).strip()[:20]
    return StatedCapability(version, _definitions(statement), _formats(statement))


def agreed_version(theirs: str, ours: Collection[str] = KNOWN_VERSIONS) -> str:
    """The highest of `ours` that they know too: of their major, and no higher; "" when there is none.

    A version that is not told, or cannot be read, is taken for our lowest, which whoever speaks ours knows.
    """
    known = sorted(numbers for each in ours if (numbers := _numbers(each)) is not None)
    told = _numbers(theirs) or known[0]
    both = [each for each in known if each[0] == told[0] and each <= told]
    return ".".join(map(str, both[-1])) if both else ""


def same_major(theirs: str, ours: str) -> bool:
    """Of two versions of a MessageDefinition; one that is not told says nothing against it."""
    told, known = _numbers(theirs), _numbers(ours)
    return told is None or known is None or told[0] == known[0]


def _definitions(statement: dict[str, Any]) -> tuple[str, ...] | None:
    messages = [
        message
        for messaging in dicts(statement.get("messaging"))
        for message in dicts(messaging.get("supportedMessage"))
    ]
    received = (each for each in messages if as_text(as_dict(each).get("mode")) == "receiver")
    addresses = (as_text(each.get("definition")).partition("|")[0] for each in received)
    names = {address.rstrip("/").rpartition("/")[2][:200] for address in addresses} - {""}
    return tuple(sorted(names)) if messages else None


def _formats(statement: dict[str, Any]) -> tuple[str, ...] | None:
    stated = statement.get("format")
    named = map(as_text, stated) if isinstance(stated, list) else ()
    return tuple(sorted({each.strip().lower()[:60] for each in named} - {""})) or None


def _numbers(version: str) -> tuple[int, int, int] | None:
    found = _NUMBERS.match(version.strip())
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.groups())
    return major, minor, patch
