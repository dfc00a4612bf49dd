"""One entry of a case's timeline: plain facts, no database."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from referrals.states import Direction


class EntryKind(StrEnum):
    """What an entry is about; entries of one moment come in this order."""

    BOOKING = "booking"
    CASE = "case"
    VERSION = "version"
    ANSWER = "answer"
    REPLY = "reply"
    UNMATCHED = "unmatched"
    NOTE = "note"

    @property
    def place(self) -> int:
        return list(EntryKind).index(self)


@dataclass(frozen=True)
class Entry:
    """`words` are for people and hold no patient data but a note's text; `subject` is the page's thing.

    `direction` is that of the booking or case; an answer goes out from a received one.
    """

    at: datetime
    kind: EntryKind
    direction: Direction
    words: str
    detail: str
    actor: str
    subject_type: str
    subject_id: str
    subject_name: str
