"""Bookings that the organisation sent: made, read, listed and changed, by the rules of the pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.urls import re_path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api import paging
from bars_portal.api.forms import filled, object_in, unknown_fields, unknown_parameters, valid
from bars_portal.api.headers import check_match, conditional, etag_of
from bars_portal.api.operations import Component, Json, Operation, Parameter, Scope, moment, text
from bars_portal.api.problems import FieldFault, invalid
from bars_portal.api.views import Act, ChangeView
from bars_portal.audit.services import record
from bars_portal.exchange.gateway.client import client_for_page
from bars_portal.nhsuk.dates import in_london
from bars_portal.patients.forms import PatientForm
from bookings import ports
from bookings.api.base import (
    BookingView,
    approval_in,
    check_time,
    is_uuid_text,
    journey_in,
    moment_in,
    named_in,
    nothing_in,
    refusals,
)
from bookings.api.representation import (
    BOOKING,
    BOOKING_PAGE,
    CANCELLATION,
    EXAMPLE_PATIENT,
    NEW_BOOKING,
    NEW_TIME,
    NO_BODY,
    SENT_STATES,
    booking_json,
    summary_json,
)
from bookings.api.slots import EXAMPLE_SLOT, SLOT_PROBLEMS, ask_bookable, chosen_offer
from bookings.forms.bookings import CancelForm, RebookForm
from bookings.models import Booking
from bookings.policies import check_can_cancel, check_can_rebook
from bookings.presenters.slots import use_case_options, usual_route
from bookings.selectors.sent import Listed, Waiting, listed_bookings
from bookings.services.cancelling import rebook_at_once, request_cancel
from bookings.services.history import record_view
from bookings.services.requesting import book_at_once
from bookings.services.settling import check_again
from bookings.states import BookingStatus
from directory.api.services import service_to_act_for

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
            example={"slot": EXAMPLE_SLOT, "patient": EXAMPLE_PATIENT},
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
        return paging.page_by_time(
            request,
            rows,
            page,
            at=lambda each: each.created_at,
            show=lambda each: summary_json(request, each),
        )

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
        place = paging.place_of(after, faults)
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

    def prepared(self, request: Request, **ids: str) -> Act:
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
        return lambda: (
            book_at_once(
                acting=self.acting,
                service=service,
                use_case=use_case,
                chosen=chosen,
                details=form.to_details(),
                approval_reason=approval,
                journey=journey,
                now=timezone.now(),
            ).pk
        )

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


def _change(
    id: str, summary: str, body: Component, example: Json, *, description: str, problems: tuple[str, ...] = ()
) -> Mapping[str, Operation]:
    return {
        "POST": Operation(
            id,
            summary,
            Scope.BOOKINGS_WRITE,
            {200: BOOKING, 202: BOOKING},
            description=description,
            body=body,
            example=example,
            problems=("not-found", "refused", "changed-meanwhile", *problems),
            is_keyed=True,
            is_conditional=True,
            takes_wait=True,
            tag="Bookings",
        )
    }


class _Change(BookingView, ChangeView[Booking]):
    """Who may not read a booking cannot change it either."""

    def subject_of(self, request: Request, ids: Mapping[str, str]) -> Booking:
        booking = self.booking_of(ids["booking_id"])
        if "If-Match" in request.headers:
            check_match(request, etag_of(booking_json(request, booking, self.caller, now=timezone.now())))
        return booking

    def written(self, request: Request, subject_id: str) -> Response:
        return self.settled(request, subject_id, made=200)


class Cancel(_Change):
    operations = _change(
        "cancel-booking",
        "Cancel a booking",
        CANCELLATION,
        {"reason": "patient"},
        description="The service is read first: what it has cancelled already is only recorded.",
    )

    def changing(self, request: Request, subject: Booking, body: Mapping[str, Any], now: datetime) -> Act:
        form = valid(CancelForm, body)
        with refusals():
            check_can_cancel(self.acting, subject, now)
        latest, reason = self.latest_of(request, subject), form.words()
        return lambda: request_cancel(
            booking=subject, latest=latest, reason=reason, acting=self.acting, now=timezone.now()
        )


class Rebook(_Change):
    operations = _change(
        "rebook-booking",
        "Cancel a booking, and book another time of the same service",
        NEW_TIME,
        {"slot": EXAMPLE_SLOT, "reason": "patient"},
        description="The answer is the old booking; rebooking says how it goes on, and names the new. "
        "For a person who may refer (scope referrals:write), a referral that goes with it is taken back "
        "and goes anew, as it was: then say in reassessed whether the patient was assessed again.",
        problems=SLOT_PROBLEMS,
    )

    def changing(self, request: Request, subject: Booking, body: Mapping[str, Any], now: datetime) -> Act:
        faults = list(unknown_fields(body, NEW_TIME.schema))
        asked = {name: body[name] for name in RebookForm.base_fields if name in body}
        # Asked for below where it matters: who books only has no referral to think of.
        form, wrong = filled(RebookForm if "reassessed" in body else CancelForm, asked)
        named, approval = named_in(body, faults), approval_in(body, faults)
        faults += wrong
        if named is not None and named.service_id != subject.service.service_id:
            faults.append(FieldFault("Choose a time of the same service.", pointer="/slot"))
        if faults or named is None:
            raise invalid(faults)
        with refusals():
            check_can_rebook(self.acting, subject, now)
            ask_bookable(request, self.caller, subject.service, now=now)
        chosen = chosen_offer(request, self.caller, subject.service, named, now=now)
        check_time(self, chosen.start, subject.journey, approval)
        latest = self.latest_of(request, subject)
        renewal = self._renewal(request, subject, asked)
        return lambda: rebook_at_once(
            booking=subject,
            latest=latest,
            chosen=chosen,
            reason=form.words(),
            approval_reason=approval,
            acting=self.acting,
            now=timezone.now(),
            reassessed=str(form.cleaned_data.get("reassessed", "")),
            renewal=renewal,
        )

    def _renewal(self, request: Request, booking: Booking, asked: Mapping[str, Any]) -> ports.Renewal | None:
        """What the referral of the booking needs; one that cannot go anew is left, as on the page.

        One read over the wire. Raises Problem.
        """
        found = ports.renewal.provider(
            booking, booking.service, self.acting, client_for_page(request._request), timezone.now()
        )
        if found is None or found.obstacle:
            return None
        valid(RebookForm, asked, refers_anew=True)
        return found


class CheckAgain(_Change):
    operations = _change(
        "check-booking-again",
        "Find out what became of a booking or cancellation that is not known",
        NO_BODY,
        {},
        description="The very same message is sent again: nothing can be booked twice by it.",
    )

    def changing(self, request: Request, subject: Booking, body: Mapping[str, Any], now: datetime) -> Act:
        nothing_in(body)
        return lambda: check_again(booking=subject, acting=self.acting, now=timezone.now())


_ONE = r"^bookings/(?P<booking_id>[0-9a-f]{8}-[0-9a-f-]{27})"

urlpatterns = [
    re_path(r"^bookings/?$", BookingList.as_view(), name="api-bookings"),
    re_path(rf"{_ONE}/?$", OneBooking.as_view(), name="api-booking"),
    re_path(rf"{_ONE}/cancel/?$", Cancel.as_view(), name="api-booking-cancel"),
    re_path(rf"{_ONE}/rebook/?$", Rebook.as_view(), name="api-booking-rebook"),
    re_path(rf"{_ONE}/check-again/?$", CheckAgain.as_view(), name="api-booking-check-again"),
]
