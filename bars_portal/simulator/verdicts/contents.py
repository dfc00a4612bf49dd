"""What a message says: its header, references, contacts, consent, use case (standard section 6)."""

from collections.abc import Iterator

from bars_portal.simulator.verdicts.messages import Message, child, codings, dicts, first, references
from bars_portal.simulator.verdicts.model import Check, look

RULE = "6"
EVENTS = frozenset(
    {"booking-request", "booking-response", "servicerequest-request", "servicerequest-response"}
)
REASONS = frozenset({"new", "update", "delete"})
USE_CASES = "usecases-categories-bars"
_RANK = "Extension-UKCore-ContactRank"
_STRIPPED = frozenset(
    {"bars-message-booking-request-cancelled", "bars-message-servicerequest-request-cancelled"}
)
_CARRIERS = {"Appointment": "serviceCategory", "ServiceRequest": "category"}
_ELSEWHERE = ("EpisodeOfCare/", "Appointment/", "ServiceRequest/", "Encounter/", "#", "http://", "https://")


def check_contents(message: Message) -> Iterator[Check]:
    """Every rule that a reader of the message alone can judge."""
    yield from _header(message)
    if message.definition not in _STRIPPED:
        yield _resolves(message)
    yield from _people(message)
    yield _use_case(message)


def _header(message: Message) -> Iterator[Check]:
    bundle = message.bundle
    version = str(child(bundle.get("meta")).get("versionId", ""))
    yield look(RULE, bundle.get("type") == "message", "Bundle.type is message", "Bundle.type is not message")
    wrong = "Bundle.meta.versionId is missing or of another major version"
    yield look(RULE, version.startswith("1."), f"Bundle.meta.versionId is {version}", wrong)
    yield look(RULE, message.event in EVENTS, f"The event is {message.event}", "The event is none of BaRS")
    yield look(
        RULE, message.reason in REASONS, f"The reason is {message.reason}", "The reason is none of BaRS"
    )
    yield look(RULE, bool(message.focus), "The focus is in the message", "The focus is not in the message")
    answers = bool(child(message.header.get("response")).get("identifier"))
    if message.event.endswith("-response"):
        yield look(RULE, answers, "It names what it answers", "MessageHeader.response names nothing")
    reply = str(child(message.header.get("source")).get("endpoint", ""))
    wrong = "MessageHeader.source.endpoint is no service id: no reply can find its way"
    yield look("8", "dos-service-id|" in reply, "A reply finds its way to the source", wrong)


def _resolves(message: Message) -> Check:
    known = {str(each.get("fullUrl")) for each in message.entries}
    lost = sum(each not in known and not each.startswith(_ELSEWHERE) for each in references(message.bundle))
    return look(RULE, not lost, "Every reference points at something", f"{lost} references point at nothing")


def _people(message: Message) -> Iterator[Check]:
    for patient in message.of_type("Patient")[:1]:
        callers = [each for each in dicts(patient.get("contact")) if _rank(each) == 1]
        wrong = f"{len(callers)} contacts have rank 1, where exactly one is to be called back"
        yield look(RULE, len(callers) == 1, "One contact has rank 1", wrong)
        if len(callers) == 1:
            number = bool(first(callers[0].get("telecom")).get("value"))
            yield look(RULE, number, "It can be called back", "The contact of rank 1 has no telecom")
    consents = message.of_type("Consent")
    if consents:
        direct = all(any(c.get("code") == "DRC" for c in codings(each.get("category"))) for each in consents)
        yield look(RULE, direct, "The consent is for direct care", "A consent is not for direct care (DRC)")


def _use_case(message: Message) -> Check:
    carrier = message.focus
    if carrier.get("resourceType") not in _CARRIERS:
        carrier = next(iter(message.of_type("ServiceRequest")), {})
    found = codings(carrier.get(_CARRIERS.get(str(carrier.get("resourceType")), "")))
    codes = [str(each.get("code")) for each in found if str(each.get("system", "")).endswith(USE_CASES)]
    return look(RULE, len(codes) == 1, f"The use case is {', '.join(codes)}", "There is not one use case")


def _rank(contact: dict[str, object]) -> object:
    extensions = dicts(contact.get("extension"))
    ranks = (each.get("valuePositiveInt") for each in extensions if str(each.get("url")).endswith(_RANK))
    return next(ranks, None)
