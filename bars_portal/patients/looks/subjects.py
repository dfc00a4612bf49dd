"""What of a journey is on the trail under which name: rooms above add their own, from an app's ready()."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from bars_portal.accounts.models import Organisation
from bars_portal.exchange.models import InboundMessage, OutboundMessage
from bars_portal.patients.models import Journey, Patient

# Type and id, as AuditEvent keeps them.
Key = tuple[str, str]


@dataclass(frozen=True)
class Source:
    """`subjects`: bookings or cases of these journeys, with what belongs to them.

    `journeys`: those of the organisation whose booking or case has this id or reference.
    """

    subjects: Callable[[Sequence[UUID]], Iterable[Key]]
    journeys: Callable[[Organisation, str], Iterable[UUID]]


_sources: list[Source] = []


def register(source: Source) -> None:
    """Adding it again changes nothing."""
    if source not in _sources:
        _sources.append(source)


def subjects_of(journeys: Sequence[Journey]) -> set[Key]:
    """The journeys, their patients and messages, and what the rooms above have of them."""
    own = set(_own(journeys))
    return own.union(*(source.subjects([journey.pk for journey in journeys]) for source in _sources))


def journeys_called(organisation: Organisation, text: str) -> set[UUID]:
    """By a reference or any id of the journey, or of what is in it."""
    found = {pk for source in _sources for pk in source.journeys(organisation, text)}
    try:
        wanted = UUID(text)
    except ValueError:
        return found
    own = Journey.objects.filter(organisation=organisation)
    for name in ("id", "journey_id", "correlation_id"):
        found.update(own.filter(**{name: wanted}).values_list("pk", flat=True))
    return found


def _own(journeys: Sequence[Journey]) -> Iterator[Key]:
    keys = [journey.pk for journey in journeys]
    conversations = [journey.correlation_id for journey in journeys]
    for pk in keys:
        yield Journey._meta.label_lower, str(pk)
    for pk in Patient.objects.filter(journey__in=keys).values_list("pk", flat=True):
        yield Patient._meta.label_lower, str(pk)
    for model in (InboundMessage, OutboundMessage):
        rows = model._default_manager.filter(correlation_id__in=conversations)
        for pk in rows.values_list("pk", flat=True):
            yield model._meta.label_lower, str(pk)
