"""Find a service. Everyone who may find services sees all of them: the directory is not patient data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload
from uuid import UUID

from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Replace, Upper

from directory.folding import Folded, search_words
from directory.geo import Position, distance_miles
from directory.models import HealthcareService, Postcode
from directory.postcodes import UKPostcode
from directory.selectors.places import Nearness, Origin, locate

_TAKES = {
    "bookings": Q(takes_bookings=True),
    "referrals": Q(takes_referrals=True),
    "both": Q(takes_bookings=True, takes_referrals=True),
}


@dataclass(frozen=True)
class FoundService:
    """`miles` is None where the place of the service, or of the search, is not known."""

    service: HealthcareService
    miles: float | None = None


class ServiceSearch(Sequence[FoundService]):
    """Services that match, by distance where it is known, else by how well the name fits; then by name.

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
        self._matches = _named(services.filter(_near(self.origin)), search_words(text))

    def __len__(self) -> int:
        return len(self._by_distance) if self._measured else self._total

    @overload
    def __getitem__(self, part: int) -> FoundService: ...

    @overload
    def __getitem__(self, part: slice) -> list[FoundService]: ...

    def __getitem__(self, part: int | slice) -> FoundService | list[FoundService]:
        if isinstance(part, int):
            return self[part : part + 1][0]
        if not self._measured:
            ranked = self._matches.select_related("provider").order_by(F("rank"), "folded_name", "service_id")
            return [FoundService(service) for service in ranked[part]]
        return list(_loaded(self._by_distance[part]))

    @property
    def _measured(self) -> bool:
        return self.origin is not None and self.origin.position is not None

    @cached_property
    def _total(self) -> int:
        return self._matches.count()

    @cached_property
    def _by_distance(self) -> list["_Measured"]:
        """Key and distance of every match: light rows, since the distance orders them all."""
        here = self.origin.position if self.origin else None
        if here is None:
            return []
        rows = self._matches.order_by().values_list("pk", "folded_name", *_position())
        measured = [_measure(here, *row) for row in rows]
        return sorted(measured, key=_Measured.order)


@dataclass(frozen=True)
class _Measured:
    key: UUID
    name: str
    miles: float | None

    def order(self) -> tuple[bool, float, str, UUID]:
        """Nearest first; those of unknown distance last."""
        return self.miles is None, self.miles or 0.0, self.name, self.key


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


def _named(services: QuerySet[HealthcareService], words: list[str]) -> QuerySet[HealthcareService]:
    """Each word is in the name of the service or of its provider; rank 0 is the best fit."""
    if not words:
        return services.annotate(rank=Value(0))
    in_name, anywhere = Q(), Q()
    for word in words:
        in_name &= Q(folded_name__contains=word)
        anywhere &= Q(folded_name__contains=word) | Q(folded_provider__contains=word)
    rank = Case(
        When(Q(folded_name__startswith=" ".join(words)), then=Value(0)),
        When(in_name, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return services.annotate(folded_provider=Folded(F("provider__name"))).filter(anywhere).annotate(rank=rank)


def _position() -> tuple[Subquery, Subquery]:
    """Latitude and longitude of a service's postcode, as expressions."""
    code = Replace(Upper(OuterRef("postcode")), Value(" "), Value(""))
    place = Postcode.objects.filter(code=code)
    return Subquery(place.values("latitude")), Subquery(place.values("longitude"))


def _measure(
    here: Position, key: UUID, name: str, latitude: float | None, longitude: float | None
) -> _Measured:
    if latitude is None or longitude is None:
        return _Measured(key, name, None)
    return _Measured(key, name, distance_miles(here, Position(latitude, longitude)))


def _loaded(measured: list[_Measured]) -> Iterator[FoundService]:
    services = HealthcareService.objects.select_related("provider").in_bulk([each.key for each in measured])
    return (FoundService(services[each.key], each.miles) for each in measured if each.key in services)
