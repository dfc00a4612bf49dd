"""GET events: everything that happened since a cursor, in order and without gaps."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api.events.kinds import all_types
from bars_portal.api.events.stream import MOST_A_PAGE, CursorGone, Sight, events_after, shown, stream_of
from bars_portal.api.forms import unknown_parameters
from bars_portal.api.operations import Json, Operation, Parameter, component, moment, object_of, text
from bars_portal.api.problems import FieldFault, Problem, invalid
from bars_portal.api.views import ApiView

USUAL_PAGE = 100
NOW = "latest"
_LONGEST_CURSOR = 18
CURSOR_PATTERN = rf"^[0-9]{{1,{_LONGEST_CURSOR}}}$"

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
_QUERY = (
    Parameter(
        "after",
        text(pattern=rf"^([0-9]{{1,{_LONGEST_CURSOR}}}|{NOW})$"),
        f"The cursor of the answer before. Without it: from the oldest event that is kept (90 days). "
        f"{NOW}: no events, and the cursor of now.",
    ),
    Parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST_A_PAGE, "default": USUAL_PAGE},
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
            query=_QUERY,
            problems=("cursor-gone",),
            tag="Events",
        )
    }

    def get(self, request: Request) -> Response:
        faults = list(
            unknown_parameters(
                request, {each.name for each in _QUERY}, repeated=frozenset({"type", "service"})
            )
        )
        after, limit = _after(request, faults), _limit(request, faults)
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


def _after(request: Request, faults: list[FieldFault]) -> int | None:
    given = request.query_params.get("after")
    if given is None or given == NOW:
        return None
    found = cursor_in(given)
    if found is None:
        words = f"after must be a cursor that the API gave, or {NOW}."
        faults.append(FieldFault(words, parameter="after"))
    return found


def _limit(request: Request, faults: list[FieldFault]) -> int:
    given = request.query_params.get("limit")
    if given is None:
        return USUAL_PAGE
    found = int(given) if given.isascii() and given.isdigit() and len(given) <= 4 else 0
    if not 1 <= found <= MOST_A_PAGE:
        faults.append(FieldFault(f"limit must be a number from 1 to {MOST_A_PAGE}.", parameter="limit"))
    return found
