"""The synchronous answer to a message: the sender's Bundle with TKW's ids. Source: standard.md section 5."""

from copy import deepcopy
from datetime import datetime

from bars_portal.simulator.reading import Resource
from bars_portal.simulator.tkw import shapes
from bars_portal.simulator.tkw.messages import Message, resources
from bars_portal.simulator.tkw.tables import scenarios

CASE_NUMBERS = "https://tkw.simulator.invalid/Id/case-number"
OWN_IDS = frozenset(row.gives for row in scenarios() if row.request.startswith("new") and row.gives)


def acknowledge(message: Message, *, gives: str, now: datetime) -> Resource:
    """Same Bundle.id, the focus with the id `gives` (its own when empty), the slot busy, ids where none were.

    A new referral or validation gets TKW's own planned Encounter with a reference that people can read out.
    """
    bundle = deepcopy(message.bundle)
    _name_focus(bundle, message, gives)
    for entry in bundle["entry"]:
        content = entry["resource"]
        content.setdefault("id", shapes.stable_id("received", str(entry.get("fullUrl"))))
        if content["resourceType"] == "Slot":
            content["status"] = "busy"
    if message.kind in {"new referral", "new validation"}:
        bundle["entry"].append(planned_encounter(message, now))
    meta = bundle["meta"] if isinstance(bundle.get("meta"), dict) else {}
    stamp = now.isoformat(timespec="seconds")
    return {**bundle, "meta": {**meta, "lastUpdated": stamp}, "timestamp": stamp}


def id_for(message: Message, gives: str) -> str:
    """The id that a row gives; an update or a cancellation that names one of TKW's own ids keeps that one."""
    named = str(message.focus.get("id"))
    return named if message.kind.startswith(("update", "cancel")) and named in OWN_IDS else gives


def planned_encounter(message: Message, now: datetime, status: str = "planned") -> Resource:
    """The entry with TKW's Encounter for the message; the same address each time it is asked for."""
    subject = message.focus.get("subject")
    journey = [each["episodeOfCare"] for each in message.all("Encounter") if each.get("episodeOfCare")]
    identity = shapes.stable_id("Encounter", str(message.bundle.get("id")))
    content = shapes.resource(
        "Encounter",
        identity,
        now,
        identifier=[{"system": CASE_NUMBERS, "value": f"TKW-{identity[:8].upper()}"}],
        status=status,
        **{"class": _class_of(message)},
        **({"subject": subject} if subject else {}),
        **({"episodeOfCare": journey[0]} if journey else {}),
        period={"start": now.isoformat(timespec="seconds")},
    )
    return {"fullUrl": shapes.full_url("Encounter", str(message.bundle.get("id"))), "resource": content}


def _name_focus(bundle: Resource, message: Message, gives: str) -> None:
    (focus,) = (each for each in resources(bundle) if each["resourceType"] == message.focus["resourceType"])
    if gives:
        focus["id"] = gives


def _class_of(message: Message) -> Resource:
    classes = [each["class"] for each in message.all("Encounter") if isinstance(each.get("class"), dict)]
    emergency = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"}
    return classes[0] if classes else emergency
