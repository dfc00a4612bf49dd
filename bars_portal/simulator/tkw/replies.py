"""The responses that TKW sends later, built from the request that set them off.

Source: fhir/messages.md (messages at a glance: interim, full, did not attend); standard.md section 6.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from bars_portal.simulator.reading import Resource
from bars_portal.simulator.tkw import shapes
from bars_portal.simulator.tkw.acknowledging import planned_encounter
from bars_portal.simulator.tkw.definitions import DEFINITION_BASE, EVENTS, USE_CASES
from bars_portal.simulator.tkw.messages import Message, dicts
from bars_portal.simulator.tkw.records import CATEGORY
from bars_portal.simulator.tkw.tables import focuses

SOFTWARE = {"name": "NHS test services (TKW)", "software": "BaRS simulator", "version": "1.0.0"}
RESPONSE_HEADER = "https://fhir.nhs.uk/StructureDefinition/BARSMessageHeader-servicerequest-response"
REFERRAL_PROFILE = "https://fhir.nhs.uk/StructureDefinition/BARSServiceRequest-request-referral"
REASONS = "https://fhir.nhs.uk/CodeSystem/message-reason-bars"
Entry = dict[str, Any]


class NoReplyAddress(Exception):
    """The request does not say where a reply should go."""


@dataclass(frozen=True)
class _Recipe:
    """Which definition a reply follows, what its focus is, and how TKW's part comes about."""

    definition: str
    focus: str
    change: Callable[[list[Entry], Message, datetime], None]


def build_reply(kind: str, message: Message, *, now: datetime) -> Resource:
    """The reply (full, interim or safeguarding) as a message Bundle. Raises NoReplyAddress.

    It holds what its definition allows, from the request, with ids; references to the rest are left out.
    """
    recipe = _RECIPES[kind]
    entries = _kept(message, recipe.definition)
    recipe.change(entries, message, now)
    focus = [each for each in entries if each["resource"]["resourceType"] == recipe.focus][-1]
    header = _header(message, recipe, str(focus["fullUrl"]), now)
    entries.insert(0, {"fullUrl": f"urn:uuid:{uuid4()}", "resource": header})
    stamp = now.isoformat(timespec="seconds")
    bundle: Resource = {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "meta": {
            "versionId": str((message.bundle.get("meta") or {}).get("versionId", "1.1.0")),
            "lastUpdated": stamp,
            "profile": ["https://fhir.nhs.uk/StructureDefinition/BARSBundleMessage"],
        },
        "type": "message",
        "timestamp": stamp,
        "entry": entries,
    }
    whole: Resource = _without_dangling(bundle, {str(each["fullUrl"]) for each in entries})
    return whole


def reply_address(message: Message) -> str:
    """Where replies go: MessageHeader.source.endpoint, system|value. Raises NoReplyAddress."""
    source = message.header.get("source")
    endpoint = source.get("endpoint") if isinstance(source, dict) else None
    if not isinstance(endpoint, str) or not all(endpoint.rpartition("|")):
        raise NoReplyAddress
    return endpoint


def _kept(message: Message, definition: str) -> list[Entry]:
    """The request's entries that the definition allows, the header left out."""
    allowed = {row.resource for row in focuses(definition)} - {"MessageHeader"}
    entries = [deepcopy(each) for each in message.bundle["entry"] if _kind(each) in allowed]
    for each in entries:
        each["resource"].setdefault("id", shapes.stable_id("received", str(each.get("fullUrl"))))
    return entries


def _kind(entry: Entry) -> str:
    return str(entry["resource"]["resourceType"])


def _interim(entries: list[Entry], message: Message, now: datetime) -> None:
    entries.append(planned_encounter(message, now, "in-progress"))


def _full(entries: list[Entry], message: Message, now: datetime) -> None:
    encounter = planned_encounter(message, now, "finished")
    entries.append(encounter)
    stamp = now.isoformat(timespec="seconds")
    outcome = {"text": "Assessed by the simulated service: hear and treat, no ambulance needed."}
    for each in entries:
        if _kind(each) == "CarePlan":
            each["resource"] |= {
                "status": "completed",
                "encounter": {"reference": encounter["fullUrl"]},
                "period": {"start": stamp},
                "activity": [{"outcomeCodeableConcept": [outcome]}],
            }
            _touch(each, now)


def _safeguarding(entries: list[Entry], message: Message, now: datetime) -> None:
    for each in entries:
        if _kind(each) == "ServiceRequest":
            each["resource"] |= {"status": "revoked", "category": [_referral_category(message)]}
            # The referral profile asks for it, the validation's does not.
            each["resource"].setdefault("authoredOn", now.isoformat(timespec="seconds"))
            _touch(each, now, REFERRAL_PROFILE)
        if _kind(each) == "CarePlan":
            each["resource"]["status"] = "completed"
    entries.append(_missed_appointment(message, now))


_RECIPES: Mapping[str, _Recipe] = {
    "interim": _Recipe("bars-message-servicerequest-response-validation-interim", "Encounter", _interim),
    "full": _Recipe("bars-message-servicerequest-response-validation-full", "Encounter", _full),
    "safeguarding": _Recipe("bars-message-servicerequest-response-referral", "ServiceRequest", _safeguarding),
}


def _referral_category(message: Message) -> Resource:
    """Category referral with the request's use case, 111 to ED where the request was no referral."""
    use_case = "a1t1"
    if message.kind == "new referral":
        return dict(message.focus["category"][0])
    return {"coding": [{"system": CATEGORY, "code": "referral"}, {"system": USE_CASES, "code": use_case}]}


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
        start=start.isoformat(timespec="seconds"),
        end=(start + timedelta(minutes=10)).isoformat(timespec="seconds"),
        created=start.isoformat(timespec="seconds"),
        participant=[{"actor": {"reference": each["fullUrl"]}, "status": "accepted"} for each in patient],
    )
    return {"fullUrl": f"urn:uuid:{uuid4()}", "resource": content}


def _header(message: Message, recipe: _Recipe, focus: str, now: datetime) -> Resource:
    """From the request's receiver to its sender: addresses and organisations change places."""
    destination = dicts(message.header.get("destination"))[:1]
    header = shapes.resource(
        "MessageHeader",
        str(uuid4()),
        now,
        eventCoding={"system": EVENTS, "code": "servicerequest-response"},
        destination=[
            {"endpoint": reply_address(message), "receiver": message.header.get("sender", {})},
        ],
        sender=destination[0].get("receiver", {}) if destination else {},
        source=SOFTWARE | {"endpoint": str(destination[0].get("endpoint")) if destination else ""},
        reason={"coding": [{"system": REASONS, "code": "new"}]},
        response={"identifier": str(message.bundle.get("id")), "code": "ok"},
        focus=[{"reference": focus}],
        definition=DEFINITION_BASE + recipe.definition,
    )
    header["meta"]["profile"] = [RESPONSE_HEADER]
    return header


def _touch(entry: Entry, now: datetime, profile: str | None = None) -> None:
    meta = entry["resource"].setdefault("meta", {})
    meta["lastUpdated"] = now.isoformat(timespec="seconds")
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


_EMPTY: tuple[Any, ...] = ({}, [])
