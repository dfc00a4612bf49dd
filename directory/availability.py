"""When services are next free: what a room above knows, asked through here (design: registries)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

# Now (aware) to the next free moment of every service that has one, by the service's primary key.
NextFree = Callable[[datetime], Mapping[UUID, datetime]]


class Availability:
    """Filled once, at start."""

    def __init__(self) -> None:
        self._source: NextFree | None = None

    def register(self, source: NextFree) -> None:
        """Raises ValueError for a second source."""
        if self._source not in (None, source):
            raise ValueError("Somebody else tells already when services are free.")
        self._source = source

    def next_free(self, now: datetime) -> Mapping[UUID, datetime]:
        """Empty when nobody knows."""
        return self._source(now) if self._source else {}


availability = Availability()
