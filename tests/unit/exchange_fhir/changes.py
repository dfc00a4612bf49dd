"""Ways of breaking a sound message, and the groups of message types that they are tried on."""

from copy import deepcopy

from bars_portal.exchange.fhir.rules import table

from .factory import Change, Json, coded, put, ref, urn
from .samples import HUB, SAMPLES, having, nth, place

HEADER = "Bundle.entry[0].resource"
EVERY = frozenset(SAMPLES)
BOOKINGS = frozenset(key for key in EVERY if key.startswith("booking"))
CANCELS = frozenset(key for key in EVERY if table.row(key).is_stripped)
ANSWERS = frozenset(key for key in EVERY if table.row(key).answers)
REQUESTS = EVERY - BOOKINGS
WITH_CONSENT = frozenset(
    {"referral-new", "referral-update", "validation-new", "validation-update", "validation-full"}
) | {"referral-did-not-attend"}
ASKING_VALIDATION = frozenset({"validation-new", "validation-update"})
WITH_LOCATION = ASKING_VALIDATION | {"validation-full"}
FOCUS = {key: table.row(key).focus_type for key in EVERY}


def on_bundle(name: str, value: object) -> Change:
    return put(-1, name, value)


def on_header(name: str, value: object) -> Change:
    return having("MessageHeader", name, value)


def versioned(version: str | None) -> Change:
    stamp = {"lastUpdated": "2030-02-01T10:00:00Z"}
    return on_bundle("meta", stamp | ({"versionId": version} if version else {}))


def destination(**parts: object) -> Change:
    """The destination with other parts; None leaves one out. Receivers stand at different places."""

    def change(raw: Json) -> None:
        (there,) = nth(raw, "MessageHeader")["destination"]
        given = {"endpoint": HUB.service_id.token, "receiver": there["receiver"]} | parts
        on_header("destination", [{name: value for name, value in given.items() if value}])(raw)

    return change


def event(code: str) -> Change:
    return on_header("eventCoding", coded("message-events-bars", code)["coding"][0])


def because(reason: str) -> Change:
    return on_header("reason", coded("message-reason-bars", reason))


def full_url(at: int, url: str | None) -> Change:
    def change(raw: Json) -> None:
        raw["entry"][at] = {"resource": raw["entry"][at]["resource"]} | ({"fullUrl": url} if url else {})

    return change


def on_focus(name: str, value: object) -> Change:
    def change(raw: Json) -> None:
        url = nth(raw, "MessageHeader")["focus"][0]["reference"]
        (focus,) = [each["resource"] for each in raw["entry"] if each["fullUrl"] == url]
        focus[name] = value

    return change


def category(*concepts: Json) -> Change:
    return having("ServiceRequest", "category", list(concepts))


def period(**parts: str) -> Change:
    return having("ServiceRequest", "occurrencePeriod", parts)


def flagged(subject: Json) -> Change:
    """One more Flag, about whoever is named."""
    flag = {"resourceType": "Flag", "status": "active", "code": {"text": "Dog"}, "subject": subject}
    return lambda raw: raw["entry"].append({"fullUrl": urn(45), "resource": flag})


def seen(status: str, number: int = 0) -> Change:
    return having("Encounter", "status", status, number)


def planned(status: str) -> Change:
    return having("CarePlan", "status", status)


def for_cad(*changes: Change) -> Change:
    """Turns a sound clinical referral into a sound one of Application 6, then breaks it."""

    def change(raw: Json) -> None:
        nth(raw, "ServiceRequest")["category"][0]["coding"][1]["code"] = "a6t1"
        planned("active")(raw)
        for each in changes:
            each(raw)

    return change


def revoked_but(raw: Json, status: str) -> None:
    having("ServiceRequest", "status", "revoked")(raw)
    seen(status, 1)(raw)


def without(raw: Json, kind: str, number: int) -> None:
    """Drops the last ones of a type."""
    for _ in range(number):
        last = max(at for at, each in enumerate(raw["entry"]) if each["resource"]["resourceType"] == kind)
        del raw["entry"][last]


def more(raw: Json, kind: str, number: int) -> None:
    """Adds copies of the first of a type, or of one with little in it."""
    like = [each["resource"] for each in raw["entry"] if each["resource"]["resourceType"] == kind]
    # What FHIR itself asks for.
    bare = {"ServiceRequest": {"status": "active", "intent": "plan", "subject": ref(0)}}
    for at in range(number):
        copy = deepcopy(like[0]) if like else {"resourceType": kind} | bare.get(kind, {})
        raw["entry"].append({"fullUrl": urn(40 + at), "resource": copy})


_NAMES = (
    *("Patient", "ServiceRequest", "CarePlan", "Consent", "Location", "Appointment", "Encounter"),
    *("Organization", "HealthcareService", "Slot", "Basic", "Flag"),
)


def paths_in(raw: Json, template: str) -> str:
    """The template with the paths of this message."""
    for name in _NAMES:
        if f"{{{name}}}" in template:
            template = template.replace(f"{{{name}}}", place(raw, name))
    return template.replace("{Encounter2}", place(raw, "Encounter", 1)) if "{" in template else template
