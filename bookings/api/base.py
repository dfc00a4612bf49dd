"""What all resources of bookings do: find theirs, read bodies, and say no as policies do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.api.forms import filled, object_in, unknown_fields
from bars_portal.api.headers import applied, etag_of, turn_to_wait
from bars_portal.api.problems import FieldFault, Problem, Refused, invalid
from bars_portal.api.views import ApiView
from bars_portal.correspondence.latest import Latest
from bars_portal.correspondence.states import Direction, TransitionRefused
from bars_portal.exchange.gateway.client import client_for_page
from bars_portal.patients.models import Journey
from bars_portal.patients.selectors import journey_of
from bookings.api.representation import NO_BODY, OPEN_STATES, address_of, booking_json
from bookings.api.slots import NamedSlot, named_slot
from bookings.forms.bookings import ApprovalForm
from bookings.latest import read_latest
from bookings.models import Booking
from bookings.policies import frame_missed_at
from bookings.selectors.sent import booking_for, rebooking_of
from bookings.services.settling import wait_for_outcome
from directory.remote import sender_identity


@contextmanager
def refusals() -> Iterator[None]:
    """What the domain refuses, as problems."""
    try:
        yield
    except PolicyRefused as refusal:
        raise Refused(refusal) from None
    except TransitionRefused:
        raise Problem("changed-meanwhile") from None


class DomainView(ApiView):
    """Of what people work with, by the policies of their pages."""

    @contextmanager
    def refusing(self) -> Iterator[None]:
        with refusals():
            yield


class BookingView(DomainView):
    """What is of another organisation, or at a service that the application may not act for, is not there."""

    def booking_of(self, booking_id: str) -> Booking:
        """Raises Problem."""
        found = booking_for(self.acting, UUID(booking_id)) if is_uuid_text(booking_id) else None
        if found is None or found.direction != Direction.SENT:
            raise Problem("not-found")
        if not self.caller.application.may_act_for(found.service.service_id):
            raise Problem("not-found")
        return found

    def latest_of(self, request: Request, booking: Booking) -> Latest:
        """One read over the wire, never inside a transaction."""
        client, sender = client_for_page(request._request), sender_identity(self.acting)
        return read_latest(client, booking=booking, sender=sender, now=timezone.now())

    def settled(self, request: Request, subject_id: str, *, made: int) -> Response:
        """How it stands, after as long a wait as was asked for: `made`, or 202 while it is open."""
        booking = Booking.objects.select_related("service", "patient", "journey").get(pk=subject_id)
        with turn_to_wait(request) as patience:
            if patience:
                _wait(booking, patience)
        body = booking_json(request, booking, self.caller, now=timezone.now())
        status = 202 if booking.status in OPEN_STATES else made
        headers = {"Location": address_of(request, booking), "ETag": etag_of(body), **applied(patience)}
        return Response(body, status=status, headers=headers)


def check_time(view: ApiView, start: datetime, journey: Journey | None, approval: str) -> None:
    """Raises Problem where a clinician must say yes to the time, and none does."""
    if frame_missed_at(start, journey) is None:
        return
    if view.acting.stated is None:
        raise Problem(
            "acting-user-missing",
            "This time is outside the time frame of the assessment: a clinician has to approve it.",
        )
    if not view.acting.may("bookings.book_outside_time_frame"):
        raise Problem("not-allowed", "Only a clinician may book outside the time frame of the assessment.")
    if not approval:
        words = ApprovalForm.base_fields["reason"].error_messages["required"]
        raise invalid([FieldFault(str(words), pointer="/approval/reason")])


def named_in(body: Mapping[str, Any], faults: list[FieldFault]) -> NamedSlot | None:
    found = named_slot(body.get("slot"))
    if found is None:
        faults.append(FieldFault("Choose a slot that a search returned.", pointer="/slot"))
    return found


def approval_in(body: Mapping[str, Any], faults: list[FieldFault]) -> str:
    """The reason of a clinician's yes; "" when none is given."""
    if body.get("approval") is None:
        return ""
    given = object_in(body["approval"], at="/approval")
    form, wrong = filled(ApprovalForm, given, at="/approval", clinicians=None)
    faults += wrong
    return "" if wrong else str(form.cleaned_data["reason"])


def nothing_in(body: Mapping[str, Any]) -> None:
    """Raises Problem."""
    faults = list(unknown_fields(body, NO_BODY.schema))
    if faults:
        raise invalid(faults)


def journey_in(acting: Acting, body: Mapping[str, Any], faults: list[FieldFault]) -> Journey | None:
    """The case of the organisation that the body names; None when it names none."""
    given = body.get("journey")
    if given is None:
        return None
    known = isinstance(given, str) and is_uuid_text(given)
    found = journey_of(acting.organisation, UUID(given)) if known else None
    if found is None:
        faults.append(FieldFault("There is no such case.", pointer="/journey"))
    return found


def moment_in(given: str | None, name: str, faults: list[FieldFault]) -> datetime | None:
    """A parameter of the address."""
    if given is None:
        return None
    try:
        # A plus that was not escaped arrives as a blank.
        found = datetime.fromisoformat(given.replace(" ", "+"))
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    words = f"{name} must be a time with its offset, like 2026-12-01T09:00:00+00:00."
    faults.append(FieldFault(words, parameter=name))
    return None


def is_uuid_text(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _wait(booking: Booking, patience: float) -> None:
    """For the booking, and for the one that takes its place."""
    deadline = monotonic() + patience
    wait_for_outcome(booking, patience=patience)
    plan = rebooking_of(booking)
    new = plan.booked if plan is not None and plan.cancelled_id == booking.pk else None
    if new is not None:
        wait_for_outcome(new, patience=max(0.0, deadline - monotonic()))
