"""Bookings and waiting list entries of a journey, for the page that tells who looked at a patient."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from uuid import UUID

from django.db.models import Q

from bars_portal.accounts.models import Organisation
from bookings.models import Booking, WaitingEntry


def subjects(journeys: Sequence[UUID]) -> Iterator[tuple[str, str]]:
    for model in (Booking, WaitingEntry):
        for pk in model._default_manager.filter(journey__in=journeys).values_list("pk", flat=True):
            yield model._meta.label_lower, str(pk)


def journeys(organisation: Organisation, text: str) -> Iterator[UUID]:
    """By the reference, or our id, of a booking."""
    wanted = Q(reference__iexact=text)
    with suppress(ValueError):
        wanted |= Q(pk=UUID(text))
    found = Booking.objects.filter(wanted, journey__organisation=organisation)
    yield from found.values_list("journey_id", flat=True)
