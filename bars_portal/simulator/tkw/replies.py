"""The responses that TKW sends later: built from the request that set them off, sent through the proxy.

Source: fhir/messages.md (messages at a glance: interim, full, did not attend); standard.md section 6.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Timer
from typing import Any
from uuid import uuid4

import orjson

from bars_portal.simulator.config import FHIR_BASE, Clock
from bars_portal.simulator.drills import ConnectionCut
from bars_portal.simulator.fhir import (
    FHIR_JSON,
    FHIR_XML,
    XML_MEDIA,
    Resource,
    child,
    first,
    is_fhir,
    stamp,
    to_xml,
)
from bars_portal.simulator.forwarding import Call
from bars_portal.simulator.headers import ORGANISATION_HEADER, TARGET_HEADER, encode_header, organisation_code
from bars_portal.simulator.journal import SENT, Journal
from bars_portal.simulator.tkw import shapes
from bars_portal.simulator.tkw.definitions import DEFINITION_BASE, EVENTS
from bars_portal.simulator.tkw.messages import Message, name_it, planned_encounter
from bars_portal.simulator.tkw.tables import focuses
from bars_portal.simulator.wire import Answer, Request

SOFTWARE = {"name": "NHS test services (TKW)", "software": "BaRS simulator", "version": "1.0.0"}
RESPONSE_HEADER = "https://fhir.nhs.uk/StructureDefinition/BARSMessageHeader-servicerequest-response"
REFERRAL_PROFILE = "https://fhir.nhs.uk/StructureDefinition/BARSServiceRequest-request-referral"
INTERIM = "bars-message-servicerequest-response-validation-interim"
REJECTED = "https://fhir.nhs.uk/CodeSystem/rejected-reasons-bars"
REASONS = "https://fhir.nhs.uk/CodeSystem/message-reason-bars"
VERSION = "version=1.1.0"
# The organisation that TKW answers as.
ORGANISATION = {
    "resourceType": "Organization",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "X26"}],
    "name": "NHS test services (TKW)",
}
REQUESTING_SOFTWARE = {
    "resourceType": "Device",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/device-identifier", "value": "BARS-SIMULATOR"}],
    "deviceName": [{"name": "BaRS simulator", "type": "manufacturer-name"}],
    "version": [{"value": "1.0.0"}],
}
Later = Callable[[float, Callable[[], None]], object]
Entry = dict[str, Any]
_EMPTY: tuple[Any, ...] = ({}, [])
log = logging.getLogger("simulator")


class NoReplyAddress(Exception):
    """The request does not say where a reply should go."""


def in_a_thread(seconds: float, task: Callable[[], None]) -> None:
    """Runs the task after so many seconds; the end of the program does not wait for it."""
    timer = Timer(seconds, task)
    timer.daemon = True
    timer.start()


@dataclass(frozen=True, kw_only=True)
class Replies:
    """Sets replies off. One attempt each: what became of it is in the journal."""

    carry: Callable[[Request], Answer]
    journal: Journal
    clock: Clock
    delay: float
    later: Later

    def set_off(self, kind: str, message: Message, call: Call) -> None:
        """The reply of that kind (one of _RECIPES) to a message that came with `call`."""
        self.later(self.delay, lambda: self._send(kind, message, call))

    def _send(self, kind: str, message: Message, call: Call) -> None:
        try:
            address = reply_address(message)
        except NoReplyAddress:
            log.warning("the %s reply has nowhere to go: the request names no source endpoint", kind)
            return
        if not is_fhir(message.bundle):
            log.warning("no %s reply: the request is no sound FHIR", kind)
            return
        bundle = build_reply(kind, message, now=self.clock())
        requester = organisation_code(call.request.header(ORGANISATION_HEADER))
        facts = {"scenario": f"Reply: {kind}", "direction": SENT, "organisation": requester}
        with suppress(ConnectionCut):
            self.journal.keep(_request(bundle, address, call.request), self.carry, clock=self.clock, **facts)


def _request(bundle: Resource, address: str, asked: Request) -> Request:
    """The reply as a request of our own: a new request id, the conversation's correlation id, same format."""
    system, _, value = address.rpartition("|")
    xml = asked.media in XML_MEDIA
    media = FHIR_XML if xml else FHIR_JSON
    headers = {
        "x-request-id": str(uuid4()),
        "x-correlation-id": asked.header("X-Correlation-Id") or str(uuid4()),
        TARGET_HEADER.lower(): encode_header({"system": system, "value": value}),
        ORGANISATION_HEADER.lower(): encode_header(ORGANISATION),
        "nhsd-requesting-software": encode_header(REQUESTING_SOFTWARE),
        "content-type": f"{media}; {VERSION}",
        "accept": f"{media}; {VERSION}",
    }
    body = to_xml(bundle) if xml else orjson.dumps(bundle)
    return Request("POST", f"{FHIR_BASE}/$process-message", "", headers, body, "")


