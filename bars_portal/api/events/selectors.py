"""Reading on: an organisation's events after a cursor, of what a reader may see; bounded in time and size."""

from collections.abc import Collection
from dataclasses import dataclass

from bars_portal.accounts.models import Organisation
from bars_portal.api.models import Event, EventStream

MOST_A_PAGE = 1000
# Whoever sees little of much is not answered after a look at all of it: so many are looked at for one page.
LOOKED_AT = 20_000


class CursorGone(Exception):
    """Events after this cursor are no longer all there: to go on would leave a gap without a word."""


@dataclass(frozen=True)
class Sight:
    """What a reader may see or wants to: permissions, services and types; None: all of them."""

    permissions: frozenset[str]
    service_ids: Collection[str] | None = None
    types: Collection[str] | None = None

    def lookup(self) -> dict[str, object]:
        """For filter()."""
        found: dict[str, object] = {"needs__in": sorted(self.permissions)}
        if self.service_ids is not None:
            found["service_id__in"] = sorted(self.service_ids)
        if self.types is not None:
            found["type__in"] = sorted(self.types)
        return found


@dataclass(frozen=True)
class EventPage:
    """Oldest first; `cursor`: where to go on, also when nothing was found; `has_more`: whether to at once."""

    events: list[Event]
    cursor: int
    has_more: bool


def stream_of(organisation: Organisation) -> EventStream:
    """How far its events go; of one to which nothing ever happened too."""
    found = EventStream.objects.filter(pk=organisation.pk).first()
    return found or EventStream(organisation=organisation)


def events_after(
    organisation: Organisation, *, after: int | None, sight: Sight, limit: int = MOST_A_PAGE
) -> EventPage:
    """`after` None: from the oldest that is kept. Raises CursorGone."""
    stream = stream_of(organisation)
    begin = stream.forgotten if after is None else after
    if begin < stream.forgotten:
        raise CursorGone
    end = min(stream.last, begin + LOOKED_AT)
    within = Event.objects.filter(organisation=organisation, position__gt=begin, position__lte=end)
    found = list(within.filter(**sight.lookup()).order_by("position")[:limit])
    last = found[-1].position if len(found) == limit else None
    # A cursor from the future stays what it is: what comes until then is not told twice.
    cursor = max(begin, end) if last is None else last
    return EventPage(found, cursor, cursor < stream.last)
