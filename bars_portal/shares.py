"""How much somebody may ask of one process in a minute: a share that refills steadily. Pure."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

# Those that are remembered: who has been quiet longest is forgotten, and has a full share again.
_MOST_KEPT = 2_000
_MINUTE = 60.0


@dataclass(frozen=True)
class Taken:
    """`waits`: 0.0 when one was taken, else the seconds until there is one; `left` whole ones remain."""

    waits: float
    left: int


class Shares:
    """A share for each key: it refills steadily, within a minute from empty to full."""

    def __init__(self) -> None:
        self._lock = Lock()
        # What is left, and when that was so.
        self._kept: OrderedDict[object, tuple[float, float]] = OrderedDict()

    def take(self, key: object, *, a_minute: int, now: float) -> Taken:
        """Takes one of it, if there is one. `now` is monotonic."""
        with self._lock:
            left, at = self._kept.pop(key, (float(a_minute), now))
            left = min(float(a_minute), left + (now - at) * a_minute / _MINUTE)
            waits = 0.0 if left >= 1 else (1 - left) * _MINUTE / a_minute
            left = left if waits else left - 1
            self._kept[key] = (left, now)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
            return Taken(waits, int(left))
