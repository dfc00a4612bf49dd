"""What events tell of: each app registers its kinds of things, and how their steps are called outside."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model

from bars_portal.api.models import Event


@dataclass(frozen=True)
class Kind:
    """One kind of subject. `label`: of its model (app.model, lower case); `needs`: permission by direction.

    The type of an event is `name.status`, or `name.word` for a step of `words` (event of the history: word).
    """

    name: str
    label: str
    needs: Mapping[str, str]
    statuses: tuple[str, ...]
    words: Mapping[str, str] = field(default_factory=dict)

    def type_of(self, step: str, status: str) -> str:
        return f"{self.name}.{self.words.get(step, status)}"

    @property
    def types(self) -> Iterator[str]:
        yield from (f"{self.name}.{each}" for each in dict.fromkeys([*self.statuses, *self.words.values()]))


_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Raises ImproperlyConfigured when another kind has its name or its model."""
    for kind in kinds:
        held = [each for each in _kinds.values() if kind.name == each.name or kind.label == each.label]
        if any(each != kind for each in held):
            raise ImproperlyConfigured(f"Two kinds of events for {kind.name} or {kind.label}.")
        _kinds[kind.label] = kind


def all_types() -> list[str]:
    """Of every event that there can be, sorted: what a subscription may filter by."""
    return sorted(each for kind in _kinds.values() for each in kind.types)


def event_of(row: Model, *, step: str, status: str, direction: str, service_id: str, now: datetime) -> Event:
    """The event, not yet written: it is written with the change that it tells of, in one transaction.

    Raises LookupError for a row of no kind: nothing changes without being told.
    """
    kind = _kinds[row._meta.label_lower]
    return Event(
        organisation_id=row.organisation_id,  # type: ignore[attr-defined]  # subjects have one
        at=now,
        type=kind.type_of(step, status),
        subject_id=row.pk,
        direction=direction,
        status=status,
        service_id=service_id,
        journey_id=row.journey_id,  # type: ignore[attr-defined]  # the same
        needs=kind.needs[direction],
    )
