"""Reading query parameters: every fault is collected, none repeats what was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError

_T = TypeVar("_T")

Pairs = Sequence[tuple[str, str]]

# Negotiates the answer's format (standard section 4); it is no search parameter.
_FORMAT = "_format"
MAX_VALUE_LENGTH = 2000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Params:
    """Decoded name and value pairs of a query string, judged one parameter at a time.

    Call `finish()` at the end: it raises OutcomeError with all faults, the gravest kind first.
    """

    def __init__(self, pairs: Pairs, known: Iterable[str]) -> None:
        self._issues: list[Issue] = []
        self._values: dict[str, list[str]] = {name: [] for name in known}
        self._unknown: list[str] = []
        for name, value in pairs:
            if name in self._values:
                self._values[name].append(value)
            elif name != _FORMAT:
                self._unknown.append(name)
        self._misspelt = {meant for name in self._unknown if (meant := _meant(name, self._values))}

    def all(self, name: str) -> list[str]:
        """Every value of a parameter; values too long or with control characters are faults."""
        values = self._values[name]
        sound = [each for each in values if len(each) <= MAX_VALUE_LENGTH and not _CONTROL.search(each)]
        if len(sound) < len(values):
            self.fault(OutcomeCode.VALUE, f"{name} is too long or holds control characters")
        return sound

    def count(self, name: str) -> int:
        """How often a parameter is given, whether its values can be read or not."""
        return len(self._values[name])

    def has(self, name: str) -> bool:
        return bool(self._values[name])

    def one(self, name: str, *, required: bool) -> str | None:
        """The only value of a parameter; None after a fault, or when it is optional and absent."""
        if required:
            self.need(name)
        values = self.all(name)
        if len(values) > 1:
            self.fault(OutcomeCode.VALUE, f"{name} is given more than once")
        elif values and not values[0].strip():
            self.fault(OutcomeCode.VALUE, f"{name} is empty")
        else:
            return values[0].strip() if values else None
        return None

    def need(self, name: str) -> None:
        """A fault when the parameter is absent."""
        if not self.has(name):
            self.fault(OutcomeCode.REQUIRED, f"{name} is missing{self.hint(name)}")

    def hint(self, name: str) -> str:
        """What to add to a fault about a parameter that was spelt otherwise; "" when it was not."""
        return f"; write {name} in these very letters" if name in self._misspelt else ""

    @property
    def faulty(self) -> bool:
        """Whether a fault of a known parameter was recorded so far."""
        return bool(self._issues)

    def fault(self, code: OutcomeCode, words: str) -> None:
        """Record a fault once; `words` name the parameter and the rule, never the value."""
        issue = Issue(code, words, rule="query")
        if issue not in self._issues:
            self._issues.append(issue)

    def finish(self) -> None:
        """Raise OutcomeError when anything was wrong.

        400 before 404 and 422; what is missing before what cannot be read, and unknown parameters last
        (standard section 12).
        """
        if self._unknown:
            hints = "".join(map(self.hint, self._values))
            self.fault(OutcomeCode.INVALID, f"A parameter is none of {', '.join(self._values)}{hints}")
        if self._issues:
            raise OutcomeError(*sorted(self._issues, key=_gravity))


_GRAVEST = (OutcomeCode.REQUIRED, OutcomeCode.VALUE)


def _gravity(issue: Issue) -> tuple[int, int]:
    place = _GRAVEST.index(issue.code) if issue.code in _GRAVEST else len(_GRAVEST)
    return issue.code.status, place


def _meant(name: str, known: Iterable[str]) -> str | None:
    """The only known parameter that looks like an unknown one.

    In other letters, with a dot for a colon, or with a modifier more or less: `_include:iterate`.
    """
    plain = _plain(name)
    alike = [each for each in known if _is_alike(plain, _plain(each))]
    return alike[0] if len(alike) == 1 else None


def _is_alike(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}:") or other.startswith(f"{one}:")


def _plain(name: str) -> str:
    return name.strip().casefold().replace(".", ":").rstrip(":")


def sound(value: _T | None) -> _T:
    """A value that is there because finish() did not raise."""
    if value is None:
        raise ValueError("A query was used although a parameter was faulty")
    return value
