"""What a slot search brings, away from the wire: offered slots, or why there are none."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

# A search asks the receiver for this many days; it may refuse more than 31 (standard section 7).
DAYS_SHOWN = 3
# How far ahead a person may look.
FURTHEST = timedelta(days=180)


class SlotProblem(StrEnum):
    """Why a search shows no slots; `sentence` is for the person who searched."""

    NONE_IN_RANGE = "none-in-range"
    NO_ANSWER = "no-answer"
    NO_BOOKINGS = "no-bookings"
    NOT_ON_NETWORK = "not-on-network"
    REFUSED = "refused"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    SlotProblem.NONE_IN_RANGE: (
        "This service has no free slots at these times. Try other days, or another service."
    ),
    SlotProblem.NO_ANSWER: "This service did not answer. Try again, or choose another service.",
    SlotProblem.NO_BOOKINGS: "This service does not take bookings. Choose another service.",
    SlotProblem.NOT_ON_NETWORK: (
        "This service is not on the booking network. Choose another service, and tell your IT support."
    ),
    SlotProblem.REFUSED: (
        "This service refused to show its slots. Choose another service, and tell your IT support."
    ),
}


@dataclass(frozen=True)
class OfferedSlot:
    """A free slot as its receiver offered it; what was not given is "".

    `start` and `end` are aware. `delivery_channel`, `role` and `gender` are words for people. `resources` are
    the Slot and what it refers to, [[fullUrl, resource], ...], which the booking message carries along.
    """

    id: str
    start: datetime
    end: datetime
    practitioner_name: str = ""
    role: str = ""
    gender: str = ""
    delivery_channel: str = ""
    location_name: str = ""
    resources: list[list[Any]] = field(default_factory=list, repr=False)


@dataclass(frozen=True)
class SlotSearch:
    """Offers in order of time; `problem` is set when there are none."""

    offers: list[OfferedSlot]
    problem: SlotProblem | None = None

    def offer(self, slot_id: str) -> OfferedSlot | None:
        """The offer with this Slot.id, when it is (still) among them."""
        return next((each for each in self.offers if each.id == slot_id), None)
