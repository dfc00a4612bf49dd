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
    DELIVERY = "delivery"
    REPLY = "reply"
    UNMATCHED = "unmatched"
    NOTE = "note"
    LINK = "link"
    VIEW = "view"

    @property
    def place(self) -> int:
        return list(EntryKind).index(self)


@dataclass(frozen=True)
class Entry:
    """`words` are for people and hold no patient data but a note's text; `subject` is the page's thing.

    `direction` is that of the booking or case, None for the journey as a whole; an answer goes out from a
    received one. `message_id`: of the message that was sent.
    """

    at: datetime
    kind: EntryKind
    direction: Direction | None
    words: str
    detail: str
    actor: str
    subject_type: str
    subject_id: str
    subject_name: str
    message_id: str = ""
