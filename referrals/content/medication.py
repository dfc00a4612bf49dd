"""Medication and allergies: what there is, that there is none, or that nobody asked. Never the same thing."""

from enum import StrEnum
from typing import Self

from pydantic import model_validator
from pydantic.dataclasses import dataclass

from referrals.content.base import STRICT, Concept, WordsOrNone


class Stated(StrEnum):
    LISTED = "listed"
    NONE_KNOWN = "none-known"
    NOT_STATED = "not-stated"


@dataclass(frozen=True, config=STRICT)
class Medication:
    """What the patient takes; `dosage` and `reason` in words."""

    concept: Concept
    dosage: WordsOrNone = ""
    reason: WordsOrNone = ""


@dataclass(frozen=True, config=STRICT)
class Allergy:
    """`reaction` in words."""

    concept: Concept
    reaction: WordsOrNone = ""


@dataclass(frozen=True, config=STRICT)
class Medications:
    stated: Stated = Stated.NOT_STATED
    listed: tuple[Medication, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        _check(self.stated, bool(self.listed))
        return self


@dataclass(frozen=True, config=STRICT)
class Allergies:
    stated: Stated = Stated.NOT_STATED
    listed: tuple[Allergy, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        _check(self.stated, bool(self.listed))
        return self


def _check(stated: Stated, any_listed: bool) -> None:
    if any_listed != (stated is Stated.LISTED):
        raise ValueError("Either list them, or say that none is known or that nothing was stated.")
