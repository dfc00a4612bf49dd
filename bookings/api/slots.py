"""Free times, asked of the services themselves, as on the pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar

from django.core import signing
from django.urls import re_path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.api.callers import Caller
from bars_portal.api.forms import unknown_parameters
from bars_portal.api.operations import (
    Json,
    Operation,
    Parameter,
    Scope,
    component,
    moment,
    object_of,
    optional,
    text,
)
from bars_portal.api.problems import FieldFault, Problem, invalid
from bars_portal.api.views import ApiView
from bars_portal.exchange.gateway.client import client_for_page
from bars_portal.nhsuk.dates import LONDON, in_london
from bookings.mapping.offers import OfferedSlot
from bookings.policies import check_accepts_bookings, check_is_booked, check_reachable
from bookings.presenters.slots import SlotPage, use_case_options
from bookings.services.running import find_times
from bookings.slots import (
    DAYS_SHOWN,
    FURTHEST,
    SlotProblem,
    SlotSearch,
    compare_services,
    days_from,
    search_slots,
    still_offered,
)
from directory.api.services import USE_CASE, service_to_act_for
from directory.models import HealthcareService, ServiceCapability
from directory.remote import sender_identity
from directory.services.entries import read_capability

# A service may refuse a search over more days (standard section 7).
MOST_DAYS = 31
# As many as a page compares.
MOST_SERVICES = 20
NOT_BOOKABLE = "not-bookable"
_SALT = "bars_portal.api slot"
# Of a request that names one: what an example holds, and what can go wrong.
EXAMPLE_SLOT = "the id of a slot"
SLOT_PROBLEMS = ("slot-gone", "slot-not-confirmed", "acting-user-missing")

SLOT = component(
    "Slot",
    object_of(
        {
            "id": text("Opaque: what a booking names. Keep it as it is."),
            "start": moment(),
            "end": moment(),
            "with": text('Who the appointment is with, as far as the service says; else "".'),
            "role": text(),
            "gender": text(),
            "how": text('"In person", "Telephone", "Video" ...; "" when the service does not say.'),
            "place": text(),
            "lacks_details": {"type": "boolean", "description": "The service left out whose or where it is."},
        }
    ),
)
_PROBLEM = object_of(
    {
        "code": text(enum=[*(each.value for each in SlotProblem), NOT_BOOKABLE]),
        "detail": text("In a sentence for the user."),
    }
)
SLOTS = component(
    "SlotsOfService",
    object_of(
        {
            "service": object_of({"id": text(), "name": text()}),
            "slots": {"type": "array", "items": SLOT.ref, "description": "In order of time."},
            "problem": optional({**_PROBLEM, "description": "Why there are none; null when there are."}),
            "not_shown": {
                "type": "array",
                "items": {"type": "string"},
                "description": "What else the service has or may have, and why it is not here.",
            },
            "use_cases": {
                "type": "array",
                "items": USE_CASE,
                "description": "What may be booked there: one of them is the booking's use_case.",
            },
        }
    ),
)
SLOTS_OF_MANY = component(
    "SlotsOfServices",
    object_of(
        {
            "results": {"type": "array", "items": SLOTS.ref, "description": "As they were asked for."},
            "is_complete": {
                "type": "boolean",
                "description": "Every service answered; else problem says which did not.",
            },
        }
    ),
)
_WHEN = (
    Parameter(
        "from",
        text(examples=["2026-12-01", "2026-12-01T09:00:00+00:00"]),
        "The first time, or London day. Usual: now.",
    ),
    Parameter(
        "to", text(), f"The last time, or London day. Usual: {DAYS_SHOWN} days on; at most {MOST_DAYS}."
    ),
)


@dataclass(frozen=True)
class Window:
    """From when to when is asked: both aware, both included."""

    start: datetime
    end: datetime


class _SlotView(ApiView):
    def window(self, request: Request, *, now: datetime, repeated: frozenset[str] = frozenset()) -> Window:
        """Raises Problem."""
        known = {each.name for each in self.operations["GET"].query}
        faults = list(unknown_parameters(request, known, repeated=repeated))
        start, end = (_bound(request, name, faults) for name in ("from", "to"))
        begin = now if start is None else max(start[0], now)
        until = end[1] if end is not None else begin + timedelta(days=DAYS_SHOWN)
        if not faults and until < begin:
            faults.append(FieldFault("to must not be before from, or in the past.", parameter="to"))
        if not faults and until - begin > timedelta(days=MOST_DAYS):
            faults.append(FieldFault(f"Ask for {MOST_DAYS} days at most.", parameter="to"))
        if not faults and begin > now + FURTHEST:
            faults.append(FieldFault("from must be within the next 6 months.", parameter="from"))
        if faults:
            raise invalid(faults)
        return Window(begin, until)


class SlotsOfService(_SlotView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-slots-of-service",
            "Free times of one service",
            Scope.SLOTS_READ,
            {200: SLOTS},
            description="Asked of the service at this moment. Why there are none is told, never an error.",
            query=_WHEN,
            problems=("not-found",),
            tag="Slots",
        )
    }

    def get(self, request: Request, service_id: str) -> Response:
        now = timezone.now()
        window, service = self.window(request, now=now), service_to_act_for(self.caller, service_id)
        try:
            capability = ask_bookable(request, self.caller, service, now=now)
        except PolicyRefused as refusal:
            return Response(_slots_json(service, [], problem=(NOT_BOOKABLE, refusal.sentence)))
        client, start, end = client_for_page(request._request), window.start, window.end
        if self.acting.stated is not None:
            search = find_times(client, service=service, start=start, end=end, acting=self.acting, now=now)
        else:
            # A program that asks again and again waits for nothing.
            sender = sender_identity(self.acting)
            search = search_slots(client, service=service, start=start, end=end, sender=sender, now=now)
        return Response(found_json(service, search, use_case_options(service, capability)))


class SlotsOfServices(_SlotView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-slots-of-services",
            "Free times of several services, asked at once",
            Scope.SLOTS_READ,
            {200: SLOTS_OF_MANY},
            description="One that does not answer in some seconds is told as such, and holds up no other.",
            query=(
                Parameter(
                    "service",
                    text(pattern="^[0-9]{1,20}$"),
                    f"A DoS service id; {MOST_SERVICES} at most.",
                    is_required=True,
                    repeats=True,
                ),
                *_WHEN,
            ),
            tag="Slots",
        )
    }

    def get(self, request: Request) -> Response:
        now = timezone.now()
        window = self.window(request, now=now, repeated=frozenset({"service"}))
        services = self._services(request)
        searches = compare_services(
            client_for_page(request._request),
            services=services,
            start=window.start,
            end=window.end,
            sender=sender_identity(self.acting),
            now=now,
        )
        found = {service.pk: search for service, search in searches}
        results = [found_json(each, found[each.pk], use_case_options(each, None)) for each in services]
        is_complete = all(each.problem in (None, SlotProblem.NONE_IN_RANGE) for each in found.values())
        return Response({"results": results, "is_complete": is_complete})

    def _services(self, request: Request) -> list[HealthcareService]:
        ids = list(dict.fromkeys(request.query_params.getlist("service")))
        if not 1 <= len(ids) <= MOST_SERVICES:
            fault = FieldFault(f"Name 1 to {MOST_SERVICES} services.", parameter="service")
            raise invalid([fault])
        try:
            return [service_to_act_for(self.caller, each) for each in ids]
        except Problem as problem:
            if problem.type.name != "not-found":
                raise
            raise invalid([FieldFault("There is no such service.", parameter="service")]) from None


def ask_bookable(
    request: Request, caller: Caller, service: HealthcareService, *, now: datetime
) -> ServiceCapability:
    """What the service takes, when it can be booked at all; as the page asks. Raises PolicyRefused."""
    check_is_booked(service)
    check_reachable(service, now)
    capability = read_capability(
        client_for_page(request._request), service=service, sender=sender_identity(caller.acting), now=now
    )
    check_accepts_bookings(service, capability)
    return capability


def found_json(service: HealthcareService, search: SlotSearch, use_cases: Iterable[tuple[str, str]]) -> Json:
    today = in_london(timezone.now()).date()
    problem = (search.problem.value, search.problem.sentence) if search.problem else None
    slots = [slot_json(service, each) for each in search.offers]
    told = SlotPage(search, today, today).not_shown
    return _slots_json(service, slots, problem=problem, not_shown=told, use_cases=use_cases)


def _slots_json(
    service: HealthcareService,
    slots: list[Json],
    *,
    problem: tuple[str, str] | None = None,
    not_shown: Iterable[str] = (),
    use_cases: Iterable[tuple[str, str]] = (),
) -> Json:
    return {
        "service": {"id": service.service_id, "name": service.name},
        "slots": slots,
        "problem": {"code": problem[0], "detail": problem[1]} if problem else None,
        "not_shown": list(not_shown),
        "use_cases": [{"code": code, "name": name} for code, name in use_cases],
    }


def slot_json(service: HealthcareService, offer: OfferedSlot) -> Json:
    return {
        "id": signing.dumps([service.service_id, offer.id, offer.start.isoformat()], salt=_SALT),
        "start": in_london(offer.start).isoformat(),
        "end": in_london(offer.end).isoformat(),
        "with": offer.practitioner_name,
        "role": offer.role,
        "gender": offer.gender,
        "how": offer.delivery_channel,
        "place": offer.location_name,
        "lacks_details": offer.lacks_details,
    }


@dataclass(frozen=True)
class NamedSlot:
    """What a slot's id says."""

    service_id: str
    slot_id: str
    start: datetime


