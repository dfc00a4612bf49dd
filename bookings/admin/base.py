"""Who sees which rows: managers those of the organisation they act for, auditors and superusers all."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from bars_portal.accounts.acting import Acting
from directory.models import HealthcareService

_SEE_ALL = "audit.view_auditevent"


def acting_in(request: HttpRequest) -> Acting | None:
    return getattr(request, "acting", None)


def sees_everything(request: HttpRequest) -> bool:
    acting = acting_in(request)
    return bool(getattr(request.user, "is_superuser", False)) or (acting is not None and acting.may(_SEE_ALL))


def of_own_services(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows with a `service`, of the services that the acting organisation provides."""
    if sees_everything(request):
        return rows
    acting = acting_in(request)
    return rows.filter(service__provider=acting.organisation) if acting else rows.none()


def own_services(request: HttpRequest) -> QuerySet[HealthcareService]:
    hosted = HealthcareService.objects.filter(hosted=True)
    acting = acting_in(request)
    if sees_everything(request):
        return hosted
    return hosted.filter(provider=acting.organisation) if acting else hosted.none()
