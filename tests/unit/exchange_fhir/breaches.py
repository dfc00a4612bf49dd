"""Every rule broken once, with the message types that it applies to, the outcome and the FHIRPath."""

from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.rules import table

from .changes import (
    ANSWERS,
    ASKING_VALIDATION,
    BOOKINGS,
    CANCELS,
    EVERY,
    HEADER,
    REQUESTS,
    WITH_CONSENT,
    WITH_LOCATION,
    because,
    category,
    destination,
    event,
    flagged,
    full_url,
    on_bundle,
    on_focus,
    on_header,
    period,
    versioned,
)
from .factory import Change, Json, coded, contact, phone, ref, urn
from .samples import having

C = OutcomeCode

# A breach: rule, message types, change, outcome, FHIRPath with {Type} for the path of the first of a type.
Breach = tuple[str, frozenset[str], Change, OutcomeCode, str]


MESSAGE_CATEGORY = coded("message-category-servicerequest", "referral")
USE_CASE = coded("usecases-categories-bars", "a1t1")
NHS_NUMBERS = "https://fhir.nhs.uk/Id/nhs-number"
SOMEBODY_ELSE: list[Json] = [
    {"reference": "https://example.org/fhir/Patient/SECRET"},
    {"identifier": {"system": NHS_NUMBERS, "value": "9990548617"}},
    {"reference": "urn:oid:1.2.3", "display": "SECRET"},
    {"identifier": {"system": "https://example.org/Id", "value": "SECRET"}},
    {"reference": urn(2), "identifier": {"system": NHS_NUMBERS, "value": "9990548617"}},
]
UNKNOWN_SERVICE = "https://fhir.nhs.uk/Id/dos-service-id|2000011147"
START, END = "2030-03-01T09:00:00Z", "2030-03-01T09:20:00Z"

# What the structural gate sees first, and what it says: a message that gets past it breaks the rule.
MISSHAPEN: list[tuple[Breach, OutcomeCode, str]] = [
    (
        ("event-known", EVERY, on_header("eventCoding", None), C.INVARIANT, f"{HEADER}.eventCoding"),
        C.REQUIRED,
        f"{HEADER}.event",
    ),
    (
        ("entry-resource", EVERY, lambda raw: raw["entry"].insert(1, {}), C.REQUIRED, "Bundle.entry"),
        C.INVALID,
        "Bundle.entry[1]",
    ),
    (
        (
            "response-answers",
            ANSWERS,
            on_header("response", {"code": "ok"}),
            C.INVARIANT,
            f"{HEADER}.response.identifier",
        ),
        C.REQUIRED,
        f"{HEADER}.response.identifier",
    ),
    (
        (
            "destination-hosted",
            EVERY,
            destination(endpoint=None),
            C.REQUIRED,
            f"{HEADER}.destination[0].endpoint",
        ),
        C.REQUIRED,
        f"{HEADER}.destination[0].endpoint",
    ),
]