def named_slot(text_of: object) -> NamedSlot | None:
    """None for what no search gave."""
    try:
        service_id, slot_id, start = signing.loads(str(text_of), salt=_SALT)
        return NamedSlot(str(service_id), str(slot_id), datetime.fromisoformat(str(start)))
    except (signing.BadSignature, ValueError):
        return None


def chosen_offer(
    request: Request, caller: Caller, service: HealthcareService, named: NamedSlot, *, now: datetime
) -> OfferedSlot:
    """The time as the service offers it at this moment. Raises Problem."""
    found = still_offered(
        client_for_page(request._request),
        service=service,
        slot_id=named.slot_id,
        start=named.start,
        sender=sender_identity(caller.acting),
        now=now,
    )
    if isinstance(found, OfferedSlot):
        return found
    raise Problem("slot-gone" if found.is_gone else "slot-not-confirmed", found.sentence)


def _bound(request: Request, name: str, faults: list[FieldFault]) -> tuple[datetime, datetime] | None:
    """The first and the last moment that the parameter may mean; None when it is not there or unusable."""
    given = request.query_params.get(name)
    if given is None:
        return None
    try:
        if len(given) == len("2026-12-01"):
            return days_from(date.fromisoformat(given), days=1)
        # A plus that was not escaped arrives as a blank.
        found = datetime.fromisoformat(given.replace(" ", "+"))
        if found.tzinfo is not None:
            return (found.astimezone(LONDON),) * 2
    except (ValueError, OverflowError):
        pass
    words = (
        f"{name} must be a date like 2026-12-01, or a time with its offset like 2026-12-01T09:00:00+00:00."
    )
    faults.append(FieldFault(words, parameter=name))
    return None


urlpatterns = [
    re_path(r"^slots/?$", SlotsOfServices.as_view(), name="api-slots"),
    re_path(
        r"^services/(?P<service_id>[0-9]{1,20})/slots/?$", SlotsOfService.as_view(), name="api-service-slots"
    ),
]
