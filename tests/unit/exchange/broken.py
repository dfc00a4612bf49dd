"""Sound messages, each broken once: the fault that was made, and how an explanation must name it."""

from dataclasses import dataclass, field
from uuid import UUID

from bars_portal.exchange.explaining.explain import Letter, Party
from bars_portal.exchange.fhir import json
from tests.integration.exchange.calling import FHIR, encoded, organisation, target
from tests.unit.exchange_fhir.changes import (
    because,
    category,
    destination,
    event,
    flagged,
    full_url,
    on_bundle,
    on_focus,
    on_header,
    planned,
    seen,
    versioned,
)
from tests.unit.exchange_fhir.factory import Change, Json, coded, contact, nhs_number, phone, ref
from tests.unit.exchange_fhir.samples import SAMPLES, having

SENDER, PROXY, US = Party.SENDER, Party.PROXY, Party.US
HEADERS = {
    "X-Request-ID": str(UUID(int=1)),
    "X-Correlation-ID": str(UUID(int=2)),
    "NHSD-Target-Identifier": target(),
    "NHSD-End-User-Organisation": organisation(),
    "Content-Type": FHIR,
    "Accept": f"{FHIR}; version=1.1.0",
}


@dataclass(frozen=True)
class Broken:
    """`says` must be in the words of the finding, `shows` in the marked lines of the place."""

    fault: str
    rule: str
    says: str
    shows: str
    party: Party = SENDER
    kind: str = "booking-new"
    change: Change = lambda raw: None
    headers: dict[str, str | None] = field(default_factory=dict)
    body: bytes | None = None

    def letter(self) -> Letter:
        raw = SAMPLES[self.kind]()
        self.change(raw)
        headers = {name: value for name, value in (HEADERS | self.headers).items() if value is not None}
        return Letter(self.body if self.body is not None else json.dumps(raw), headers)


def without_slot(raw: Json) -> None:
    raw["entry"] = [each for each in raw["entry"] if each["resource"]["resourceType"] != "Slot"]


def twice_named(raw: Json) -> bytes:
    return json.dumps(raw).replace(b'"type":"message"', b'"type":"message","type":"message"')


