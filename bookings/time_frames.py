"""In what time the case of a booking is to be seen. Rooms above tell; bookings only ask."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured

from bars_portal.patients.models import Journey
from bookings.models import BookingDraft


@dataclass(frozen=True)
class TimeFrame:
    """ServiceRequest.occurrencePeriod of the assessment; either end may be open."""

    start: datetime | None
    end: datetime | None

    def holds(self, moment: datetime) -> bool:
        early = self.start is not None and moment < self.start
        return not early and (self.end is None or moment <= self.end)


# What the newest standing request of the journey says; None when it says nothing.
FindTimeFrame = Callable[[Journey], TimeFrame | None]
_finders: list[FindTimeFrame] = []


def register_time_frames(find: FindTimeFrame) -> None:
    """Raises ImproperlyConfigured when somebody else is asked already."""
    if _finders and find not in _finders:
        raise ImproperlyConfigured("Time frames have two owners.")
    _finders[:] = [find]


def frame_missed_by(draft: BookingDraft) -> TimeFrame | None:
    """The time frame that the chosen time lies outside of; None when it fits, or when there is none."""
    journey = draft.replaces.journey if draft.replaces is not None else draft.journey
    if journey is None:
        return None
    frame = next((found for find in _finders if (found := find(journey))), None)
    return None if frame is None or frame.holds(draft.start) else frame


def is_approved(draft: BookingDraft) -> bool:
    return draft.approved_by_id is not None


def lacks_approval(draft: BookingDraft) -> bool:
    """Outside the time frame, and no clinician has said yes to this very time."""
    return not is_approved(draft) and frame_missed_by(draft) is not None
