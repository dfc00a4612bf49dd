"""What an application reads of itself and its organisation: who it is, what it asked, what happened.

Events are read since a cursor, in order and without gaps.
"""

from collections.abc import Mapping
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api.events import (
    MOST_A_PAGE,
    CursorGone,
    Sight,
    all_types,
    events_after,
    shown,
    stream_of,
)
from bars_portal.api.forms import unknown_parameters
from bars_portal.api.headers import conditional
from bars_portal.api.operations import (
    Json,
    Operation,
    Parameter,
    component,
    moment,
    object_of,
    optional,
    text,
)
from bars_portal.api.problems import FieldFault, Problem, invalid
from bars_portal.api.usage import KEPT_FOR, STEPS, usage_of
from bars_portal.api.views import ApiView

_TAG = "Applications"
USUAL_EVENTS = 100
NOW = "latest"
_LONGEST_CURSOR = 18
CURSOR_PATTERN = rf"^[0-9]{{1,{_LONGEST_CURSOR}}}$"
OWN_APPLICATION = component(
    "Application",
    object_of(
        {
            "id": text("The application's own id.", format="uuid"),
            "name": text(),
            "organisation": object_of({"ods_code": text(), "name": text()}),
            "scopes": {
                "type": "array",
                "items": {"type": "string"},
                "description": "What the token allows.",
            },
            "services": {
                "type": "array",
                "items": {"type": "string"},
                "description": "DoS service ids that it may act for; empty: all.",
            },
            "roles": {
                "type": "array",
                "items": {"type": "string"},
                "description": "What it may state in X-Acting-User.",
            },
            "requests_a_minute": {"type": "integer"},
            "expires_at": optional(moment("When the application ends.")),
        }
    ),
)


class OwnApplication(ApiView):
    """Who the caller is, and what its token allows: the first thing to try."""

    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-own-application",
            "Who am I, and what may I do?",
            None,
            {200: OWN_APPLICATION},
            tag=_TAG,
            is_conditional=True,
        )
    }

    def get(self, request: Request) -> Response:
        application, organisation = self.caller.application, self.acting.organisation
        ends = application.expires_at
        body = {
            "id": str(application.pk),
            "name": application.name,
            "organisation": {"ods_code": organisation.ods_code, "name": organisation.name},
            "scopes": sorted(each.value for each in self.caller.scopes),
            "services": application.service_ids,
            "roles": application.roles,
            "requests_a_minute": application.requests_a_minute,
            "expires_at": ends.isoformat() if ends else None,
        }
        return conditional(request, body)


def _count(description: str) -> dict[str, object]:
    return {"type": "integer", "minimum": 0, "description": description}


USAGE = component(
    "Usage",
    object_of(
        {
            "days": {
                "type": "array",
                "items": object_of(
                    {
                        "day": text("In London.", format="date"),
                        "requests": _count("Those that had a valid token."),
                        "refused": _count("Answered 4xx, too many requests among them."),
                        "failed": _count("Answered 5xx."),
                        "milliseconds_95": _count(
                            "95 of 100 were answered within; as coarse as its steps, "
                            f"{STEPS[0]} to {STEPS[-1]}. A wait by Prefer counts with it."
                        ),
                    }
                ),
                "description": f"The last {KEPT_FOR.days} days with any, the newest first.",
            }
        }
    ),
)


class OwnUsage(ApiView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-own-usage",
            "How much have I asked, and how was it answered?",
            None,
            {200: USAGE},
            description="Some seconds behind.",
            tag=_TAG,
        )
    }

    def get(self, request: Request) -> Response:
        faults = list(unknown_parameters(request, frozenset()))
        if faults:
            raise invalid(faults)
        days = [
            {
                "day": each.day.isoformat(),
                "requests": each.requests,
                "refused": each.refused,
                "failed": each.failed,
                "milliseconds_95": each.milliseconds,
            }
            for each in usage_of(self.caller.application)
        ]
        return Response({"days": days})


