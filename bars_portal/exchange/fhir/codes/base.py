"""What every coded value knows: its code, its system and its display."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Coded(StrEnum):
    """A FHIR code as an enum member written `NAME = ("code", "display")`; it compares equal to its code."""

    def __new__(cls, code: str, display: str = "") -> Self:
        # The default is for type checkers only: Enum(code) is a look-up and never comes here.
        member = str.__new__(cls, code)
        member._value_ = code
        member._display = display
        return member

    _display: str

    @property
    def display(self) -> str:
        return self._display

    @property
    def system(self) -> str:
        """URI of the code system."""
        raise NotImplementedError

    @property
    def coding(self) -> dict[str, str]:
        """A FHIR Coding with system, code and display."""
        return {"system": self.system, "code": self.value, "display": self.display}

    @classmethod
    def lookup(cls, code: object) -> Self | None:
        """The member with this code, or None for anything else."""
        found = cls._value2member_map_.get(code) if isinstance(code, str) else None
        return found if isinstance(found, cls) else None