NOWHERE = "https://fhir.nhs.uk/Id/dos-service-id|2000011147"
USE_CASE = coded("usecases-categories-bars", "a1t1")
SOMEBODY = {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990548617"}}

BROKEN = [
    # Headers.
    Broken(
        "no request id", "request-ids", "X-Request-ID is missing", "missing", headers={"X-Request-ID": None}
    ),
    Broken(
        "odd id", "request-ids", "X-Correlation-ID is not a UUID", "•••", headers={"X-Correlation-ID": "7"}
    ),
    Broken(
        "target not in base64",
        "nhsd-headers",
        "NHSD-Target-Identifier is not the base64",
        "no base64",
        headers={"NHSD-Target-Identifier": "{}"},
    ),
    Broken(
        "organisation without a code",
        "nhsd-headers",
        "NHSD-End-User-Organisation is not the base64",
        "resourceType",
        headers={"NHSD-End-User-Organisation": encoded({"resourceType": "Organization"})},
    ),
    Broken(
        "version 9", "answer-format", "not served", "version=9", headers={"Accept": f"{FHIR}; version=9.0.0"}
    ),
    Broken(
        "plain text",
        "body-format",
        "Content-Type must be",
        "text/plain",
        headers={"Content-Type": "text/plain"},
    ),
    Broken("no gzip", "body-format", "no complete gzip stream", "", headers={"Content-Encoding": "gzip"}),
    # The bytes.
    Broken("half a message", "well-formed", "not well-formed JSON", "", body=b'{"resourceType": "Bundle"'),
    Broken("a list", "well-formed", "not a JSON object", "", body=b"[]"),
    Broken(
        "a name twice",
        "well-formed",
        "Bundle.type has the same name twice",
        "type",
        body=twice_named(SAMPLES["booking-new"]()),
    ),
    # The structure of FHIR.
    Broken("empty list", "structure", "slot", "slot", change=on_focus("slot", [])),
    Broken(
        "text for number",
        "structure",
        "minutesDuration",
        "minutesDuration",
        change=on_focus("minutesDuration", "twenty"),
    ),
    Broken(
        "unknown element",
        "structure",
        "has an element that FHIR R4 does not know",
        '"•••": "•••"',
        change=on_focus("SECRET", "red"),
    ),
    # The envelope.
    Broken(
        "a collection",
        "bundle-type",
        "Bundle.type is not message",
        "collection",
        change=on_bundle("type", "collection"),
    ),
    Broken(
        "version 2 of the standard",
        "version",
        "not a version that is supported",
        "2.0.0",
        change=versioned("2.0.0"),
    ),
    Broken(
        "no Bundle.id", "bundle-id", "Bundle.id is missing", "id is missing", change=on_bundle("id", None)
    ),
    Broken(
        "header last",
        "header-first",
        "first entry of a message is not its MessageHeader",
        "Organization",
        change=lambda raw: raw["entry"].reverse(),
    ),
    Broken(
        "no timestamp",
        "bundle-stamps",
        "Bundle.timestamp is missing",
        "timestamp is missing",
        change=on_bundle("timestamp", None),
    ),
    Broken(
        "answers nothing",
        "response-answers",
        "no MessageHeader.response",
        "response is missing",
        kind="validation-full",
        change=on_header("response", None),
    ),
    # What kind of message it is.
    Broken("strange event", "event-known", "eventCoding", "booking-wish", change=event("booking-wish")),
    Broken("strange reason", "reason-known", "reason", "whim", change=because("whim")),
    Broken(
        "focus elsewhere", "focus-resolves", "focus", "000000000077", change=on_header("focus", [ref(77)])
    ),
    Broken(
        "a delete of what begins",
        "workflow",
        "not a message that is taken",
        "delete",
        change=because("delete"),
    ),
    Broken(
        "an open care plan",
        "workflow-states",
        "CarePlan.status is not completed",
        "active",
        kind="referral-new",
        change=planned("active"),
    ),
    Broken(
        "an Encounter in progress",
        "workflow-states",
        "Encounter.status is not",
        "in-progress",
        kind="referral-new",
        change=seen("in-progress"),
    ),
    # For whom it is.
    Broken(
        "a service not ours",
        "destination-hosted",
        "not a service of this receiver",
        "2000011147",
        PROXY,
        change=destination(endpoint=NOWHERE),
        headers={"NHSD-Target-Identifier": target("2000011147")},
    ),
    Broken(
        "header and body disagree",
        "destination-hosted",
        "not a service of this receiver",
        "2000011147",
        change=destination(endpoint=NOWHERE),
    ),
    Broken(
        "receiver not there",
        "receiver-resolves",
        "points at nothing",
        "000000000077",
        change=destination(receiver=ref(77)),
    ),
    Broken(
        "no use case",
        "use-case",
        "no coding of usecases-categories-bars",
        "serviceCategory",
        change=on_focus("serviceCategory", [coded("service-category", "8")]),
    ),
    Broken(
        "two use cases",
        "one-use-case",
        "more than one use case",
        "a1t2",
        kind="referral-new",
        change=category(
            coded("message-category-servicerequest", "referral"),
            USE_CASE,
            coded("usecases-categories-bars", "a1t2"),
        ),
    ),
    # What it holds.
    Broken(
        "another definition",
        "definition-fits",
        "definition",
        "bars-message-servicerequest-request-referral",
        change=on_header(
            "definition", "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request-referral"
        ),
    ),
    Broken("no slot", "counts", "Slot", "Slot", change=without_slot),
    Broken("no fullUrl", "full-urls", "fullUrl", "fullUrl", change=full_url(4, None)),
    Broken(
        "a dangling reference",
        "references",
        "points at nothing",
        "000000000078",
        change=having("Schedule", "actor", [ref(78)]),
    ),
    # The patient and the case.
    Broken(
        "nobody to call back",
        "contact-call-back",
        "rank 1",
        "contact",
        change=having("Patient", "contact", [contact(2, phone("07700900123"))]),
    ),
    Broken(
        "a letter for a gender",
        "gender",
        "not a code of administrative-gender",
        "gender",
        change=having("Patient", "gender", "F"),
    ),
    Broken(
        "about somebody else",
        "about-the-patient",
        "somebody else",
        "identifier",
        kind="referral-new",
        change=flagged(SOMEBODY),
    ),
    Broken(
        "ends before it starts",
        "appointment-times",
        "end",
        "2030-03-01T08:00:00",
        change=on_focus("end", "2030-03-01T08:00:00+00:00"),
    ),
    Broken(
        "a consent for research",
        "consent",
        "direct care",
        "RESEARCH",
        kind="referral-new",
        change=having("Consent", "category", [coded("consent-categories-bars", "RESEARCH")]),
    ),
    Broken(
        "no breach time",
        "breach-time",
        "occurrencePeriod",
        "occurrencePeriod",
        kind="validation-new",
        change=having("ServiceRequest", "occurrencePeriod", None),
    ),
    # Only noted.
    Broken(
        "a cancel that is new",
        "cancel-reason",
        "reason",
        "new",
        kind="booking-cancelled",
        change=because("new"),
    ),
    Broken(
        "a wrong NHS number",
        "nhs-number",
        "NHS number",
        "identifier",
        change=having("Patient", "identifier", [nhs_number("9990548608")]),
    ),
    Broken(
        "no sender",
        "sender",
        "does not say who sent it",
        "sender is missing",
        change=on_header("sender", None),
    ),
]
