"""Find a service. Everyone who may find services sees all of them: the directory is not patient data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, overload
from uuid import UUID

from django.db.models import (
    Avg,
    BooleanField,
    Case,
    F,
    FloatField,
    Func,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Left, Length

from directory import ports
from directory.hours import is_open_in_time
from directory.models import SORTED_BY, HealthcareService, Place, Postcode, ServiceType
from directory.models.functions import search_words
from directory.postcodes import Position, UKPostcode, distance_miles, surroundings

# -- where a postcode is, as far as the postcode table knows, and what is nearest to it


class Nearness(StrEnum):
    """How well a search knows the place that distances are measured from."""

    EXACT = "exact"
    # The middle of all postcodes with the same first half.
    AREA = "area"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Origin:
    """`position` is None exactly when the nearness is unknown."""

    postcode: UKPostcode
    position: Position | None
    nearness: Nearness


def locate(postcode: UKPostcode) -> Origin:
    """The postcode itself, else the middle of its area, else unknown."""
    if postcode.is_whole and (position := _exact(postcode)):
        return Origin(postcode, position, Nearness.EXACT)
    if position := _middle(postcode):
        return Origin(postcode, position, Nearness.AREA)
    return Origin(postcode, None, Nearness.UNKNOWN)


def _exact(postcode: UKPostcode) -> Position | None:
    row = Postcode.objects.filter(code=postcode.compact).values_list("latitude", "longitude").first()
    return Position(*row) if row else None


def _middle(postcode: UKPostcode) -> Position | None:
    area = Postcode.objects.annotate(length=Length("code")).filter(
        # The length keeps LS11 4AP out of LS1.
        code__startswith=postcode.outward,
        length=postcode.length_when_whole,
    )
    middle = area.aggregate(latitude=Avg("latitude"), longitude=Avg("longitude"))
    return Position(**middle) if middle["latitude"] is not None else None


@dataclass(frozen=True)
class Measured:
    """`miles` is None where the place of the service is not known."""

    key: UUID
    miles: float | None


def nearest(
    services: "QuerySet[HealthcareService, HealthcareService]", *, here: Position, start: int, stop: int
) -> list[Measured]:
    """Places `start` to `stop` of the services by distance, then by name; those of unknown distance last.

    The index knows neighbours on a flat map of degrees, where east and north do not measure the same. So it
    is asked twice: for as many neighbours as are wanted, whose farthest one gives a radius that certainly
    holds the nearest; then for everything within that radius.
    """
    placed = _placed(services, here, stop)
    found = [Measured(key, miles) for miles, _name, key in placed[start:stop]]
    if len(placed) >= stop:
        return found
    known = len(placed)
    return [*found, *_unplaced(services, max(start - known, 0), stop - known)]


def _placed(services: Any, here: Position, wanted: int) -> list[tuple[float, str, UUID]]:
    """At least as many as are wanted, if there are so many; nearest first."""
    known = services.filter(latitude__isnull=False)
    around = _measure(known.order_by(_FlatDistance(here))[:wanted], here)
    if len(around) == wanted and wanted:
        around = _measure(known.order_by().alias(near=_Within(here, around[-1][0])).filter(near=True), here)
    return around


def _unplaced(services: Any, start: int, stop: int) -> Sequence[Measured]:
    unknown = services.filter(latitude__isnull=True).order_by(Left("folded_name", SORTED_BY), "service_id")
    return [Measured(key, None) for key in unknown.values_list("pk", flat=True)[start:stop]]


def _measure(services: Any, here: Position) -> list[tuple[float, str, UUID]]:
    rows = services.values_list("pk", "folded_name", "latitude", "longitude")
    return sorted(
        (distance_miles(here, Position(latitude, longitude)), name, key)
        for key, name, latitude, longitude in rows
    )


class _FlatDistance(Func):
    """Degrees between a service and a position: the order in which the index walks."""

    template = "(%(expressions)s)"
    arg_joiner = " <-> "
    output_field = FloatField()

    def __init__(self, here: Position) -> None:
        super().__init__(_place(), _point(here))


class _Within(Func):
    """Whether a service is in the rectangle around a circle."""

    template = "(%(expressions)s)"
    arg_joiner = " <@ "
    conditional = True

    def __init__(self, here: Position, miles: float) -> None:
        south_west, north_east = surroundings(here, miles)
        box = Func(_point(south_west), _point(north_east), function="box")
        super().__init__(_place(), box)


def _place() -> Place:
    return Place(F("longitude"), F("latitude"))


def _point(position: Position) -> Place:
    return Place(Value(position.longitude), Value(position.latitude))


# Nobody goes through more: who finds so many asks for something narrower.
# -- the search

MOST_COUNTED = 1_000

# Use cases of Application 5.
_TO_A_PHARMACY = "a5"
_TAKES = {
    "bookings": Q(takes_bookings=True),
    "referrals": Q(takes_referrals=True),
    "both": Q(takes_bookings=True, takes_referrals=True),
}


@dataclass(frozen=True)
class FoundService:
    """`miles` is None where a place is not known, `next_free` where the times of the service are not."""

    service: HealthcareService
    miles: float | None = None
    next_free: datetime | None = None


class ServiceSearch(Sequence[FoundService]):
    """Services that match, by distance where it is known, else by how well the name fits; then by name.

    Its length, and so what can be paged through, ends at `MOST_COUNTED`. `soonest`: those that are free
    soonest come first, as far as their times are known here; needs `now`.

    A sequence for Django's Paginator: nothing is read before its length or a slice is asked for. An exact DoS
    service id also finds a service that is not active. Raises InvalidPostcode, and KeyError for an unknown
    `takes`.
    """

    def __init__(
        self,
        *,
        text: str = "",
        postcode: str = "",
        service_id: str = "",
        service_type: str = "",
        use_case: str = "",
        takes: str = "",
        soonest: bool = False,
        now: datetime | None = None,
    ) -> None:
        self.origin: Origin | None = locate(UKPostcode.parse(postcode)) if postcode else None
        exact = {
            "service_id": service_id,
            "service_type": service_type,
            "accepted_use_cases__contains": [use_case] if use_case else None,
            "active": None if service_id else True,
        }
        services = HealthcareService.objects.filter(**{key: value for key, value in exact.items() if value})
        services = services.filter(_TAKES[takes]) if takes else services
        if now and takes in ("referrals", "both"):
            services = services.exclude(paused_until__gt=now)
        self._words = search_words(text)
        self._all = _named(services.filter(_near(self.origin)), text, self._words)
        # Somebody looks for a pharmacy to send a patient to, and names none.
        walks_in = service_type == ServiceType.PHARMACY or use_case.startswith(_TO_A_PHARMACY)
        self._now = now if walks_in and not service_id else None
        self._free = ports.next_free.provider(now) if now else {}
        self._soonest = soonest

    @property
    def left_out(self) -> int:
        """How many pharmacies are closed, or close soon, and do not open again within a day; needs `now`."""
        return len(self._closed)

    @cached_property
    def _matches(self) -> "QuerySet[HealthcareService]":
        return self._all.exclude(pk__in=self._closed) if self._closed else self._all

    @cached_property
    def _closed(self) -> list[UUID]:
        """Judged once for each set of hours that there is: many pharmacies share theirs."""
        if self._now is None:
            return []
        pharmacies = self._all.filter(service_type=ServiceType.PHARMACY).order_by()
        judged: dict[str, bool] = {}
        closed = []
        for key, hours, holidays in pharmacies.values_list("pk", "opening_hours", "bank_holiday_hours"):
            pattern = f"{hours} {holidays}"
            if pattern not in judged:
                judged[pattern] = is_open_in_time(hours, now=self._now, on_bank_holidays=holidays)
            if not judged[pattern]:
                closed.append(key)
        return closed

    def __len__(self) -> int:
        return self._total

    @overload
    def __getitem__(self, part: int) -> FoundService: ...

    @overload
    def __getitem__(self, part: slice) -> list[FoundService]: ...

    def __getitem__(self, part: int | slice) -> FoundService | list[FoundService]:
        if isinstance(part, int):
            return self[part : part + 1][0]
        start, stop = part.start or 0, len(self) if part.stop is None else part.stop
        measured = self._by_time(start, stop) if self._soonest else self._page(self._matches, start, stop)
        return list(_loaded(measured, self._free))

    def _by_time(self, start: int, stop: int) -> list[Measured]:
        """Those whose times are known, soonest first; then the others in their usual order."""
        known = self._page(self._matches.filter(pk__in=self._free), 0, len(self._free))
        known.sort(key=lambda each: self._free[each.key])
        others = self._matches.exclude(pk__in=self._free)
        rest = self._page(others, max(start - len(known), 0), max(stop - len(known), 0))
        return [*known[start:stop], *rest]

    def _page(self, matches: "QuerySet[HealthcareService]", start: int, stop: int) -> list[Measured]:
        here = self.origin.position if self.origin else None
        if here is not None:
            return nearest(matches, here=here, start=start, stop=stop)
        rank = [_rank(self._words)] if self._words else []
        by_name = matches.order_by(*rank, Left("folded_name", SORTED_BY), "service_id")
        return [Measured(key, None) for key in by_name.values_list("pk", flat=True)[start:stop]]

    @cached_property
    def _total(self) -> int:
        """At most `MOST_COUNTED`, so that counting costs the same whatever is asked."""
        return self._matches.order_by()[:MOST_COUNTED].count()


def find_services(
    *,
    text: str = "",
    postcode: str = "",
    service_id: str = "",
    service_type: str = "",
    use_case: str = "",
    takes: str = "",
    limit: int = 20,
    offset: int = 0,
) -> list[FoundService]:
    """One page of `ServiceSearch`. `takes`: "", "bookings", "referrals" or "both"."""
    search = ServiceSearch(
        text=text,
        postcode=postcode,
        service_id=service_id,
        service_type=service_type,
        use_case=use_case,
        takes=takes,
    )
    return search[offset : offset + limit]


def _near(origin: Origin | None) -> Q:
    """Without a known place only the same first half of the postcode is sure to be near."""
    if origin is None or origin.nearness is not Nearness.UNKNOWN:
        return Q()
    outward = origin.postcode.outward
    return Q(postcode__startswith=f"{outward} ") | Q(postcode=outward)


def _named(
    services: "QuerySet[HealthcareService]", text: str, words: Sequence[str]
) -> "QuerySet[HealthcareService]":
    """Each word begins one of the service's name or of its provider's; what holds no word finds nothing."""
    if not words:
        return services.none() if text.strip() else services
    return services.alias(found=_HasWords(F("words"), words)).filter(found=True)


def _rank(words: Sequence[str]) -> Case:
    """0 is the best fit: the name begins so; 1: all of it is in the name; 2: some in the provider's."""
    in_name = Q(*(Q(folded_name__contains=word) for word in words))
    return Case(
        When(folded_name__startswith=" ".join(words), then=Value(0)),
        When(in_name, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )


class _HasWords(Func):
    """Whether the vector has a word that begins like each of these. Folded words hold no quotes."""

    template = "(%(expressions)s::tsquery)"
    arg_joiner = " @@ "
    conditional = True
    output_field = BooleanField()

    def __init__(self, vector: F | Func, words: Sequence[str]) -> None:
        super().__init__(vector, Value(" & ".join(f"'{word}':*" for word in words)))


def _loaded(measured: list[Measured], free: Mapping[UUID, datetime]) -> Iterator[FoundService]:
    shown = HealthcareService.objects.select_related("provider").prefetch_related("endpoints")
    services = shown.in_bulk([each.key for each in measured])
    there = (each for each in measured if each.key in services)
    return (FoundService(services[each.key], each.miles, free.get(each.key)) for each in there)
