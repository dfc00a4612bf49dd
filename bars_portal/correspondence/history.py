"""What happened to a booking or a case, step by step."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Step:
    """One line of the history."""

    what: str
    who: str
    at: datetime
    note: str
