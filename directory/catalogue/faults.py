"""What is wrong with a catalogue, and where: all of it is refused, with every reason that fits on a page."""

from collections.abc import Sequence
from dataclasses import dataclass

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """`where` is "Line 3", "Line 3, column name", or a path such as HealthcareService/<id>.name."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class BadCatalogue(ValueError):
    """The catalogue cannot be used. `faults` holds the first of them, `count` says how many there are."""

    def __init__(self, faults: Sequence[Fault], count: int | None = None) -> None:
        self.faults = tuple(faults[:MOST_SHOWN])
        self.count = len(faults) if count is None else count
        super().__init__("; ".join(map(str, self.faults[:3])))


class Faults:
    """Collects faults, so that people need not mend a file one line at a time."""

    def __init__(self) -> None:
        self._first: list[Fault] = []
        self._count = 0

    def add(self, where: str, reason: str) -> None:
        self._count += 1
        if not self.full:
            self._first.append(Fault(where, reason))

    @property
    def full(self) -> bool:
        """Whether further faults are only counted."""
        return len(self._first) >= MOST_SHOWN

    def reasons(self) -> list[str]:
        return [fault.reason for fault in self._first]

    def raise_if_any(self) -> None:
        """Raises BadCatalogue."""
        if self._count:
            raise BadCatalogue(self._first, self._count)


def refuse(where: str, reason: str) -> BadCatalogue:
    """For what makes reading on pointless."""
    return BadCatalogue([Fault(where, reason)])
