"""What is known of a service's own word, while it counts, and how it changed."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from bars_portal.exchange.registry import ServiceSaid
from directory.capability import Difference, staff_words, stated_words
from directory.models import CapabilityChange, HealthcareService, ServiceCapability

# A service that did not answer is asked again soon, but not by every page.
SILENT_FOR = timedelta(minutes=5)
RECENT = timedelta(days=7)


def kept_for() -> timedelta:
    """How long a service's word counts; the standard allows 24 hours (section 8)."""
    return timedelta(hours=settings.BARS_CAPABILITY_HOURS)


def capability_of(service: HealthcareService, *, now: datetime) -> ServiceCapability | None:
    """None when the service has to be asked."""
    kept = ServiceCapability.objects.filter(service=service).first()
    if kept is None:
        return None
    silent = kept.use_cases is None and kept.booking_use_cases is None
    lasts = min(SILENT_FOR, kept_for()) if silent else kept_for()
    return kept if kept.read_at + lasts > now else None


def agreed_version_with(service: HealthcareService, *, now: datetime) -> str:
    """The version of the standard that both sides know; "" when nothing is known of it now."""
    kept = capability_of(service, now=now)
    return kept.agreed_version if kept is not None else ""


def changes_of(service: HealthcareService, *, most: int = 20) -> Iterator[tuple[datetime, Difference]]:
    """(when it was noticed, what changed), the newest first."""
    changes = CapabilityChange.objects.filter(service=service).exclude(added={}, removed={})
    for each in changes[:most]:
        yield each.noticed_at, Difference(each.added, each.removed)


def last_stated(service: HealthcareService) -> dict[str, list[str]]:
    """{aspect: codes} of its last word, however old; {} when it never said anything."""
    last = CapabilityChange.objects.filter(service=service).first()
    return dict(last.stated) if last is not None else {}


def lately_stopped(*, now: datetime) -> QuerySet[CapabilityChange]:
    """Changes of the last 7 days by which a service stopped taking something."""
    return CapabilityChange.objects.filter(noticed_at__gt=now - RECENT).exclude(removed={})


def said_by(service: HealthcareService) -> ServiceSaid:
    """However old; empty when it never said anything."""
    read_at = ServiceCapability.objects.filter(service=service).values_list("read_at", flat=True).first()
    changes = [(at, staff_words(found)) for at, found in changes_of(service)]
    return ServiceSaid(read_at, stated_words(last_stated(service)), changes)
