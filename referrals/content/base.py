"""Texts, codes and instants as every part of a request has them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, ConfigDict, StringConstraints, model_validator
from pydantic.dataclasses import dataclass

# What was stated is about a patient: an error names the field, never the value.
STRICT = ConfigDict(hide_input_in_errors=True, extra="forbid")
LINE, WORDS = 200, 20_000
# FHIR's string: no control characters but the three that break lines (R4 datatypes).
_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LINE, pattern=_PRINTABLE)
]
Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=WORDS, pattern=_PRINTABLE)
]
LineOrNone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LINE, pattern=_PRINTABLE)]
WordsOrNone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=WORDS, pattern=_PRINTABLE)]
# One published code has 69 characters; FHIR sets no limit.
Code = Annotated[str, StringConstraints(max_length=100, pattern=r"^(?:[!-~]+(?: [!-~]+)*)?$")]
Uri = Annotated[str, StringConstraints(max_length=LINE, pattern=r"^[!-~]*$")]
# The id of a resource on another server.
ResourceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
Moment = Annotated[datetime, AwareDatetime]


@dataclass(frozen=True, config=STRICT)
class Concept:
    """A code of a system, words, or both (FHIR CodeableConcept with one Coding at the most)."""

    system: Uri = ""
    code: Code = ""
    display: LineOrNone = ""
    text: WordsOrNone = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if bool(self.system) != bool(self.code):
            raise ValueError("A code needs its system, and a system a code.")
        if not (self.code or self.text):
            raise ValueError("A code or words are needed.")
        if self.display and not self.code:
            raise ValueError("A display belongs to a code.")
        return self