@dataclass(frozen=True)
class _Recipe:
    """Which definition a reply follows, what its focus is, and how TKW's part comes about."""

    definition: str
    focus: str
    change: Callable[[list[Entry], Message, datetime], None]


def build_reply(kind: str, message: Message, *, now: datetime) -> Resource:
    """The reply (one of _RECIPES) as a message Bundle. Raises NoReplyAddress.

    It holds what its definition allows, from the request, with ids; references to the rest are left out.
    """
    recipe = _RECIPES[kind]
    entries = _kept(message, recipe.definition)
    recipe.change(entries, message, now)
    focus = [each for each in entries if each["resource"]["resourceType"] == recipe.focus][-1]
    header = _header(message, recipe, str(focus["fullUrl"]), now)
    entries.insert(0, {"fullUrl": f"urn:uuid:{uuid4()}", "resource": header})
    bundle = _bundle(entries, message, now)
    whole: Resource = _without_dangling(bundle, {str(each["fullUrl"]) for each in entries})
    return whole


def _bundle(entries: list[Entry], message: Message, now: datetime) -> Resource:
    moment = stamp(now)
    version = str(message.bundle.get("meta", {}).get("versionId", "1.1.0"))
    profile = "https://fhir.nhs.uk/StructureDefinition/BARSBundleMessage"
    return {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "meta": {"versionId": version, "lastUpdated": moment, "profile": [profile]},
        "type": "message",
        "timestamp": moment,
        "entry": entries,
    }


def reply_address(message: Message) -> str:
    """Where replies go: MessageHeader.source.endpoint, system|value. Raises NoReplyAddress."""
    endpoint = child(message.header.get("source")).get("endpoint")
    if not isinstance(endpoint, str) or not all(endpoint.rpartition("|")):
        raise NoReplyAddress
    return endpoint


def _kept(message: Message, definition: str) -> list[Entry]:
    """The request's entries that the definition allows, the header left out."""
    allowed = {row.resource for row in focuses(definition)} - {"MessageHeader"}
    entries = [deepcopy(each) for each in message.bundle["entry"] if _kind(each) in allowed]
    for each in entries:
        name_it(each["resource"], str(each.get("fullUrl")))
    return entries


def _kind(entry: Entry) -> str:
    return str(entry["resource"]["resourceType"])


def _interim(entries: list[Entry], message: Message, now: datetime) -> None:
    entries.append(planned_encounter(message, now, "in-progress"))


def _rejected(entries: list[Entry], message: Message, now: datetime) -> None:
    """As the standard says it: our Encounter cancelled with a reason, the request as it was."""
    _reject(entries, message, now, "cancelled")


def _revoked(entries: list[Entry], message: Message, now: datetime) -> None:
    """As the guide says it: our Encounter triaged with a reason, the request revoked."""
    for each in entries:
        if _kind(each) == "ServiceRequest":
            each["resource"]["status"] = "revoked"
            _touch(each, now)
    _reject(entries, message, now, "triaged")


def _reject(entries: list[Entry], message: Message, now: datetime, status: str) -> None:
    encounter = planned_encounter(message, now, status)
    reason = {"coding": [shapes.coding(REJECTED, "OTH")], "text": "Rejected by the simulated service."}
    encounter["resource"]["reasonCode"] = [reason]
    entries.append(encounter)


