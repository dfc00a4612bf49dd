"""What our receiver answers to GET /Slot and GET /Appointment (standard section 7)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from bars_portal.audit.services import ReadNote
from bars_portal.correspondence.entries import Entry, distinct_urls, referred_to
from bars_portal.correspondence.searches import Asked
from bars_portal.exchange.fhir.access import check_access
from bars_portal.exchange.fhir.bundle import Rendered, Resource, rendered_searchset, searchset
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.fhir.queries.patients import AppointmentQuery
from bars_portal.exchange.fhir.queries.services import INCLUDE, SlotQuery
from bars_portal.exchange.registry import ReadContext, ResourceReader, register_reader
from bookings.mapping.slots import slot_template, texts_with_slots
from bookings.models import Booking
from bookings.selectors.received import appointment_of, appointments_of_patient
from bookings.selectors.slots import offered_slots
from directory.selectors.access import rules_of

Params = Sequence[tuple[str, str]]


@register_reader
class SlotReader(ResourceReader):
    resource_type = "Slot"
    by_id = False

    def search(self, params: Params, context: ReadContext) -> Rendered:
        """Slots as they are this moment. Raises OutcomeError: 400 and 422 of the query, 401, 404."""
        query = SlotQuery.parse(params)
        found = offered_slots(
            query.service_id,
            caller=context.caller,
            note=_note(context),
            statuses=query.statuses,
            start=query.start,
            end=query.end,
            template=slot_template(with_channel=False),
            template_with_channel=slot_template(with_channel=True),
        )
        if found is None:
            raise fault(
                OutcomeCode.NOT_FOUND, "Schedule.actor:HealthcareService is not a service of this receiver"
            )
        if not found.service.permitted:
            check_access(found.service.allowed_callers, found.service.access_rules, context.caller)
        return rendered_searchset(
            bundle_id=uuid4(),
            now=context.received_at,
            self_link=_self_link(params, query),
            total=found.total,
            matches=found.entries,
            included=texts_with_slots(
                found.diaries, facts=found.service.facts, includes=query.includes, now=context.received_at
            ),
        )


@register_reader
class AppointmentReader(ResourceReader):
    resource_type = "Appointment"

    def read(self, resource_id: UUID, context: ReadContext) -> Resource | None:
        """The current version, whatever became of the appointment. Raises OutcomeError (401)."""
        booking = appointment_of(resource_id)
        if booking is None or not context.reaches(booking.service.service_id):
            return None
        context.opened.append(booking)
        service = booking.service
        check_access(service.allowed_callers, rules_of(service), context.caller)
        held: Resource = booking.resource
        return held

    def search(self, params: Params, context: ReadContext) -> dict[str, Any]:
        """Appointments of one patient with what they refer to. Raises OutcomeError (400, 401)."""
        asked = Asked.of(params, kind=self.resource_type, now=context.received_at)
        query = AppointmentQuery.parse(asked.params)
        found = appointments_of_patient(
            service_id=context.target,
            nhs_number=query.identifier,
            demographics=query.demographics,
            caller=context.caller,
            after=asked.after,
        )
        if found.is_barred:
            raise _not_permitted()
        context.opened.extend(found.rows)
        groups = distinct_urls([(booking.pk, _entries(booking)) for booking in found.rows])
        included = [entry for group in groups for entry in group[1:]]
        return searchset(
            bundle_id=uuid4(),
            now=context.received_at,
            # Nothing about the patient in an address, not even in our answer.
            self_link=self.resource_type,
            next_link=asked.next_link(found, kind=self.resource_type, now=context.received_at),
            total=found.total,
            matches=[group[0] for group in groups],
            included=included,
        )


def _entries(booking: Booking) -> list[Entry]:
    """The appointment, then everything it refers to."""
    around = [(url, resource) for url, resource in booking.included]
    return [(booking.sender_full_url, booking.resource), *referred_to(booking.resource, around)]


def _note(context: ReadContext) -> ReadNote:
    return ReadNote.of(
        actor=context.actor,
        action=context.action,
        now=context.received_at,
        detail=context.detail,
        correlation_id=context.correlation_id,
    )


def _not_permitted() -> OutcomeError:
    return fault(OutcomeCode.NOT_PERMITTED, "This organisation may not use the service")


def _self_link(params: Params, query: SlotQuery) -> str:
    """The search as we understood it: includes that we cannot honour are left out."""
    asked = urlencode([(name, value) for name, value in params if name != INCLUDE])
    return f"Slot?{asked}&{_written(query.includes)}"


@lru_cache(maxsize=256)
def _written(includes: frozenset[str]) -> str:
    return urlencode([(INCLUDE, each) for each in sorted(includes)])
