"""Cancelling and rebooking a booking, and asking again what became of it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api.forms import filled, object_in
from bars_portal.api.headers import check_match, etag_of
from bars_portal.api.idempotency import Attempt
from bars_portal.api.operations import Operation
from bars_portal.api.problems import FieldFault, invalid
from bars_portal.api.scopes import Scope
from bars_portal.exchange.gateway.client import client_for_page
from bookings import ports
from bookings.api.base import (
    BookingView,
    approval_in,
    check_time,
    named_in,
    refusals,
    unknown_fields,
)
from bookings.api.representation import BOOKING, CANCELLATION, NEW_TIME, NO_BODY, booking_json
from bookings.api.slots import EXAMPLE_SLOT, SLOT_PROBLEMS, ask_bookable, chosen_offer
from bookings.forms.bookings import CancelForm, RebookForm
from bookings.models import Booking
from bookings.policies import check_can_cancel, check_can_rebook
from bookings.services.cancelling import rebook_at_once, request_cancel
from bookings.services.settling import check_again

_CHANGES = ("not-found", "refused", "changed-meanwhile")


class _Change(BookingView):
    """A POST that changes one booking; who may not read it cannot change it either."""

    def unchanged(self, request: Request, booking_id: str) -> Booking:
        """Raises Problem."""
        booking = self.booking_of(booking_id)
        if "If-Match" in request.headers:
            check_match(request, etag_of(booking_json(request, booking, self.caller, now=timezone.now())))
        return booking

    def written(self, request: Request, subject_id: str) -> Response:
        return self.settled(request, subject_id, made=200)


class Cancel(_Change):
    operations: ClassVar[Mapping[str, Operation]] = {
        "POST": Operation(
            "cancel-booking",
            "Cancel a booking",
            Scope.BOOKINGS_WRITE,
            {200: BOOKING, 202: BOOKING},
            description="The service is read first: what it has cancelled already is only recorded.",
            body=CANCELLATION,
            example={"reason": "patient"},
            problems=_CHANGES,
            is_keyed=True,
            is_conditional=True,
            takes_wait=True,
            tag="Bookings",
        )
    }

    def write(self, request: Request, attempt: Attempt, **kwargs: Any) -> Response:
        booking = self.unchanged(request, kwargs["booking_id"])
        form, faults = filled(CancelForm, object_in(request.data))
        if faults:
            raise invalid(faults)
        with refusals():
            check_can_cancel(self.acting, booking, timezone.now())
        latest = self.latest_of(request, booking)
        with refusals(), attempt.writing() as written:
            request_cancel(
                booking=booking, latest=latest, reason=form.words(), acting=self.acting, now=timezone.now()
            )
            written.subject_id = str(booking.pk)
        return self.written(request, str(booking.pk))


class Rebook(_Change):
    operations: ClassVar[Mapping[str, Operation]] = {
        "POST": Operation(
            "rebook-booking",
            "Cancel a booking, and book another time of the same service",
            Scope.BOOKINGS_WRITE,
            {200: BOOKING, 202: BOOKING},
            description="The answer is the old booking; rebooking says how it goes on, and names the new. "
            "For a person who may refer (scope referrals:write), a referral that goes with it is taken back "
            "and goes anew, as it was: then say in reassessed whether the patient was assessed again.",
            body=NEW_TIME,
            example={"slot": EXAMPLE_SLOT, "reason": "patient"},
            problems=(*_CHANGES, *SLOT_PROBLEMS),
            is_keyed=True,
            is_conditional=True,
            takes_wait=True,
            tag="Bookings",
        )
    }

    def write(self, request: Request, attempt: Attempt, **kwargs: Any) -> Response:
        booking, now = self.unchanged(request, kwargs["booking_id"]), timezone.now()
        body = object_in(request.data)
        faults = list(unknown_fields(body, NEW_TIME.schema))
        asked = {name: body[name] for name in RebookForm.base_fields if name in body}
        # Asked for below where it matters: who books only has no referral to think of.
        form, wrong = filled(RebookForm if "reassessed" in body else CancelForm, asked)
        named, approval = named_in(body, faults), approval_in(body, faults)
        faults += wrong
        if named is not None and named.service_id != booking.service.service_id:
            faults.append(FieldFault("Choose a time of the same service.", pointer="/slot"))
        if faults or named is None:
            raise invalid(faults)
        with refusals():
            check_can_rebook(self.acting, booking, now)
            ask_bookable(request, self.caller, booking.service, now=now)
        chosen = chosen_offer(request, self.caller, booking.service, named, now=now)
        check_time(self, chosen.start, booking.journey, approval)
        latest = self.latest_of(request, booking)
        renewal = self._renewal(request, booking, asked)
        with refusals(), attempt.writing() as written:
            rebook_at_once(
                booking=booking,
                latest=latest,
                chosen=chosen,
                reason=form.words(),
                approval_reason=approval,
                acting=self.acting,
                now=timezone.now(),
                reassessed=str(form.cleaned_data.get("reassessed", "")),
                renewal=renewal,
            )
            written.subject_id = str(booking.pk)
        return self.written(request, str(booking.pk))

    def _renewal(self, request: Request, booking: Booking, asked: Mapping[str, Any]) -> ports.Renewal | None:
        """What the referral of the booking needs; one that cannot go anew is left, as on the page.

        One read over the wire. Raises Problem.
        """
        found = ports.renewal.provider(
            booking, booking.service, self.acting, client_for_page(request._request), timezone.now()
        )
        if found is None or found.obstacle:
            return None
        _, faults = filled(RebookForm, asked, refers_anew=True)
        if faults:
            raise invalid(faults)
        return found


class CheckAgain(_Change):
    operations: ClassVar[Mapping[str, Operation]] = {
        "POST": Operation(
            "check-booking-again",
            "Find out what became of a booking or cancellation that is not known",
            Scope.BOOKINGS_WRITE,
            {200: BOOKING, 202: BOOKING},
            description="The very same message is sent again: nothing can be booked twice by it.",
            body=NO_BODY,
            example={},
            problems=_CHANGES,
            is_keyed=True,
            is_conditional=True,
            takes_wait=True,
            tag="Bookings",
        )
    }

    def write(self, request: Request, attempt: Attempt, **kwargs: Any) -> Response:
        booking = self.unchanged(request, kwargs["booking_id"])
        faults = list(unknown_fields(object_in(request.data), NO_BODY.schema))
        if faults:
            raise invalid(faults)
        with refusals(), attempt.writing() as written:
            check_again(booking=booking, acting=self.acting, now=timezone.now())
            written.subject_id = str(booking.pk)
        return self.written(request, str(booking.pk))
