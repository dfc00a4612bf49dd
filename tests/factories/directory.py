"""Services, endpoints and postcodes for tests."""

from collections.abc import Mapping
from itertools import count
from typing import Any

from bars_portal.accounts.models import Organisation
from directory.models import Endpoint, HealthcareService, Postcode, ServiceType
from tests.factories.accounts import make_organisation

ALWAYS = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
_numbers = count(1)


def make_service(*, provider: Organisation | None = None, **changes: Any) -> HealthcareService:
    """An active, hosted urgent treatment centre that takes bookings, with `changes` to any field."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        # No test names a service like that: 2000... is what they name.
        "service_id": f"2001{number:06d}",
        "name": f"Test service {number}",
        "service_type": ServiceType.URGENT_TREATMENT_CENTRE,
        "hosted": True,
        "accepted_use_cases": ["a1t2"],
        **changes,
    }
    return HealthcareService.objects.create(provider=provider or make_organisation(), **fields)


def make_endpoint(*, service: HealthcareService | None = None, **changes: Any) -> Endpoint:
    owner = service or make_service()
    fields: dict[str, Any] = {
        "name": f"Endpoint of {owner.name}",
        "address": "https://receiver.example.nhs.uk/FHIR/R4",
        "managing_organisation": owner.provider,
        **changes,
    }
    return Endpoint.objects.create(service=owner, **fields)


def make_postcodes(places: Mapping[str, tuple[float, float]]) -> None:
    """Rows of the postcode table by compact code: {"LS14AP": (53.79, -1.55)}."""
    Postcode.objects.bulk_create(
        Postcode(code=code, latitude=latitude, longitude=longitude)
        for code, (latitude, longitude) in places.items()
    )
