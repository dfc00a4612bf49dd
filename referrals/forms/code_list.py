"""Codes that a field offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from referrals.content import Concept


@dataclass(frozen=True)
class CodeList:
    """`key` names it on the page; `codes` are (system, code, display)."""

    key: str
    codes: tuple[tuple[str, str, str], ...]

    @cached_property
    def by_words(self) -> Mapping[str, Concept]:
        """By what can be typed: the words, the code, or both; in small letters."""
        found: dict[str, Concept] = {}
        for system, code, display in self.codes:
            concept = Concept(system, code, display)
            found |= {each.casefold(): concept for each in (display, code, f"{display} ({code})")}
        return found

    @property
    def options(self) -> list[str]:
        return [f"{display} ({code})" for _, code, display in self.codes]


NOTHING = CodeList("", ())
