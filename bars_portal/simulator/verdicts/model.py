"""A verdict: what was looked at, and whether it was as the standard asks."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a check ended. A note is no fault: official examples do the same, or it is statistics only."""

    RIGHT = "right"
    WRONG = "wrong"
    NOTE = "note"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, in plain words; `rule` names the section of the standard."""

    rule: str
    words: str
    outcome: Outcome


@dataclass(frozen=True)
class Verdict:
    """Everything that was looked at in one exchange."""

    checks: tuple[Check, ...]

    @property
    def outcome(self) -> Outcome:
        """Wrong when anything is, else a note when there is one."""
        found = {each.outcome for each in self.checks}
        return next((each for each in (Outcome.WRONG, Outcome.NOTE) if each in found), Outcome.RIGHT)

    @property
    def ordered(self) -> tuple[Check, ...]:
        """What is wrong first, then the notes."""
        order = (Outcome.WRONG, Outcome.NOTE, Outcome.RIGHT)
        return tuple(sorted(self.checks, key=lambda each: order.index(each.outcome)))

    @property
    def wrong(self) -> tuple[str, ...]:
        """What is wrong, in plain words."""
        return self._told(Outcome.WRONG)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual and no fault."""
        return self._told(Outcome.NOTE)

    def _told(self, outcome: Outcome) -> tuple[str, ...]:
        return tuple(each.words for each in self.checks if each.outcome is outcome)


def look(rule: str, holds: bool, right: str, wrong: str, *, note: bool = False) -> Check:
    """A check that holds or not; `note` when it is no fault."""
    if holds:
        return Check(rule, right, Outcome.RIGHT)
    return Check(rule, wrong, Outcome.NOTE if note else Outcome.WRONG)
