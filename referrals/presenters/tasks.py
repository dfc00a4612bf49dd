"""The list of tasks of a request: what is done, what is still to do, what is not needed."""

from collections.abc import Iterable
from dataclasses import dataclass

DONE, TO_DO, OPTIONAL, STARTED, WRONG = "Completed", "To do", "Optional", "Started", "There is a problem"
_TONES = {TO_DO: "working", STARTED: "waiting", WRONG: "failed", OPTIONAL: "neutral"}


@dataclass(frozen=True)
class TaskLine:
    """One step. Completed is plain text, as the pattern has it; the others are tags."""

    section: str
    title: str
    address: str
    status: str

    @property
    def tone(self) -> str:
        return _TONES.get(self.status, "")


def status_of(*, opened: bool, done: bool, valid: bool, required: bool) -> str:
    if not opened:
        return TO_DO if required else OPTIONAL
    if not done:
        return STARTED
    return DONE if valid else WRONG


def by_section(lines: Iterable[TaskLine]) -> dict[str, list[TaskLine]]:
    """In the order in which sections first come."""
    found: dict[str, list[TaskLine]] = {}
    for line in lines:
        found.setdefault(line.section, []).append(line)
    return found
