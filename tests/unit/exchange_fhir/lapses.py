"""What is only recorded: lapses, mostly of official examples, with message types and FHIRPath."""

from bars_portal.exchange.fhir.outcomes import OutcomeCode

from .changes import (
    ANSWERS,
    CANCELS,
    EVERY,
    HEADER,
    REQUESTS,
    WITH_CONSENT,
    because,
    more,
    on_header,
)
from .factory import Change, coded, contact, nhs_number, phone, ref, urn
from .samples import ODS, encounter, having, nth, rejected

C = OutcomeCode

BASIC = {"code": {"text": "SECRET"}}
TRIAGE_OUTCOME = [coded("message-reason-encounter", "validation-triage-outcome")]
HTTP_SERVICE = [{"system": "http://fhir.nhs.uk/Id/dos-service-id", "value": "1"}]

LAPSES: list[tuple[str, frozenset[str], Change, str]] = [
    (
        "journey",
        REQUESTS - CANCELS,
        having("Encounter", "episodeOfCare", None),
        "{Encounter}.episodeOfCare",
    ),
    (
        "journey",
        REQUESTS - CANCELS,
        having("Encounter", "episodeOfCare", [{"reference": "EpisodeOfCare/SECRET"}]),
        "{Encounter}.episodeOfCare",
    ),
    (
        "journey",
        ANSWERS - {"referral-did-not-attend"},
        having("Encounter", "episodeOfCare", [{"reference": f"EpisodeOfCare/{urn(9)[9:]}"}], 1),
        "{Encounter2}.episodeOfCare",
    ),
    ("gender", CANCELS, having("Patient", "gender", "SECRET"), "{Patient}.gender"),
    (
        "references",
        REQUESTS - CANCELS,
        having("Encounter", "location", [{"location": ref(77)}]),
        "{Encounter}.location[0].location.reference",
    ),
    ("references", ANSWERS, having("Encounter", "subject", ref(77)), "{Encounter}.subject.reference"),
    (
        "references",
        ANSWERS,
        having("Encounter", "episodeOfCare", [{"reference": "EpisodeOfCare/no id"}]),
        "{Encounter}.episodeOfCare[0].reference",
    ),
    (
        "counts",
        frozenset({"referral-update", "validation-update"}),
        lambda raw: more(raw, "Encounter", 1),
        "Bundle.entry.resource.ofType(Encounter)",
    ),
    (
        "counts",
        frozenset({"referral-new", "validation-new"}),
        lambda raw: raw["entry"].append({"fullUrl": urn(40), "resource": encounter("planned")}),
        "Bundle.entry.resource.ofType(Encounter)",
    ),
    (
        "definition-fits",
        frozenset({"cad-response", "cad-rejection"}),
        on_header(
            "definition",
            "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request-response-short",
        ),
        f"{HEADER}.definition",
    ),
    ("definition-fits", CANCELS, on_header("definition", None), f"{HEADER}.definition"),
    (
        "codes",
        frozenset({"validation-rejected", "cad-rejection"}),
        having("Encounter", "reasonCode", rejected("FC")["reasonCode"], 1),
        "{Encounter2}.reasonCode[0].coding[0].code",
    ),
    (
        "codes",
        frozenset({"validation-interim", "validation-full"}),
        having("Encounter", "reasonCode", TRIAGE_OUTCOME, 1),
        "{Encounter2}.reasonCode[0].coding[0].code",
    ),
    (
        "displays",
        REQUESTS,
        lambda raw: nth(raw, "ServiceRequest")["category"][0]["coding"][1].update(display="SECRET"),
        "{ServiceRequest}.category[0].coding[1].display",
    ),
    (
        "identifier-system",
        EVERY,
        having("Organization", "identifier", [{"system": ODS.replace("/Id/", "/id/"), "value": "RR8"}]),
        "{Organization}.identifier",
    ),
    (
        "identifier-system",
        WITH_CONSENT,
        having(
            "HealthcareService",
            "identifier",
            HTTP_SERVICE,
        ),
        "{HealthcareService}.identifier",
    ),
    ("sender", EVERY, on_header("sender", None), f"{HEADER}.sender"),
    ("source-service", EVERY, on_header("source", {"endpoint": "SECRET"}), f"{HEADER}.source.endpoint"),
    (
        "cancel-reason",
        frozenset({"booking-cancelled", "booking-entered-in-error"}),
        because("new"),
        f"{HEADER}.reason",
    ),
    (
        "incident-location",
        frozenset({"referral-new", "referral-update"}),
        lambda raw: raw["entry"].append(
            {
                "fullUrl": urn(40),
                "resource": {"resourceType": "Location", "type": [coded("location-types-bars", "ILOC")]},
            }
        ),
        "{Location}",
    ),
    (
        "bundle-stamps",
        EVERY,
        lambda raw: raw.update(meta={"versionId": "1.1.0"}),
        "Bundle.meta.lastUpdated",
    ),
    (
        "receiver-provider",
        EVERY,
        having("Organization", "identifier", [{"system": ODS, "value": "OTHER"}]),
        "{Organization}.identifier",
    ),
    (
        "counts-listed",
        EVERY,
        lambda raw: raw["entry"].append({"fullUrl": urn(41), "resource": {"resourceType": "Basic"} | BASIC}),
        "{Basic}",
    ),
    *(
        ("contact-ranks", EVERY, having("Patient", "contact", contacts), f"{{Patient}}.contact[{place}")
        for contacts, place in (
            ([contact(1, phone("1")), contact(None, phone("2"))], "1]"),
            ([contact(1, phone("1"), phone("2"))], "0].telecom"),
            ([contact(1, phone("1", None))], "0].telecom"),
        )
    ),
    *(
        ("nhs-number", EVERY, having("Patient", "identifier", [number]), "{Patient}.identifier")
        for number in (
            nhs_number("9990548608"),
            nhs_number("SECRET"),
            nhs_number("9990548609", "trace-required"),
        )
    ),
]
