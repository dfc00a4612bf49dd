"""What is known of a service's own word, while it counts."""

from datetime import datetime, timedelta

from directory.models import HealthcareService, ServiceCapability

KEPT_FOR = timedelta(hours=12)
# A service that did not answer is asked again soon, but not by every page.
SILENT_FOR = timedelta(minutes=5)


def capability_of(service: HealthcareService, *, now: datetime) -> ServiceCapability | None:
    """None when the service has to be asked."""
    kept = ServiceCapability.objects.filter(service=service).first()
    if kept is None:
        return None
    lasts = SILENT_FOR if kept.use_cases is None else KEPT_FOR
    return kept if kept.read_at + lasts > now else None
