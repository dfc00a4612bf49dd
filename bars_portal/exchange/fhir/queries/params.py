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
        for name, value in pairs:
            if name in self._values:
                self._values[name].append(value)
            elif name != _FORMAT:
                words = f"A parameter is none of {', '.join(self._values)}"
                self.fault(OutcomeCode.INVALID, words)

    def all(self, name: str) -> list[str]:
        """Every value of a parameter; values too long or with control characters are faults."""
        values = self._values[name]
        sound = [each for each in values if len(each) <= MAX_VALUE_LENGTH and not _CONTROL.search(each)]
        if len(sound) < len(values):
            self.fault(OutcomeCode.VALUE, f"{name} is too long or holds control characters")
        return sound

    def has(self, name: str) -> bool:
        return bool(self._values[name])

    def one(self, name: str, *, required: bool) -> str | None:
        """The only value of a parameter; None after a fault, or when it is optional and absent."""
        if required and not self.has(name):
            self.fault(OutcomeCode.REQUIRED, f"{name} is missing")
        values = self.all(name)
        if len(values) > 1:
            self.fault(OutcomeCode.VALUE, f"{name} is given more than once")
        elif values and not values[0].strip():
            self.fault(OutcomeCode.VALUE, f"{name} is empty")
        else:
            return values[0].strip() if values else None
        return None

    @property
    def faulty(self) -> bool:
        """Whether a fault was recorded so far."""
        return bool(self._issues)

    def fault(self, code: OutcomeCode, words: str) -> None:
        """Record a fault once; `words` name the parameter and the rule, never the value."""
        issue = Issue(code, words, rule="query")
        if issue not in self._issues:
            self._issues.append(issue)

    def finish(self) -> None:
        """Raise OutcomeError when anything was wrong: 400 before 422, otherwise in the order of reading."""
        if self._issues:
            raise OutcomeError(*sorted(self._issues, key=lambda issue: issue.code.status))


def sound(value: _T | None) -> _T:
    """A value that is there because finish() did not raise."""
    if value is None:
        raise ValueError("A query was used although a parameter was faulty")
    return value
