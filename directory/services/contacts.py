"""What contact with a service says of its health."""

from datetime import datetime

from django.db.models import Q

from bars_portal.exchange.fhir.identifiers import ServiceID
from directory.models import HealthcareService


def record_contact(*, service_id: ServiceID | str, now: datetime) -> bool:
    """Remember when the service last answered: one UPDATE, never backwards. False when nothing changed."""
    earlier = Q(last_success_at__isnull=True) | Q(last_success_at__lt=now)
    services = HealthcareService.objects.filter(earlier, service_id=str(service_id))
    return services.update(last_success_at=now, failing_since=None) == 1


def record_no_contact(*, service_id: ServiceID | str, now: datetime) -> bool:
    """Remember since when the service does not answer; False when that was known, or it answered since."""
    fine = Q(last_success_at__isnull=True) | Q(last_success_at__lt=now)
    services = HealthcareService.objects.filter(fine, service_id=str(service_id), failing_since__isnull=True)
    return services.update(failing_since=now) == 1
