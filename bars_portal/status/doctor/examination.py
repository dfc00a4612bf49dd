"""What an examination is, and how they are run: one that rests on another waits for it."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError

from bars_portal.credentials.environments import ENVIRONMENTS, Environment
from bars_portal.exchange.gateway.senders import installation
from bars_portal.exchange.gateway.tokens import TokenTrial, try_key


class Verdict(StrEnum):
    FINE = "fine"
    WARNING = "warning"
    WRONG = "wrong"
    # What it rests on is wrong, or it was not to be asked.
    SKIPPED = "not looked at"


@dataclass(frozen=True)
class Finding:
    """How one thing is, and the fact behind that; `todo` where it differs from what is usually to be done."""

    verdict: Verdict
    fact: str
    todo: str = ""


def fine(fact: str) -> Finding:
    return Finding(Verdict.FINE, fact)


def warning(fact: str, todo: str = "") -> Finding:
    return Finding(Verdict.WARNING, fact, todo)


def wrong(fact: str, todo: str = "") -> Finding:
    return Finding(Verdict.WRONG, fact, todo)


def skipped(fact: str) -> Finding:
    return Finding(Verdict.SKIPPED, fact)


@dataclass
class Visit:
    """One round of examinations. `now` is this machine's own clock; what is asked outside is asked once."""

    now: datetime
    lock_file: Path
    python: tuple[int, int] = sys.version_info[:2]

    @property
    def environment(self) -> Environment:
        return ENVIRONMENTS[settings.BARS["ENVIRONMENT"]]

    @cached_property
    def trial(self) -> TokenTrial:
        """What the token server says to the key in use."""
        return try_key(installation(), now=self.now)


Look = Callable[[Visit], Finding | Iterable[Finding]]


@dataclass(frozen=True)
class Examination:
    """`where` says where that is written. `fix` puts right what is safe, and says what it did."""

    name: str
    title: str
    look: Look
    todo: str
    where: str
    needs: tuple[str, ...] = ()
    asks_outside: bool = False
    fix: Callable[[Visit], str] | None = None


@dataclass(frozen=True)
class Line:
    """One line of the doctor's: `todo` and `where` are empty when it is fine."""

    name: str
    title: str
    verdict: Verdict
    fact: str
    todo: str = ""
    where: str = ""
    fixed: str = ""


@dataclass
class Round:
    """Lines of all that was looked at, by the examination that they are of."""

    visit: Visit
    outside: bool
    fix: bool
    found: dict[str, list[Line]] = field(default_factory=dict)

    def run(self, examination: Examination, among: Mapping[str, Examination]) -> None:
        if examination.name in self.found:
            return
        for name in examination.needs:
            self.run(among[name], among)
        ill = next((name for name in examination.needs if self._is_ill(name)), None)
        if ill is not None:
            findings: Sequence[Finding] = [skipped(f"First: {among[ill].title}.")]
        elif examination.asks_outside and not self.outside:
            findings = [skipped("Nobody outside was asked.")]
        else:
            findings = _look(examination, self.visit)
        self.found[examination.name] = [self._line(examination, each) for each in findings]

    def _is_ill(self, name: str) -> bool:
        return any(line.verdict in (Verdict.WRONG, Verdict.SKIPPED) for line in self.found[name])

    def _line(self, examination: Examination, finding: Finding) -> Line:
        ill = finding.verdict in (Verdict.WARNING, Verdict.WRONG)
        fixed = examination.fix(self.visit) if ill and self.fix and examination.fix else ""
        return Line(
            name=examination.name,
            title=examination.title,
            verdict=finding.verdict,
            fact=finding.fact,
            todo=(finding.todo or examination.todo) if ill else "",
            where=examination.where if ill else "",
            fixed=fixed,
        )


def _look(examination: Examination, visit: Visit) -> list[Finding]:
    """One that cannot be looked at is wrong, and hides no other."""
    try:
        found = examination.look(visit)
        return [found] if isinstance(found, Finding) else list(found)
    except DatabaseError:
        return [wrong("It cannot be looked at: the database did not answer.")]
    except Exception as error:  # noqa: BLE001 - whatever is broken, the others are looked at all the same
        # Its words may quote what it stumbled over.
        return [wrong(f"It cannot be looked at ({type(error).__name__}).")]


class UnknownExamination(ValueError):
    """There is none of this name."""


def examine(
    examinations: Collection[Examination],
    visit: Visit,
    *,
    only: Collection[str] = (),
    outside: bool = True,
    fix: bool = False,
) -> list[Line]:
    """All, or `only` those named (what they rest on is looked at too, and not told).

    `outside`: also ask the token server, the catalogue and the receiver. Raises UnknownExamination.
    """
    among = {each.name: each for each in examinations}
    if unknown := sorted(set(only) - set(among)):
        raise UnknownExamination(", ".join(unknown))
    round_ = Round(visit, outside, fix)
    for each in examinations:
        if not only or each.name in only:
            round_.run(each, among)
    return list(_told(round_, examinations, only))


def _told(round_: Round, examinations: Iterable[Examination], only: Collection[str]) -> Iterator[Line]:
    for each in examinations:
        if not only or each.name in only:
            yield from round_.found[each.name]
