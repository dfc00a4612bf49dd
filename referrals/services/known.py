"""The received case that a later message is about: known, its sender's, current, and not changed since."""

from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError, fault
from referrals import mapping
from referrals.mapping import ReceivedCase
from referrals.models import Case
from referrals.selectors import lock_received_case
from referrals.services.receiving import FULL_URL_LENGTH

REQUEST = "Bundle.entry.resource.ofType(ServiceRequest)"


def known_case(received: ReceivedCase, context: MessageContext) -> Case:
    """The case, its row locked until the end of the message's transaction.

    Raises OutcomeError: 404 unknown, 401 somebody else's, 422 over already, 409 conflict older than held.
    """
    case = lock_received_case(
        category=received.category,
        service_id=context.service.service_id,
        ids=received.ids,
        full_url=received.url[:FULL_URL_LENGTH],
        source=context.source,
        correlation_id=context.correlation_id,
        journey_id=received.journey_id,
    )
    if case is None:
        words = f"There is no such {received.category} request at this service"
        raise fault(OutcomeCode.NOT_FOUND, words, REQUEST)
    _check_theirs(case, context)
    if not case.is_current:
        words = "The request is over: it was taken back, rejected or completed already"
        raise fault(OutcomeCode.UNPROCESSABLE, words, f"{REQUEST}.status")
    _check_not_stale(case, received)
    return case


def _check_theirs(case: Case, context: MessageContext) -> None:
    """Only who asked may change it: the same source service, or the same organisation.

    401, not 403: the proxy replaces what a 403 says.
    """
    source = context.source.value if context.source else ""
    same_service = bool(source) and source == case.source_service_id
    same_organisation = bool(context.sender_ods_code) and context.sender_ods_code == case.sender_ods_code
    nameless = not (source or context.sender_ods_code or case.source_service_id or case.sender_ods_code)
    if not (same_service or same_organisation or nameless):
        raise fault(OutcomeCode.NOT_PERMITTED, "The request was made by another organisation")


def _check_not_stale(case: Case, received: ReceivedCase) -> None:
    stale = mapping.stale_entries(received, case.sender_stamps)
    issues = [Issue(OutcomeCode.CONFLICT, f"{path} is older than what we hold", (path,)) for path in stale]
    if issues:
        raise OutcomeError(*issues)
