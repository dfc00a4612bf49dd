"""What a booking rests on: the request that came before it. Rooms above tell; bookings only ask."""

from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured

from bars_portal.patients.models import Journey
from directory.models import HealthcareService

# The receiver's id of the request that stands in this journey at this service, or None.
FindBasis = Callable[[Journey, HealthcareService], str | None]
_finders: list[FindBasis] = []


def register_basis(find: FindBasis) -> None:
    """Raises ImproperlyConfigured when somebody else is asked already."""
    if _finders and find not in _finders:
        raise ImproperlyConfigured("What a booking rests on has two owners.")
    _finders[:] = [find]


def basis_of(journey: Journey, service: HealthcareService) -> str | None:
    """For Appointment.basedOn (standard section 9, workflow 1): referred first, then booked."""
    return next((found for find in _finders if (found := find(journey, service))), None)
