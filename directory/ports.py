"""What the directory asks of the rooms above."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from bars_portal.ports import Port

# Now (aware) to the next free moment of every service that has one, by the service's primary key.
NextFree = Callable[[datetime], Mapping[UUID, datetime]]

next_free = Port[NextFree]("when services are next free", unplugged=lambda now: {})
