"""The call: how far it is, and its times, each with the meaning of its own (FHIR Encounter)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import dataclasses as checked

from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import EncounterStatus
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.cases.codes import STRICT, Moment


class Stage(StrEnum):
    """How far an ambulance control is with its call: Encounter.status of a request of Application 6."""

    FIRST_ALERT = EncounterStatus.IN_PROGRESS.value
    TRIAGED = EncounterStatus.TRIAGED.value
    COMPLETE = EncounterStatus.FINISHED.value

    @property
    def label(self) -> str:
        return {
            "in-progress": "The call is still running",
            "triaged": "The call has ended",
            "finished": "The case is closed here",
        }[self]


@checked.dataclass(frozen=True, config=STRICT)
class CallTimes:
    """Times before the triage, each None where it is not known.

    `began_at`: BTStartTime; `connected_at`: T0, call connect; `answered_at`: T1, call answer.
    """

    began_at: Moment | None = None
    connected_at: Moment | None = None
    answered_at: Moment | None = None

    @property
    def is_stated(self) -> bool:
        return any((self.began_at, self.connected_at, self.answered_at))

    @property
    def contact_at(self) -> datetime | None:
        """Encounter.period.start of a call: T0, else T1."""
        return self.connected_at or self.answered_at


# Encounter.statusHistory of a request of Application 6: status and the time that it stands for.
HISTORY: Mapping[EncounterStatus, str] = {
    EncounterStatus.PLANNED: "began_at",
    EncounterStatus.ARRIVED: "connected_at",
    EncounterStatus.IN_PROGRESS: "answered_at",
}


def status_history(call: CallTimes) -> list[Resource]:
    """Encounter.statusHistory, in the order of the call."""
    known = ((status, getattr(call, name)) for status, name in HISTORY.items())
    return [{"status": status.value, "period": {"start": format_instant(at)}} for status, at in known if at]
