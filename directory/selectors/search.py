"""Find a service. Everyone who may find services sees all of them: the directory is not patient data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

from django.contrib.postgres.search import SearchVectorField
from django.db.models import BooleanField, Case, F, Func, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Left

from directory.folding import search_words
from directory.models import SORTED_BY, HealthcareService
from directory.postcodes import UKPostcode
from directory.selectors.nearest import Measured, nearest
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
        self._words = search_words(text)
        self._matches = _named(services.filter(_near(self.origin)), text, self._words)

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
        return list(_loaded(self._page(start, stop)))

    def _page(self, start: int, stop: int) -> list[Measured]:
        here = self.origin.position if self.origin else None
        if here is not None:
            return nearest(self._matches, here=here, start=start, stop=stop)
        return [Measured(key, None) for key in self._by_name().values_list("pk", flat=True)[start:stop]]

    def _by_name(self) -> "QuerySet[HealthcareService]":
        rank = [_rank(self._words)] if self._words else []
        return self._matches.order_by(*rank, Left("folded_name", SORTED_BY), "service_id")

    @cached_property
    def _total(self) -> int:
        return self._matches.count()


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
    return Case(
        When(folded_name__startswith=" ".join(words), then=Value(0)),
        When(_HasWords(_WordsOf("name"), words), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )


class _WordsOf(Func):
    function = "directory_words"
    arity = 1
    output_field = SearchVectorField()


class _HasWords(Func):
    """Whether the vector has a word that begins like each of these. Folded words hold no quotes."""

    template = "(%(expressions)s::tsquery)"
    arg_joiner = " @@ "
    conditional = True
    output_field = BooleanField()

    def __init__(self, vector: F | Func, words: Sequence[str]) -> None:
        super().__init__(vector, Value(" & ".join(f"'{word}':*" for word in words)))


def _loaded(measured: list[Measured]) -> Iterator[FoundService]:
    shown = HealthcareService.objects.select_related("provider").prefetch_related("endpoints")
    services = shown.in_bulk([each.key for each in measured])
    return (FoundService(services[each.key], each.miles) for each in measured if each.key in services)
