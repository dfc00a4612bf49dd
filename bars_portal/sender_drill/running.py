"""One row after the other: what came of it, held against what its row says."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bars_portal.accounts.refusals import PolicyRefused
from bars_portal.sender_drill.acts import ACTS, Act
from bars_portal.sender_drill.desk import Desk, DrillError
from bars_portal.sender_drill.rows import Row
from bars_portal.sender_drill.told import Told


@dataclass(frozen=True)
class Result:
    """`told` is what came; `error` why there is nothing to compare."""

    row: Row
    told: Told
    seconds: float
    error: str = ""

    @property
    def passed(self) -> bool:
        return not self.findings

    @property
    def findings(self) -> tuple[str, ...]:
        if self.error:
            return (self.error,)
        pairs = (("state", self.row.state, self.told.state), ("told", self.row.told, self.told.words))
        return tuple(f'{name}: "{came}" instead of "{due}"' for name, due, came in pairs if came != due)


def run(desk: Desk, rows: Sequence[Row], *, note: Callable[[Result], None]) -> list[Result]:
    """Every row, whatever becomes of the one before; `note` hears of each at once."""
    results = []
    for row in rows:
        result = _one(desk, row)
        note(result)
        results.append(result)
    return results


def _act(row: Row) -> Act:
    if row.act not in ACTS:
        raise DrillError(f"There is no act {row.act}.")
    return ACTS[row.act]


def _one(desk: Desk, row: Row) -> Result:
    began = time.monotonic()
    told, error = Told(""), ""
    try:
        told = _act(row)(desk, row)
    except PolicyRefused as refusal:
        told = Told("not allowed", refusal.sentence)
    except DrillError as missing:
        error = str(missing)
    return Result(row, told, round(time.monotonic() - began, 2), error)
