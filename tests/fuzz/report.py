"""What happened: counts by kind and status, memory over time, and every breach with its bytes on disk."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Lock

from tests.fuzz.judging import Answer
from tests.fuzz.shots import Shot

# Growth of the last quarter's median over the second's.
MOST_GROWTH = 0.05
# Fewer samples say nothing about a trend.
FEWEST_SAMPLES = 40
_MOST_STORED = 200


@dataclass
class Report:
    """Filled by many threads. `folder` takes the bytes of each breach.

    `long`: the run was meant to tell a trend of memory; a short one that a busy machine drew out tells none.
    """

    folder: Path
    long: bool = True
    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    memory: dict[int, list[float]] = field(default_factory=dict)
    breaches: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def count(self, kind: str, answer: Answer | None) -> None:
        with self._lock:
            self.statuses.setdefault(kind, Counter())[str(answer.status) if answer else "-"] += 1

    def blame(self, sentence: str, *, shot: Shot | None = None, origin: str = "") -> None:
        """`origin`: the seed and the number of the shot, to fire it again."""
        with self._lock:
            self.breaches[f"{shot.kind}: {sentence}" if shot else sentence] += 1
            if shot is not None and self.breaches.total() <= _MOST_STORED:
                name = f"{self.breaches.total():03d}-{shot.kind}"
                self.folder.mkdir(parents=True, exist_ok=True)
                (self.folder / f"{name}.bin").write_bytes(shot.data)
                (self.folder / f"{name}.txt").write_text(f"{sentence}\n{origin}\n")

    def sample(self, pid: int, megabytes: float) -> None:
        self.memory.setdefault(pid, []).append(megabytes)

    def judge_memory(self) -> None:
        if not self.long:
            return
        for pid, series in self.memory.items():
            growth = growth_of(series)
            if growth is not None and growth > MOST_GROWTH:
                self.blame(f"memory of worker {pid} grew by {growth:.1%}")

    def lines(self) -> list[str]:
        """For whoever reads the run."""
        table = [_row(kind, counts) for kind, counts in sorted(self.statuses.items())]
        total: Counter[str] = sum(self.statuses.values(), Counter())
        grown = [_grown(pid, series) for pid, series in self.memory.items()]
        broken = [f"BREACH {count} x {sentence}" for sentence, count in self.breaches.most_common()]
        return [*table, _row("all", total), *grown, *(broken or ["No breach."])]


def growth_of(series: list[float]) -> float | None:
    """Median of the last quarter over that of the second, less 1; None for too short a run."""
    if len(series) < FEWEST_SAMPLES:
        return None
    quarter = len(series) // 4
    return median(series[-quarter:]) / median(series[quarter : 2 * quarter]) - 1


def _row(kind: str, counts: Counter[str]) -> str:
    told = "  ".join(f"{status}: {count}" for status, count in sorted(counts.items()))
    return f"{kind:<14}{counts.total():>8}   {told}"


def _grown(pid: int, series: list[float]) -> str:
    """A dozen points of the series, in MB."""
    points = [series[i * (len(series) - 1) // 11] for i in range(12)]
    growth = growth_of(series)
    told = "too short to judge" if growth is None else f"last quarter over second: {growth:+.1%}"
    return f"worker {pid} MB: {' '.join(f'{each:.0f}' for each in points)} ({told})"
