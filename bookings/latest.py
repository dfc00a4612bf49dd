"""An appointment as its receiver holds it right now, compared with what we hold."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class LatestState(StrEnum):
    """`sentence` is for the person who wants to cancel or rebook."""

    CURRENT = "current"
    CHANGED = "changed"
    OVER = "over"
    MISSING = "missing"
    UNREACHABLE = "unreachable"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    LatestState.CURRENT: "The service confirms this appointment as it is shown here.",
    LatestState.CHANGED: (
        "The service has changed this appointment since it was booked. Read the new details before you go on."
    ),
    LatestState.OVER: "The service says that this appointment is over or already cancelled.",
    LatestState.MISSING: "The service has no such appointment. Call the service before you do anything else.",
    LatestState.UNREACHABLE: (
        "The service did not show us the appointment, so nothing was changed. Try again, or call the service."
    ),
}


@dataclass(frozen=True)
class LatestAppointment:
    """`resource` is the receiver's Appointment, {} when missing or unreachable."""

    state: LatestState
    resource: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def sentence(self) -> str:
        return self.state.sentence

    @property
    def status(self) -> str:
        """Appointment.status, "" when not known."""
        return str(self.resource.get("status", ""))

    @property
    def can_be_cancelled(self) -> bool:
        return self.state in (LatestState.CURRENT, LatestState.CHANGED)
