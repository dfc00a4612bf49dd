"""Warnings that travel with a request (FHIR Flag): a category and a code, words, or both."""

from collections.abc import Mapping
from typing import Self

from pydantic import model_validator
from pydantic.dataclasses import dataclass

from bars_portal.exchange.fhir.codes import SAFEGUARDING, SAFEGUARDING_SYSTEM, FlagCategory, SceneSafety
from referrals.content.base import STRICT, Concept, Moment

_SCENE_SYSTEM = SceneSafety.SAFE.system
# Categories whose codes are all known; another code would say something else than was meant.
CODES: Mapping[FlagCategory, tuple[str, Mapping[str, str]]] = {
    FlagCategory.SAFEGUARDING: (SAFEGUARDING_SYSTEM, SAFEGUARDING),
    FlagCategory.SCENE_SAFETY: (_SCENE_SYSTEM, {each.value: each.display for each in SceneSafety}),
}


@dataclass(frozen=True, config=STRICT)
class Flag:
    """An active flag. Scene safety is about a place, every other category about the patient."""

    category: FlagCategory
    concept: Concept
    since: Moment | None = None

    @model_validator(mode="after")
    def _code_of_its_category(self) -> Self:
        if self.category not in CODES or not self.concept.code:
            return self
        system, codes = CODES[self.category]
        if self.concept.system != system or self.concept.code not in codes:
            raise ValueError("The code is not one of this category.")
        return self
