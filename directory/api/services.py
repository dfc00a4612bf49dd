"""Services in the REST API, as the pages find and show them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import ClassVar

from django.urls import re_path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api import paging
from bars_portal.api.callers import Caller
from bars_portal.api.forms import asked, parameters_of
from bars_portal.api.headers import conditional
from bars_portal.api.operations import Json, Operation, Scope, component, moment, object_of, optional, text
from bars_portal.api.problems import Problem
from bars_portal.api.views import ApiView
from bars_portal.exchange.circuits import not_answering
from directory.capability import use_cases_in_words
from directory.forms import SOONEST, ServiceSearchForm
from directory.models import HealthcareService, ServiceType
from directory.presenters import ServiceView, obstacle_to_booking, present, present_found
from directory.selectors.search import ServiceSearch
from directory.selectors.services import service_by_id

USE_CASE = object_of({"code": text("Of usecases-categories-bars."), "name": text()})
SERVICE = component(
    "Service",
    object_of(
        {
            "id": text("Its DoS service id."),
            "name": text(),
            "type": object_of({"code": text(enum=list(ServiceType.values)), "name": text()}),
            "provider": object_of({"ods_code": text(), "name": text()}),
            "address": {"type": "array", "items": {"type": "string"}},
            "phone": text(),
            "miles": optional({"type": "number", "description": "From the postcode asked for, where known."}),
            "next_free": optional(moment("The first free time, where its times are known here.")),
            "opening": object_of(
                {
                    "is_open": optional({"type": "boolean", "description": "Null: not known."}),
                    "words": text(),
                    "changes_at": optional(moment()),
                    "week": {
                        "type": "array",
                        "items": object_of({"day": text(), "hours": text("In words, London time.")}),
                    },
                    "bank_holidays": text('In words; "" when not known.'),
                }
            ),
            "accepts": {"type": "array", "items": USE_CASE, "description": "What it takes patients for."},
            "takes_bookings": {"type": "boolean"},
            "takes_referrals": {"type": "boolean"},
            "requires_booking": {"type": "boolean"},
            "cannot_be_booked": optional(text("Why it cannot be booked, in a sentence for the user.")),
            "health": object_of(
                {
                    "last_success_at": optional(moment("When it last answered us.")),
                    "not_answering_since": optional(moment("Since when it does not answer.")),
                }
            ),
            "notes": {
                "type": "array",
                "items": {"type": "string"},
                "description": "What to tell the user before they choose it.",
            },
        }
    ),
)
SERVICE_PAGE = component("ServicePage", paging.page_schema(SERVICE.ref))


class ServiceList(ApiView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "find-services",
            "Find services",
            Scope.SERVICES_READ,
            {200: SERVICE_PAGE},
            description="With every filter of the portal's own page; without one, all of them by name.",
            query=(*parameters_of(ServiceSearchForm), *paging.PARAMETERS),
            tag="Services",
        )
    }

    def get(self, request: Request) -> Response:
        page = paging.asked_page(request, kinds=(int,))
        wanted = asked(ServiceSearchForm, request, beside=paging.PARAMETERS).cleaned_data
        now, start = timezone.now(), int(page.after[0]) if page.after else 0
        search = ServiceSearch(
            text=wanted["name"],
            postcode=wanted["postcode"],
            service_id=wanted["dos_id"],
            service_type=wanted["type"],
            use_case=wanted["use_case"],
            takes=wanted["takes"],
            soonest=wanted["order"] == SOONEST,
            now=now,
        )
        stop = min(start + page.limit, len(search))
        found = search[start:stop] if 0 <= start < stop else []
        silent = not_answering(each.service.service_id for each in found)
        items = []
        for each in found:
            since = silent.get(each.service.service_id)
            view = present_found(each, search.origin, now=now, not_answering=since)
            items.append(
                service_json(each.service, view, miles=each.miles, next_free=each.next_free, silent=since)
            )
        return paging.page_response(request, items, (stop,) if stop < len(search) else None)


class OneService(ApiView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-service",
            "Read one service",
            Scope.SERVICES_READ,
            {200: SERVICE},
            problems=("not-found",),
            is_conditional=True,
            tag="Services",
        )
    }

    def get(self, request: Request, service_id: str) -> Response:
        service, now = service_of(service_id), timezone.now()
        since = not_answering([service.service_id]).get(service.service_id)
        view = present(service, now=now, not_answering=since)
        obstacle = view.obstacle or obstacle_to_booking(service, now=now)
        return conditional(request, service_json(service, view, silent=since, obstacle=obstacle))


def service_of(service_id: str) -> HealthcareService:
    """Raises Problem."""
    found = service_by_id(service_id)
    if found is None:
        raise Problem("not-found")
    return found


def service_to_act_for(caller: Caller, service_id: str) -> HealthcareService:
    """One that the application may act for. Raises Problem."""
    found = service_of(service_id)
    if not caller.application.may_act_for(found.service_id):
        raise Problem("not-allowed", "This application may not act for this service.")
    return found


def service_json(
    service: HealthcareService,
    view: ServiceView,
    *,
    miles: float | None = None,
    next_free: datetime | None = None,
    silent: datetime | None = None,
    obstacle: str = "",
) -> Json:
    """SERVICE: the facts, and the words of the page beside them."""
    return {
        "id": service.service_id,
        "name": service.name,
        "type": {"code": service.service_type, "name": view.kind},
        "provider": {"ods_code": service.provider.ods_code, "name": service.provider.name},
        "address": list(view.address),
        "phone": service.phone,
        "miles": None if miles is None else round(miles, 1),
        "next_free": _text(next_free),
        "opening": {
            "is_open": view.opening.open_now,
            "words": view.opening.text,
            "changes_at": _text(view.opening.changes_at),
            "week": [{"day": day, "hours": hours} for day, hours in view.week],
            "bank_holidays": view.bank_holidays,
        },
        "accepts": list(use_cases_json(service.accepted_use_cases)),
        "takes_bookings": service.takes_bookings,
        "takes_referrals": view.takes_referrals,
        "requires_booking": service.requires_booking,
        "cannot_be_booked": obstacle or view.obstacle or None,
        "health": {
            "last_success_at": _text(service.last_success_at),
            "not_answering_since": _text(silent or service.failing_since),
        },
        "notes": list(view.notes),
    }


def use_cases_json(codes: list[str]) -> Iterator[Json]:
    for code in codes:
        yield {"code": code, "name": next(iter(use_cases_in_words([code])), code)}


def _text(moment_of: datetime | None) -> str | None:
    return None if moment_of is None else moment_of.isoformat()


urlpatterns = [
    re_path(r"^services/?$", ServiceList.as_view(), name="api-services"),
    re_path(r"^services/(?P<service_id>[0-9]{1,20})/?$", OneService.as_view(), name="api-service"),
]