BREACHES: list[Breach] = [
    ("bundle-type", EVERY, on_bundle("type", "collection"), C.INVARIANT, "Bundle.type"),
    ("version", EVERY, versioned(None), C.INVARIANT, "Bundle.meta.versionId"),
    ("version", EVERY, versioned("2.0.0"), C.VERSION_NOT_SUPPORTED, "Bundle.meta.versionId"),
    ("bundle-id", EVERY, on_bundle("id", None), C.REQUIRED, "Bundle.id"),
    ("header-first", EVERY, lambda raw: raw["entry"].reverse(), C.INVARIANT, "Bundle.entry[0].resource"),
    (
        "entry-resource",
        EVERY,
        lambda raw: raw["entry"].append({"fullUrl": urn(60)}),
        C.REQUIRED,
        "Bundle.entry",
    ),
    ("bundle-stamps", EVERY, on_bundle("timestamp", None), C.REQUIRED, "Bundle.timestamp"),
    ("response-answers", ANSWERS, on_header("response", None), C.INVARIANT, f"{HEADER}.response"),
    ("event-known", EVERY, event("SECRET"), C.INVARIANT, f"{HEADER}.eventCoding"),
    (
        "reason-known",
        EVERY,
        on_header("reason", coded("message-reason-bars", "SECRET")),
        C.INVARIANT,
        f"{HEADER}.reason",
    ),
    ("reason-known", EVERY, on_header("reason", None), C.INVARIANT, f"{HEADER}.reason"),
    ("focus-resolves", EVERY, on_header("focus", None), C.REQUIRED, f"{HEADER}.focus"),
    ("focus-resolves", EVERY, on_header("focus", [ref(77)]), C.INVARIANT, f"{HEADER}.focus"),
    ("workflow", EVERY, on_focus("status", "unknown"), C.INVARIANT, f"{HEADER}.eventCoding"),
    (
        "workflow",
        EVERY - {"referral-entered-in-error", "validation-cancelled"} - (BOOKINGS & CANCELS),
        because("delete"),
        C.INVARIANT,
        f"{HEADER}.eventCoding",
    ),
    (
        "workflow",
        frozenset({"referral-entered-in-error", "validation-cancelled"}),
        because("new"),
        C.INVARIANT,
        f"{HEADER}.eventCoding",
    ),
    ("workflow", BOOKINGS, event("servicerequest-request"), C.INVARIANT, f"{HEADER}.eventCoding"),
    ("workflow", REQUESTS, event("booking-request"), C.INVARIANT, f"{HEADER}.eventCoding"),
    ("workflow", REQUESTS, category(USE_CASE), C.INVARIANT, f"{HEADER}.eventCoding"),
    (
        "destination-hosted",
        # A response may keep the destination of its request.
        EVERY - ANSWERS,
        destination(endpoint=UNKNOWN_SERVICE),
        C.NOT_FOUND,
        f"{HEADER}.destination[0].endpoint",
    ),
    (
        "destination-hosted",
        EVERY,
        destination(endpoint="https://example.org/SECRET"),
        C.VALUE,
        f"{HEADER}.destination[0].endpoint",
    ),
    (
        "receiver-resolves",
        EVERY,
        destination(receiver=None),
        C.REQUIRED,
        f"{HEADER}.destination[0].receiver",
    ),
    (
        "receiver-resolves",
        EVERY,
        destination(receiver=ref(77)),
        C.INVARIANT,
        f"{HEADER}.destination[0].receiver",
    ),
    ("full-urls", EVERY, full_url(2, urn(0)), C.INVARIANT, "Bundle.entry[2].fullUrl"),
    ("full-urls", EVERY, full_url(2, None), C.REQUIRED, "Bundle.entry[2].fullUrl"),
    ("full-urls", EVERY, full_url(2, "urn:uuid:SECRET"), C.VALUE, "Bundle.entry[2].fullUrl"),
    (
        "references",
        EVERY - CANCELS,
        having("Patient", "managingOrganization", ref(77)),
        C.INVARIANT,
        "{Patient}.managingOrganization.reference",
    ),
    (
        "references",
        REQUESTS - CANCELS,
        having("ServiceRequest", "subject", ref(77)),
        C.INVARIANT,
        "{ServiceRequest}.subject.reference",
    ),
    (
        "references",
        frozenset({"booking-new"}),
        having("Appointment", "participant", [{"actor": ref(77), "status": "accepted"}]),
        C.INVARIANT,
        "{Appointment}.participant[0].actor.reference",
    ),
    *(
        ("references", REQUESTS - CANCELS - ANSWERS, having("Encounter", name, value), C.INVARIANT, path)
        for name, value, path in (
            ("subject", ref(77), "{Encounter}.subject.reference"),
            ("episodeOfCare", [ref(77)], "{Encounter}.episodeOfCare[0].reference"),
        )
    ),
    (
        "references",
        WITH_CONSENT,
        flagged({"reference": "Patient/SECRET"}),
        C.INVARIANT,
        "{Flag}.subject.reference",
    ),
    *(
        ("about-the-patient", REQUESTS, having("ServiceRequest", "subject", somebody), C.INVARIANT, path)
        for path in ("{ServiceRequest}.subject",)
        for somebody in SOMEBODY_ELSE
    ),
    *(
        ("about-the-patient", ANSWERS, having("Encounter", "subject", somebody), C.INVARIANT, path)
        for path in ("{Encounter}.subject",)
        for somebody in SOMEBODY_ELSE[:2]
    ),
    *(
        (
            "about-the-patient",
            frozenset({"booking-new"}),
            having("Appointment", "participant", [{"actor": somebody, "status": "accepted"}]),
            C.INVARIANT,
            "{Appointment}.participant[0].actor",
        )
        for somebody in SOMEBODY_ELSE
    ),
    ("about-the-patient", WITH_CONSENT, flagged(SOMEBODY_ELSE[0]), C.INVARIANT, "{Flag}.subject"),
    (
        "about-the-patient",
        frozenset({"referral-new"}),
        # The Practitioner of the message.
        having("ServiceRequest", "subject", ref(7)),
        C.INVARIANT,
        "{ServiceRequest}.subject",
    ),
    ("contact-call-back", EVERY, having("Patient", "contact", None), C.INVARIANT, "{Patient}.contact"),
    (
        "contact-call-back",
        EVERY,
        having("Patient", "contact", [contact(1, phone("1")), contact(1, phone("2"))]),
        C.INVARIANT,
        "{Patient}.contact",
    ),
    (
        "contact-call-back",
        EVERY,
        having("Patient", "contact", [contact(1)]),
        C.INVARIANT,
        "{Patient}.contact.telecom",
    ),
    *(
        ("gender", EVERY - CANCELS, having("Patient", name, value), C.VALUE, f"{{Patient}}.{path}")
        for name, value, path in (
            ("gender", "F", "gender"),
            ("gender", "Female", "gender"),
            ("contact", [contact(1, phone("1")) | {"gender": "SECRET"}], "contact[0].gender"),
        )
    ),
    *(
        ("appointment-times", BOOKINGS, having("Appointment", name, value), code, f"{{Appointment}}.{path}")
        for name, value, code, path in (
            ("start", None, C.REQUIRED, "start"),
            ("end", None, C.REQUIRED, "end"),
            ("end", "2030-03-01T09:00:00Z", C.INVARIANT, "end"),
            ("end", "2030-03-01T09:30:00+01:00", C.INVARIANT, "end"),
        )
    ),
    *(
        ("appointment-slot", frozenset({"booking-new"}), change, code, path)
        for change, code, path in (
            (having("Appointment", "slot", None), C.REQUIRED, "{Appointment}.slot"),
            (having("Appointment", "slot", [ref(2)]), C.INVARIANT, "{Appointment}.slot"),
            (having("Slot", "id", None), C.REQUIRED, "{Slot}.id"),
            (having("Slot", "id", "SECRET"), C.VALUE, "{Slot}.id"),
        )
    ),
    (
        "consent",
        WITH_CONSENT,
        having("Consent", "category", [coded("consent-categories-bars", "RESEARCH")]),
        C.INVARIANT,
        "{Consent}.category",
    ),
    (
        "consent",
        WITH_CONSENT,
        having("Consent", "category", [coded("other", "DRC")]),
        C.INVARIANT,
        "{Consent}.category",
    ),
    (
        "definition-fits",
        BOOKINGS,
        on_header("definition", table.REFERRAL_NEW.definition),
        C.INVARIANT,
        f"{HEADER}.definition",
    ),
    (
        "definition-fits",
        REQUESTS,
        on_header("definition", table.BOOKING_NEW.definition),
        C.INVARIANT,
        f"{HEADER}.definition",
    ),
    (
        "definition-fits",
        frozenset({"validation-interim", "validation-rejected"}),
        on_header("definition", table.VALIDATION_FULL.definition),
        C.INVARIANT,
        f"{HEADER}.definition",
    ),
    (
        "use-case",
        BOOKINGS,
        having("Appointment", "serviceCategory", None),
        C.INVARIANT,
        "{Appointment}.serviceCategory",
    ),
    (
        "incident-location",
        WITH_LOCATION,
        having("Location", "extension", None),
        C.INVARIANT,
        "{Location}",
    ),
    (
        "breach-time",
        ASKING_VALIDATION,
        period(start=START),
        C.REQUIRED,
        "{ServiceRequest}.occurrencePeriod.end",
    ),
    (
        "breach-time",
        ASKING_VALIDATION,
        period(end=END),
        C.REQUIRED,
        "{ServiceRequest}.occurrencePeriod.start",
    ),
    (
        "breach-time",
        ASKING_VALIDATION,
        having("ServiceRequest", "occurrencePeriod", None),
        C.REQUIRED,
        "{ServiceRequest}.occurrencePeriod.start",
    ),
    (
        "breach-time",
        ASKING_VALIDATION,
        period(start=START, end="2030-03-01"),
        C.VALUE,
        "{ServiceRequest}.occurrencePeriod.end",
    ),
    (
        "breach-time",
        ASKING_VALIDATION,
        period(start=END, end=START),
        C.INVARIANT,
        "{ServiceRequest}.occurrencePeriod.end",
    ),
]
