"""A message as TKW takes it: what it asks for, what a row demands of it, its synchronous answer.

Source: standard.md sections 5 and 6.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime

from bars_portal.simulator.fhir import Resource, child, dicts, first, is_usable_id, resources, stamp
from bars_portal.simulator.tkw import shapes
from bars_portal.simulator.tkw.tables import ReceiverError, Rejected, scenarios

CATEGORY = "https://fhir.nhs.uk/codesystem/message-category-servicerequest"
USE_CASES = "https://fhir.nhs.uk/codesystem/usecases-categories-bars"
NHS_NUMBER = "https://fhir.nhs.uk/id/nhs-number"
FINISHED = frozenset({"cancelled", "revoked", "entered-in-error"})
CURRENT = frozenset({"active", "on-hold"})
CASE_NUMBERS = "https://tkw.simulator.invalid/Id/case-number"
OWN_IDS = frozenset(row.gives for row in scenarios() if row.request.startswith("new") and row.gives)
OUT_OF_AREA = frozenset({"a6t1", "a6t2", "a6t3"})
ENCOUNTERS = frozenset({"triaged", "in-progress", "finished"})


@dataclass(frozen=True)
class Message:
    """A message Bundle, understood. `kind` is a request of the tables, such as "new booking"."""

    bundle: Resource = field(repr=False)
    kind: str
    header: Resource = field(repr=False)
    focus: Resource = field(repr=False)
    nhs_numbers: frozenset[str] = field(repr=False)

    @property
    def facts(self) -> dict[str, Iterable[str]]:
        """The sentinels that the body shows; a patient without number shows exactly that."""
        if not self.nhs_numbers:
            return {"no-nhs-number": ("",)}
        return {"patient": self.nhs_numbers}

    def all(self, kind: str) -> list[Resource]:
        """The resources of a type."""
        return [each for each in resources(self.bundle) if each.get("resourceType") == kind]


def understand(bundle: Resource) -> Message:
    """The message in a Bundle. Raises Rejected."""
    kinds = [each.get("resourceType") for each in resources(bundle)]
    if not isinstance(bundle.get("entry"), list) or len(kinds) != len(bundle["entry"]) or None in kinds:
        raise Rejected(ReceiverError.BAD_BODY)
    if bundle.get("type") != "message" or kinds.count("MessageHeader") != 1 or kinds.count("Patient") > 1:
        raise Rejected(ReceiverError.BAD_BODY)
    header = resources(bundle)[kinds.index("MessageHeader")]
    wanted = "Appointment" if _event(header) == "booking-request" else "ServiceRequest"
    if kinds.count(wanted) != 1:
        raise Rejected(ReceiverError.BAD_BODY)
    focus = resources(bundle)[kinds.index(wanted)]
    return Message(bundle, _kind(bundle, header, focus), header, focus, _nhs_numbers(bundle))


def codes(concepts: object, system: str) -> set[str]:
    """The codes of one system, ignoring its case, in a list of CodeableConcepts."""
    found = [coding for concept in dicts(concepts) for coding in dicts(concept.get("coding"))]
    return {str(each.get("code")) for each in found if str(each.get("system")).lower() == system}


def _kind(bundle: Resource, header: Resource, focus: Resource) -> str:
    status, reason = str(focus.get("status")), _reason(header)
    match _event(header):
        case "booking-request":
            return _booking(status)
        case "servicerequest-request":
            return _request(status, reason, focus, str(header.get("definition")))
        case "servicerequest-response":
            return _response(bundle, header, focus)
    raise Rejected(ReceiverError.BAD_WORKFLOW)


def _booking(status: str) -> str:
    if status in FINISHED - {"revoked"}:
        return "cancel booking"
    if status != "booked":
        raise Rejected(ReceiverError.BAD_WORKFLOW)
    return "new booking"


def _request(status: str, reason: str, focus: Resource, definition: str) -> str:
    category = _category(focus)
    if status in FINISHED - {"cancelled"}:
        # The published revocation is of category validation and serves referrals too: the definition tells.
        return "cancel validation" if definition.endswith("request-validation") else "cancel referral"
    if status not in CURRENT or reason not in {"new", "update"}:
        raise Rejected(ReceiverError.BAD_WORKFLOW)
    return f"{reason} {category}"


def _response(bundle: Resource, header: Resource, focus: Resource) -> str:
    if not isinstance(header.get("response"), dict):
        raise Rejected(ReceiverError.BAD_WORKFLOW)
    if _category(focus) == "referral":
        return "referral response"
    statuses = {each.get("status") for each in resources(bundle) if each.get("resourceType") == "Encounter"}
    return f"{'full' if 'finished' in statuses else 'interim'} validation response"


def _category(focus: Resource) -> str:
    named = codes(focus.get("category"), CATEGORY) & {"referral", "validation"}
    if len(named) != 1:
        raise Rejected(ReceiverError.BAD_WORKFLOW)
    return named.pop()


def _event(header: Resource) -> str:
    return str(child(header.get("eventCoding")).get("code"))


def _reason(header: Resource) -> str:
    return str(first(child(header.get("reason")).get("coding")).get("code"))


def _nhs_numbers(bundle: Resource) -> frozenset[str]:
    patients = [each for each in resources(bundle) if each.get("resourceType") == "Patient"]
    identifiers = [each for patient in patients for each in dicts(patient.get("identifier"))]
    return frozenset(
        str(each.get("value"))
        for each in identifiers
        if each.get("value") and str(each.get("system")).lower() == NHS_NUMBER
    )


def check(name: str, message: Message) -> None:
    """Applies the check of that name; "" is none. Raises Rejected."""
    if name:
        _CHECKS[name](message)


def check_content(message: Message) -> None:
    """What every service asks of a message (standard.md section 12). Raises Rejected."""
    if message.kind in {"new validation", "update validation"}:
        for each in message.all("Location"):
            ways = _ways_of(each)
            if len(ways) != 1 and not ways >= {"UPRN", "address"}:
                raise Rejected(ReceiverError.NOT_ONE_PLACE)
    if message.kind == "cancel booking":
        actors = [child(each.get("actor")) for each in dicts(message.focus.get("participant"))]
        if any(each.get("reference") not in {None, *_patients(message)} for each in actors):
            raise Rejected(ReceiverError.UNPROCESSABLE)


def _patients(message: Message) -> set[str]:
    """What a reference to the patient may say."""
    found = [each for each in message.bundle["entry"] if each["resource"]["resourceType"] == "Patient"]
    urls = {str(each.get("fullUrl")) for each in found}
    ids = {str(each["resource"].get("id")) for each in found} | {
        url.removeprefix("urn:uuid:") for url in urls
    }
    return urls | {f"Patient/{each}" for each in ids}


def _ways_of(location: Resource) -> set[str]:
    """UPRN, address, grid, what3words, position: those in which it says where."""
    extensions = [part for each in dicts(location.get("extension")) for part in dicts(each.get("extension"))]
    parts = {str(each.get("url")) for each in extensions if each.get("valueString")}
    ways = parts & {"UPRN", "what3words"} | {"grid" for _ in parts & {"eastings", "northings"}}
    return ways | {name for name in ("address", "position") if child(location.get(name))}


def _application_6(message: Message) -> None:
    plans = {each.get("status") for each in message.all("CarePlan")}
    fulfilled = (
        codes(message.focus.get("category"), USE_CASES) & OUT_OF_AREA
        and plans == {"active"}
        and any(_is_emergency(each) for each in message.all("Encounter"))
    )
    if not fulfilled:
        raise Rejected(ReceiverError.NOT_OUT_OF_AREA)


def _is_emergency(encounter: Resource) -> bool:
    return child(encounter.get("class")).get("code") == "EMER" and encounter.get("status") in ENCOUNTERS


_CHECKS: Mapping[str, Callable[[Message], None]] = {"application-6": _application_6}


def acknowledge(message: Message, *, gives: str, now: datetime) -> Resource:
    """Same Bundle.id, the focus with the id `gives` (its own when empty), the slot busy, ids where none were.

    A new referral or validation gets TKW's own planned Encounter with a reference that people can read out.
    """
    bundle = deepcopy(message.bundle)
    if gives:
        kind = message.focus["resourceType"]
        next(each for each in resources(bundle) if each["resourceType"] == kind)["id"] = gives
    for entry in bundle["entry"]:
        content = entry["resource"]
        name_it(content, str(entry.get("fullUrl")))
        if content["resourceType"] == "Slot":
            content["status"] = "busy"
    if message.kind in {"new referral", "new validation"}:
        bundle["entry"].append(planned_encounter(message, now))
    moment = stamp(now)
    return {**bundle, "meta": {**child(bundle.get("meta")), "lastUpdated": moment}, "timestamp": moment}


def name_it(content: Resource, url: str) -> None:
    """TKW's own id for what has none that can be used (standard.md section 12, "Ids")."""
    if not is_usable_id(content.get("id")):
        content["id"] = shapes.stable_id("received", url)


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
        period={"start": stamp(now)},
    )
    return {"fullUrl": shapes.full_url("Encounter", str(message.bundle.get("id"))), "resource": content}


def _class_of(message: Message) -> Resource:
    classes = [each["class"] for each in message.all("Encounter") if isinstance(each.get("class"), dict)]
    return (
        classes[0] if classes else shapes.coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "EMER")
    )
