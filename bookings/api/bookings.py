"""Bookings that the organisation sent: made, read and listed, by the rules of the pages."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api import paging
from bars_portal.api.forms import filled, object_in, unknown_parameters
from bars_portal.api.headers import conditional
from bars_portal.api.idempotency import Attempt
from bars_portal.api.operations import Operation, Parameter, moment, text
from bars_portal.api.problems import FieldFault, invalid
from bars_portal.api.scopes import Scope
from bars_portal.audit.services import record
from bars_portal.nhsuk.dates import in_london
from bars_portal.patients.forms import PatientForm
from bookings.api.base import (
    BookingView,
    approval_in,
    check_time,
    is_uuid_text,
    journey_in,
    moment_in,
    named_in,
    place_of,
    refusals,
    unknown_fields,
)
from bookings.api.representation import (
    BOOKING,
    BOOKING_PAGE,
    NEW_BOOKING,
    SENT_STATES,
    booking_json,
    summary_json,
)
from bookings.api.slots import EXAMPLE_SLOT, SLOT_PROBLEMS, ask_bookable, chosen_offer
from bookings.presenters.slots import use_case_options, usual_route
from bookings.selectors.sent import Listed, Waiting, listed_bookings
from bookings.services.history import record_view
from bookings.services.requesting import book_at_once
from bookings.states import BookingStatus
from directory.api.services import service_to_act_for

_EXAMPLE_PATIENT = {
    "family_name": "Dyball",
    "given_names": "Adrian",
    "birth_date": "1932-10-29",
    "gender": "male",
    "nhs_number": "9658499007",
    "traced_in": "PDS",
    "address_line_1": "1 Sample Street",
    "town": "Scunthorpe",
    "postcode": "DN17 4LR",
    "phone": "07700 900123",
}
_STATES: Mapping[str, BookingStatus | Waiting] = {each.value: each for each in (*Waiting, *SENT_STATES)}
_FILTERS = (
    Parameter("state", text(enum=list(_STATES)), "A state, or what waits for a person."),
    Parameter("service", text(pattern="^[0-9]{1,20}$"), "A DoS service id."),
    Parameter("journey", text(format="uuid"), "All bookings of one case."),
    Parameter("starts_from", moment(), "Appointments from then on, with an offset."),
    Parameter("starts_before", moment(), "Appointments before that."),
    *paging.PARAMETERS,
)


class BookingList(BookingView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "list-bookings",
            "Bookings that the organisation sent, newest first",
            Scope.BOOKINGS_READ,
            {200: BOOKING_PAGE},
            query=_FILTERS,
            tag="Bookings",
        ),
        "POST": Operation(
            "create-booking",
            "Book a slot",
            Scope.BOOKINGS_WRITE,
            {201: BOOKING, 202: BOOKING},
            description="201: the outcome is known, see state. 202: it is not known yet; read it again.",
            body=NEW_BOOKING,
            example={"slot": EXAMPLE_SLOT, "patient": _EXAMPLE_PATIENT},
            problems=("refused", "changed-meanwhile", *SLOT_PROBLEMS),
            is_keyed=True,
            takes_wait=True,
            tag="Bookings",
        ),
    }

    def get(self, request: Request) -> Response:
        page = paging.asked_page(request, kinds=(str, str))
        wanted = self._wanted(request, page.after)
        rows = listed_bookings(self.acting, wanted, limit=page.limit + 1)
        record(actor=self.acting.actor, action="bookings.view_sent_list", now=timezone.now())
        shown, last = rows[: page.limit], None
        if len(rows) > page.limit:
            last = (shown[-1].created_at.isoformat(), str(shown[-1].pk))
        return paging.page_response(request, [summary_json(request, each) for each in shown], last)

    def _wanted(self, request: Request, after: tuple[str | int, ...]) -> Listed:
        faults = list(unknown_parameters(request, {each.name for each in _FILTERS}))
        given = request.query_params
        state, journey, service = given.get("state"), given.get("journey"), given.get("service")
        if state is not None and state not in _STATES:
            faults.append(FieldFault("There is no such state.", parameter="state"))
        if journey is not None and not is_uuid_text(journey):
            faults.append(FieldFault("journey must be a UUID.", parameter="journey"))
        if service is not None and not (service.isascii() and service.isdigit() and len(service) <= 20):
            faults.append(FieldFault("service must be a DoS service id.", parameter="service"))
        start, before = (
            moment_in(given.get(name), name, faults) for name in ("starts_from", "starts_before")
        )
        place = place_of(after, faults)
        if faults:
            raise invalid(faults)
        own = self.caller.application.service_ids or None
        return Listed(
            chosen=_STATES[state] if state else None,
            service_ids=own if service is None else [service] if own is None or service in own else [],
            journey=UUID(journey) if journey else None,
            starts_from=start,
            starts_before=before,
            after=place,
        )

    def write(self, request: Request, attempt: Attempt, **kwargs: Any) -> Response:
        body, now = object_in(request.data), timezone.now()
        faults = list(unknown_fields(body, NEW_BOOKING.schema))
        form, wrong = filled(
            PatientForm,
            object_in(body.get("patient", {}), at="/patient"),
            at="/patient",
            today=in_london(now).date(),
        )
        named = named_in(body, faults)
        journey = journey_in(self.acting, body, faults)
        approval = approval_in(body, faults)
        faults += wrong
        if faults or named is None:
            raise invalid(faults)
        service = service_to_act_for(self.caller, named.service_id)
        with refusals():
            capability = ask_bookable(request, self.caller, service, now=now)
        use_cases = [code for code, _ in use_case_options(service, capability)]
        use_case = body.get("use_case") or usual_route(use_cases, journey, service)
        if use_case not in use_cases:
            raise invalid([FieldFault("The service takes no bookings for this.", pointer="/use_case")])
        chosen = chosen_offer(request, self.caller, service, named, now=now)
        check_time(self, chosen.start, journey, approval)
        with refusals(), attempt.writing() as written:
            booking = book_at_once(
                acting=self.acting,
                service=service,
                use_case=use_case,
                chosen=chosen,
                details=form.to_details(),
                approval_reason=approval,
                journey=journey,
                now=timezone.now(),
            )
            written.subject_id = str(booking.pk)
        return self.written(request, str(booking.pk))

    def written(self, request: Request, subject_id: str) -> Response:
        return self.settled(request, subject_id, made=201)


class OneBooking(BookingView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-booking",
            "Read one booking",
            Scope.BOOKINGS_READ,
            {200: BOOKING},
            problems=("not-found",),
            is_conditional=True,
            tag="Bookings",
        )
    }

    def get(self, request: Request, booking_id: str) -> Response:
        booking, now = self.booking_of(booking_id), timezone.now()
        record_view(booking=booking, acting=self.acting, now=now)
        return conditional(request, booking_json(request, booking, self.caller, now=now))
