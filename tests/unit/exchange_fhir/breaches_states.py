"""What the workflow table asks beside the focus, and what names the use case, broken once each."""

from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.rules import table

from .breaches import Breach
from .changes import REQUESTS, category, for_cad, planned, revoked_but, seen, without
from .factory import Change, coded
from .samples import having, nth

C = OutcomeCode


def state(key: str, change: Change, path: str) -> Breach:
    return ("workflow-states", frozenset({key}), change, C.INVARIANT, path)


STATE_BREACHES: list[Breach] = [
    state("referral-new", planned("active"), "{CarePlan}.status"),
    state("referral-new", planned("draft"), "{CarePlan}.status"),
    state("referral-new", seen("in-progress"), "{Encounter}.status"),
    state("referral-new", seen("planned"), "{Encounter}.status"),
    state("referral-new", for_cad(planned("completed")), "{CarePlan}.status"),
    state("referral-new", for_cad(seen("cancelled")), "{Encounter}.status"),
    state("referral-new", for_cad(having("Encounter", "class", {"code": "AMB"})), "{Encounter}.class"),
    state("referral-update", seen("planned"), "{Encounter}.status"),
    state("referral-update", seen("cancelled"), "{Encounter}.status"),
    state("validation-new", planned("completed"), "{CarePlan}.status"),
    state("validation-new", seen("finished"), "{Encounter}.status"),
    state("validation-interim", having("ServiceRequest", "status", "revoked"), "{ServiceRequest}.status"),
    state("validation-rejected", having("ServiceRequest", "status", "draft"), "{ServiceRequest}.status"),
    state(
        "validation-rejected",
        having("Encounter", "reasonCode", None, 1),
        "{Encounter2}.reasonCode",
    ),
    state(
        "validation-rejected",
        having("Encounter", "reasonCode", [{"text": " "}], 1),
        "{Encounter2}.reasonCode",
    ),
    state("validation-full", having("ServiceRequest", "status", "on-hold"), "{ServiceRequest}.status"),
    state("validation-full", planned("draft"), "{CarePlan}.status"),
    state("referral-did-not-attend", having("Appointment", "status", "booked"), "{Appointment}.status"),
    state(
        "referral-did-not-attend",
        lambda raw: without(raw, "Appointment", 1),
        "Bundle.entry.resource.ofType(Appointment)",
    ),
    state("cad-response", seen("triaged", 1), "{Encounter2}.status"),
    state(
        "cad-rejection",
        having("Encounter", "reasonCode", None, 1),
        "{Encounter2}.reasonCode",
    ),
    state("cad-rejection", lambda raw: revoked_but(raw, "planned"), "{Encounter2}.status"),
]


CATEGORY_BREACHES: list[Breach] = []
for _key in sorted(REQUESTS):
    _category, _focus = sorted(table.row(_key).categories)[0], frozenset({_key})
    _mine = coded("message-category-servicerequest", _category)
    CATEGORY_BREACHES += [
        ("use-case", _focus, category(_mine), C.INVARIANT, "{ServiceRequest}.category"),
        (
            "use-case",
            _focus,
            category(_mine, coded("usecases-categories-bars", "SECRET")),
            C.VALUE,
            "{ServiceRequest}.category",
        ),
        (
            "one-use-case",
            _focus,
            lambda raw: nth(raw, "ServiceRequest")["category"].append(
                coded("message-category-servicerequest", "request")
            ),
            C.INVARIANT,
            "{ServiceRequest}.category",
        ),
        (
            "one-use-case",
            _focus,
            lambda raw: nth(raw, "ServiceRequest")["category"].append(
                coded("usecases-categories-bars", "a2t4")
            ),
            C.INVARIANT,
            "{ServiceRequest}.category",
        ),
    ]
