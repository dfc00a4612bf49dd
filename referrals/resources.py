"""What our receiver answers to GET /ServiceRequest (standard section 7)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from bars_portal.correspondence.entries import Entry, distinct_urls, referred_to
from bars_portal.correspondence.searches import Asked
from bars_portal.exchange.fhir.access import check_access
from bars_portal.exchange.fhir.bundle import Resource, searchset
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.fhir.queries.patients import ServiceRequestQuery
from bars_portal.exchange.registry import ReadContext, ResourceReader, register_reader
from directory.selectors.access import rules_of
from referrals.cases import wire
from referrals.cases.models import Case
from referrals.cases.selectors import received_case
from referrals.cases.wire import included_in
from referrals.receiving.selectors import cases_found


@register_reader
class ServiceRequestReader(ResourceReader):
    resource_type = "ServiceRequest"

    def read(self, resource_id: UUID, context: ReadContext) -> Resource | None:
        """The current version, whatever became of the case. Raises OutcomeError (401)."""
        case = received_case(resource_id)
        if case is None or not context.reaches(case.service.service_id):
            return None
        context.opened.append(case)
        service = case.service
        check_access(service.allowed_callers, rules_of(service), context.caller)
        held: Resource = case.resource
        return held

    def search(self, params: Sequence[tuple[str, str]], context: ReadContext) -> dict[str, Any]:
        """Requests by patient or identifier, with what they refer to. Raises OutcomeError (400, 401)."""
        asked = Asked.of(params, kind=self.resource_type, now=context.received_at)
        found = cases_found(
            service_id=context.target,
            query=ServiceRequestQuery.parse(asked.params),
            caller=context.caller,
            after=asked.after,
        )
        if found.is_barred:
            raise _not_permitted()
        context.opened.extend(found.rows)
        groups = distinct_urls([(case.pk, _entries(case)) for case in found.rows])
        return searchset(
            bundle_id=uuid4(),
            now=context.received_at,
            # Nothing about the patient in an address, not even in our answer.
            self_link=self.resource_type,
            next_link=asked.next_link(found, kind=self.resource_type, now=context.received_at),
            total=found.total,
            matches=[group[0] for group in groups],
            included=[entry for group in groups for entry in group[1:]],
        )


def _entries(case: Case) -> list[Entry]:
    """The request, everything it refers to, and our own Encounter with the reference."""
    around = [(url, resource) for url, resource in included_in(case)]
    reached = referred_to(case.resource, around)
    urls = {url for url, _ in reached}
    ours = wire.own_encounter_id(case.pk)
    own = [(url, each) for url, each in around if each.get("id") == ours and url not in urls]
    return [(case.sender_full_url, case.resource), *reached, *own]


def _not_permitted() -> OutcomeError:
    return fault(OutcomeCode.NOT_PERMITTED, "This organisation may not use the service")
