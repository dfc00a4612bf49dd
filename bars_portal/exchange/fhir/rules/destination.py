"""Whom a message is for, where a reply would go, and whether the service takes such a case."""

from __future__ import annotations

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import ODS_SYSTEM, same_system
from bars_portal.exchange.fhir.json import as_dict, as_text, dicts
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.rules.case import (
    category_codes,
    request_of,
    use_case_carrier,
    use_case_codings,
)
from bars_portal.exchange.fhir.rules.model import Facts, HostedService, Rule, Severity, WorkflowRow


def _hosted(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    taken = facts.service is not None and _may_take(facts.service, facts.row)
    if not bundle.header or (taken and bundle.destination is not None):
        return
    path = f"{bundle.path_of(bundle.header)}.destination[0].endpoint"
    endpoint = next(dicts(bundle.header.get("destination")), {}).get("endpoint")
    if not endpoint:
        yield Issue(OutcomeCode.REQUIRED, "MessageHeader.destination.endpoint is missing", (path,))
    elif bundle.destination is None:
        words = "MessageHeader.destination.endpoint is not a DoS service id with its system"
        yield Issue(OutcomeCode.VALUE, words, (path,))
    else:
        # The catalogue's row for an unknown service; reads of the same service answer alike.
        words = "MessageHeader.destination.endpoint is not a service of this receiver"
        yield Issue(OutcomeCode.NOT_FOUND, words, (path,))


def _may_take(service: HostedService, row: WorkflowRow | None) -> bool:
    """A closed service goes on with what it has. A new booking is left to its slot, which nobody has: 409."""
    return service.active or (row is not None and (row.focus_type == "Appointment" or not row.begins))


def _receiver_resolves(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    if not bundle.header:
        return
    path = f"{bundle.path_of(bundle.header)}.destination[0].receiver"
    receiver = next(dicts(bundle.header.get("destination")), {}).get("receiver")
    if not receiver:
        yield Issue(OutcomeCode.REQUIRED, "MessageHeader.destination.receiver is missing", (path,))
    elif bundle.resolve(receiver) is None:
        words = "MessageHeader.destination.receiver points at nothing in the Bundle"
        yield Issue(OutcomeCode.INVARIANT, words, (path,))


def _receiver_is_provider(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    """Only a warning: the official examples name no ODS code, or a sample."""
    receiver = next(dicts(bundle.header.get("destination")), {}).get("receiver")
    organisation = bundle.resolve(receiver)
    if facts.service is None or organisation is None:
        return
    codes = [
        as_text(each.get("value"))
        for each in dicts(organisation.get("identifier"))
        if same_system(as_text(each.get("system")), ODS_SYSTEM)
    ]
    if codes and facts.service.provider_ods not in codes:
        words = "The receiving Organization has another ODS code than the provider of the service"
        yield Issue(OutcomeCode.VALUE, words, (f"{bundle.path_of(organisation)}.identifier",), warning=True)


def _source_is_a_service(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    if bundle.header and bundle.source is None:
        words = "MessageHeader.source.endpoint is not a DoS service id, so no reply can be sent to it"
        path = f"{bundle.path_of(bundle.header)}.source.endpoint"
        yield Issue(OutcomeCode.VALUE, words, (path,), warning=True)


def _sender_named(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    sender = bundle.header.get("sender")
    if not bundle.header or as_text(as_dict(sender).get("reference")):
        return
    path = (f"{bundle.path_of(bundle.header)}.sender",)
    if sender:
        words = "MessageHeader.sender has no reference, so it names no Organization of the message"
        yield Issue(OutcomeCode.VALUE, words, path, warning=True)
    else:
        words = "MessageHeader.sender is missing, so the message does not say who sent it"
        yield Issue(OutcomeCode.REQUIRED, words, path, warning=True)


def _use_case(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    carrier = use_case_carrier(bundle)
    if carrier is None or facts.row is None:
        return
    path = f"{bundle.path_of(carrier[0])}.{carrier[1]}"
    codes = [UseCase.lookup(each.get("code")) for each in use_case_codings(bundle)]
    if not codes:
        words = f"{path} has no coding of usecases-categories-bars"
        yield Issue(OutcomeCode.INVARIANT, words, (path,))
    elif None in codes:
        yield Issue(OutcomeCode.VALUE, f"{path} is not a code of usecases-categories-bars", (path,))
    elif not _accepts(facts.row, facts.service, frozenset(map(str, codes))):
        words = f"{path} is a use case that the service does not accept"
        yield Issue(OutcomeCode.INVARIANT, words, (path,))


def _accepts(row: WorkflowRow, service: HostedService | None, codes: frozenset[str]) -> bool:
    """What a service takes limits requests alone: a reply is of the use case that its responder takes.

    No outcome or warning may be lost because the service that asked takes other requests, or none.
    """
    if service is None or row.answers:
        return True
    return not service.accepted_use_cases.isdisjoint(codes)


def _one_of_each(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    """In one CodeableConcept or in two; a second category or use case would make the row a guess."""
    request = request_of(bundle)
    if request is None:
        return
    path = f"{bundle.path_of(request)}.category"
    if len(category_codes(request)) > 1:
        yield Issue(OutcomeCode.INVARIANT, f"{path} has more than one message category", (path,))
    if len({as_text(each.get("code")) for each in use_case_codings(bundle)}) > 1:
        yield Issue(OutcomeCode.INVARIANT, f"{path} has more than one use case", (path,))


RULES = (
    Rule(
        "destination-hosted",
        "6",
        "The destination is a service of this receiver, and what is new goes to an active one; of a response "
        "that keeps its request's destination, the service in NHSD-Target-Identifier is.",
        _hosted,
    ),
    Rule("receiver-resolves", "6", "The destination's receiver is in the Bundle.", _receiver_resolves),
    Rule(
        "receiver-provider",
        "6",
        "The receiver should be the provider of the service.",
        _receiver_is_provider,
        Severity.WARNING,
    ),
    Rule(
        "source-service",
        "8",
        "The source should be a service, so that replies find it.",
        _source_is_a_service,
        Severity.WARNING,
    ),
    Rule("sender", "6", "The header should name its sender.", _sender_named, Severity.WARNING),
    Rule(
        "use-case",
        "6",
        "The use case is present, known and one the service accepts (in a reply: any).",
        _use_case,
    ),
    Rule(
        "one-use-case",
        "6",
        "ServiceRequest.category holds one message category and one use case, in one concept or in two.",
        _one_of_each,
    ),
)
