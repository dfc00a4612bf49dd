"""Free slots of the service under test, each given to one scenario only."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock

from bars_portal.simulator.selftest.formats import NotFhir, decoded
from bars_portal.simulator.selftest.model import Exchange, Step
from bars_portal.simulator.selftest.paths import found

# Far enough ahead that the diary's next days are left alone.
FIRST_DAY, DAYS = 2, 14
Ask = Callable[[Step], Exchange]
SEARCH = "GET /Slot"


class NoSlots(Exception):
    """The service offers no free slot to book."""


class Slots:
    """Asks once, hands out one after the other."""

    def __init__(self, ask: Ask, *, now: datetime) -> None:
        self._ask = ask
        self._now = now
        self._lock = Lock()
        self._free: list[Mapping[str, str]] | None = None

    def take(self, _name: str) -> Mapping[str, str]:
        """id, start and end of a slot that nobody else was given. Raises NoSlots."""
        with self._lock:
            if self._free is None:
                self._free = self._search()
            if not self._free:
                raise NoSlots("the service offers no free slot in the next two weeks")
            return self._free.pop()

    def _search(self) -> list[Mapping[str, str]]:
        start, end = (self._now + timedelta(days=each) for each in (FIRST_DAY, FIRST_DAY + DAYS))
        bounds = [f"ge{start.isoformat(timespec='seconds')}", f"le{end.isoformat(timespec='seconds')}"]
        exchange = self._ask(Step("call", SEARCH, {"slots": True, "params": {"start": bounds}}))
        try:
            content = decoded(exchange.answer_body, exchange.answer_headers.get("content-type", ""))
        except NotFhir:
            return []
        slots = found(content, "Slot[*]")
        return [{name: str(each.get(name)) for name in ("id", "start", "end")} for each in slots]