EVENT_DATA = object_of(
    {
        "event": text("The event's own id: the webhook-id of its delivery.", format="uuid"),
        "cursor": text("Its place among the organisation's events: where to go on.", pattern=CURSOR_PATTERN),
        "kind": text("What it is about.", enum=sorted({each.partition(".")[0] for each in all_types()})),
        "id": text("Of the booking, referral, validation or reply.", format="uuid"),
        "direction": text(enum=["received", "sent"]),
        "status": text("The state after it."),
        "organisation": text("ODS code."),
        "service": text("DoS service id."),
        "journey": text("The case that it belongs to.", format="uuid"),
    }
)
EVENT = component(
    "Event",
    object_of(
        {
            "type": text("What happened.", enum=all_types()),
            "timestamp": moment("When it happened."),
            "data": EVENT_DATA,
        }
    ),
)
EVENT_PAGE = component(
    "EventPage",
    object_of(
        {
            "items": {"type": "array", "items": EVENT.ref},
            "cursor": text("Send it as after the next time, also when there were none."),
            "has_more": {"type": "boolean", "description": "Ask again at once: there is more."},
        }
    ),
)
_EVENTS_ASKED = (
    Parameter(
        "after",
        text(pattern=rf"^([0-9]{{1,{_LONGEST_CURSOR}}}|{NOW})$"),
        f"The cursor of the answer before. Without it: from the oldest event that is kept (90 days). "
        f"{NOW}: no events, and the cursor of now.",
    ),
    Parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST_A_PAGE, "default": USUAL_EVENTS},
        "How many events this answer may hold.",
    ),
    Parameter("type", text(enum=all_types()), "Only events of this type.", repeats=True),
    Parameter("service", text(), "Only events at this service.", repeats=True),
)


class EventList(ApiView):
    operations: ClassVar = {
        "GET": Operation(
            "list-events",
            "What happened since a cursor, oldest first",
            None,
            {200: EVENT_PAGE},
            description="Of what the token lets you read: sent bookings with bookings:read, sent referrals, "
            "validations and replies with referrals:read, all that was received with worklist:read. An event "
            "is there within about a second. Events hold no clinical content: read what they name.",
            query=_EVENTS_ASKED,
            problems=("cursor-gone",),
            tag="Events",
        )
    }

    def get(self, request: Request) -> Response:
        faults = list(
            unknown_parameters(
                request, {each.name for each in _EVENTS_ASKED}, repeated=frozenset({"type", "service"})
            )
        )
        after, limit = _cursor_asked(request, faults), _limit_asked(request, faults)
        sight = self._sight(request, faults)
        if faults:
            raise invalid(faults)
        organisation = self.acting.organisation
        if request.query_params.get("after") == NOW:
            last = stream_of(organisation).last
            return Response({"items": [], "cursor": str(last), "has_more": False})
        try:
            page = events_after(organisation, after=after, sight=sight, limit=limit)
        except CursorGone:
            raise Problem("cursor-gone") from None
        items: list[Json] = [shown(each, ods_code=organisation.ods_code) for each in page.events]
        return Response({"items": items, "cursor": str(page.cursor), "has_more": page.has_more})

    def _sight(self, request: Request, faults: list[FieldFault]) -> Sight:
        types, services = request.query_params.getlist("type"), request.query_params.getlist("service")
        if not all(each.isascii() and each.isdigit() and len(each) <= 20 for each in services):
            faults.append(FieldFault("service must be a DoS service id.", parameter="service"))
        if set(types) - set(all_types()):
            faults.append(FieldFault("There is no such event type.", parameter="type"))
        own = self.caller.application.service_ids
        wanted = [each for each in services if not own or each in own]
        return Sight(
            permissions=self.acting.permissions,
            service_ids=wanted if services else own or None,
            types=types or None,
        )


def cursor_in(given: str) -> int | None:
    """A cursor as we gave it; None for anything else."""
    plain = given.isascii() and given.isdigit() and len(given) <= _LONGEST_CURSOR
    return int(given) if plain else None


def _cursor_asked(request: Request, faults: list[FieldFault]) -> int | None:
    given = request.query_params.get("after")
    if given is None or given == NOW:
        return None
    found = cursor_in(given)
    if found is None:
        words = f"after must be a cursor that the API gave, or {NOW}."
        faults.append(FieldFault(words, parameter="after"))
    return found


def _limit_asked(request: Request, faults: list[FieldFault]) -> int:
    given = request.query_params.get("limit")
    if given is None:
        return USUAL_EVENTS
    found = int(given) if given.isascii() and given.isdigit() and len(given) <= 4 else 0
    if not 1 <= found <= MOST_A_PAGE:
        faults.append(FieldFault(f"limit must be a number from 1 to {MOST_A_PAGE}.", parameter="limit"))
    return found