def _full(entries: list[Entry], message: Message, now: datetime) -> None:
    encounter = planned_encounter(message, now, "finished")
    entries.append(encounter)
    moment = stamp(now)
    outcome = {"text": "Assessed by the simulated service: hear and treat, no ambulance needed."}
    for each in entries:
        if _kind(each) == "CarePlan":
            each["resource"] |= {
                "status": "completed",
                "encounter": {"reference": encounter["fullUrl"]},
                "period": {"start": moment},
                "activity": [{"outcomeCodeableConcept": [outcome]}],
            }
            _touch(each, now)


def _safeguarding(entries: list[Entry], message: Message, now: datetime) -> None:
    for each in entries:
        if _kind(each) == "ServiceRequest":
            each["resource"] |= {"status": "revoked", "category": [_referral_category(message)]}
            # The referral profile asks for it, the validation's does not.
            each["resource"].setdefault("authoredOn", stamp(now))
            _touch(each, now, REFERRAL_PROFILE)
        if _kind(each) == "CarePlan":
            each["resource"]["status"] = "completed"
    entries.append(_missed_appointment(message, now))


_RECIPES: Mapping[str, _Recipe] = {
    "interim": _Recipe(INTERIM, "Encounter", _interim),
    "rejected": _Recipe(INTERIM, "Encounter", _rejected),
    "revoked": _Recipe(INTERIM, "Encounter", _revoked),
    "full": _Recipe("bars-message-servicerequest-response-validation-full", "Encounter", _full),
    "safeguarding": _Recipe("bars-message-servicerequest-response-referral", "ServiceRequest", _safeguarding),
}


def _referral_category(message: Message) -> Resource:
    """Category referral with the request's use case, 111 to ED where the request was no referral."""
    if message.kind == "new referral":
        return dict(message.focus["category"][0])
    return {"coding": [shapes.coding(shapes.CATEGORY, "referral"), shapes.coding(shapes.USE_CASES, "a1t1")]}


def _missed_appointment(message: Message, now: datetime) -> Entry:
    """An Appointment of an hour ago to which nobody came."""
    patient = [each for each in message.bundle["entry"] if _kind(each) == "Patient"]
    start = now - timedelta(hours=1)
    identity = str(uuid4())
    content = shapes.resource(
        "Appointment",
        identity,
        now,
        status="noshow",
        start=stamp(start),
        end=stamp(start + timedelta(minutes=10)),
        created=stamp(start),
        participant=[{"actor": {"reference": each["fullUrl"]}, "status": "accepted"} for each in patient],
    )
    return {"fullUrl": f"urn:uuid:{uuid4()}", "resource": content}


def _header(message: Message, recipe: _Recipe, focus: str, now: datetime) -> Resource:
    """From the request's receiver to its sender: addresses and organisations change places."""
    destination = first(message.header.get("destination"))
    header = shapes.resource(
        "MessageHeader",
        str(uuid4()),
        now,
        eventCoding=shapes.coding(EVENTS, "servicerequest-response"),
        destination=[{"endpoint": reply_address(message), "receiver": message.header.get("sender", {})}],
        sender=destination.get("receiver", {}),
        source=SOFTWARE | {"endpoint": str(destination.get("endpoint")) if destination else ""},
        reason={"coding": [shapes.coding(REASONS, "new")]},
        response={"identifier": str(message.bundle.get("id")), "code": "ok"},
        focus=[{"reference": focus}],
        definition=DEFINITION_BASE + recipe.definition,
    )
    header["meta"]["profile"] = [RESPONSE_HEADER]
    return header


def _touch(entry: Entry, now: datetime, profile: str | None = None) -> None:
    meta = entry["resource"].setdefault("meta", {})
    meta["lastUpdated"] = stamp(now)
    if profile:
        meta["profile"] = [profile]


def _without_dangling(value: Any, known: set[str]) -> Any:
    """The content without references to entries that were left out, and without what that empties."""
    if isinstance(value, list):
        return [each for each in (_without_dangling(one, known) for one in value) if each not in _EMPTY]
    if not isinstance(value, dict):
        return value
    reference = str(value.get("reference", ""))
    if reference.startswith("urn:uuid:") and reference not in known:
        return {}
    pairs = ((name, _without_dangling(one, known)) for name, one in value.items())
    return {name: one for name, one in pairs if one not in _EMPTY}
