"""Whose rows: managers see and change those of their organisation, auditors see all, superusers may all."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from bars_portal.accounts.acting import Acting
from directory.models import HealthcareService

_SEE_ALL = "audit.view_auditevent"


def acting_in(request: HttpRequest) -> Acting | None:
    return getattr(request, "acting", None)


def changes_everything(request: HttpRequest) -> bool:
    """Reading everything, as auditors do, is no right to change it: a person may have both roles."""
    return bool(getattr(request.user, "is_superuser", False))


def sees_everything(request: HttpRequest) -> bool:
    acting = acting_in(request)
    return changes_everything(request) or (acting is not None and acting.may(_SEE_ALL))


def of_own_services(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows with a `service` that may be seen: of the services that the acting organisation provides."""
    return rows if sees_everything(request) else changeable(request, rows)


def changeable(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows with a `service` that may be changed by whoever may change such rows at all."""
    if changes_everything(request):
        return rows
    acting = acting_in(request)
    return rows.filter(service__provider=acting.organisation) if acting else rows.none()


def own_services(request: HttpRequest) -> QuerySet[HealthcareService]:
    """Hosted services that rows can be made for."""
    hosted = HealthcareService.objects.filter(hosted=True)
    acting = acting_in(request)
    if changes_everything(request):
        return hosted
    return hosted.filter(provider=acting.organisation) if acting else hosted.none()
