"""What a row of the workflow table asks of other resources than the focus (standard section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Part(Enum):
    """Which of several resources of a type is meant."""

    ONLY = auto()
    # The Encounter that the ServiceRequest names: the sender's assessment.
    REQUESTER = auto()
    # The other Encounter: what the receiver does about it.
    RESPONDER = auto()


@dataclass(frozen=True, slots=True)
class Condition:
    """A resource has one of these statuses, and where named a class or a reason.

    It holds for `use_cases` only (none: for all). An absent resource is left to the counts unless
    `required`. A condition that `decides` also tells rows apart which are otherwise alike.
    """

    resource_type: str
    statuses: frozenset[str]
    part: Part = Part.ONLY
    use_cases: frozenset[str] = frozenset()
    class_code: str = ""
    needs_reason: bool = False
    required: bool = False
    decides: bool = False
