"""What a verification found, in words and as data."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

# More are counted, and not kept.
_MOST = 1000


class Kind(StrEnum):
    """What is wrong; the value is what JSON says, the label what people read."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"
    BACKDATED = "backdated"
    SEAL_CHANGED = "seal-changed"
    SEAL_MISSING = "seal-missing"
    REMADE = "remade"
    CUT = "cut"
    HEAD_FORGED = "head-forged"
    HEADS_MISSING = "heads-missing"
    PRUNING_FORGED = "pruning-forged"


@dataclass(frozen=True)
class Finding:
    """`day` is in UTC, as the chain or the event tells it, "" where nothing does; `words` name no patient."""

    kind: Kind
    words: str
    day: str = ""
    event: int | None = None
    seal: int | None = None


@dataclass
class Unsealed:
    """Committed, and not in the chain yet; what is removed before it is sealed leaves no trace there."""

    count: int = 0
    first: int = 0
    last: int = 0
    oldest: str = ""

    def add(self, event_id: int, at: str) -> None:
        self.count += 1
        self.first = self.first or event_id
        self.last = event_id
        self.oldest = min(self.oldest or at, at)


@dataclass
class Report:
    """`findings` are the first thousand of all that were `found`.

    `events` and `seals` were read, `heads` are signed and fit, `pruned` events went when their time was over.
    """

    events: int = 0
    seals: int = 0
    heads: int = 0
    pruned: int = 0
    newest_head: str = ""
    found: Counter[Kind] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    unsealed: Unsealed = field(default_factory=Unsealed)

    @property
    def is_intact(self) -> bool:
        return not self.found

    def add(self, kind: Kind, words: str, **place: Any) -> None:
        """`place`: day, event and seal, as Finding has them."""
        self.found[kind] += 1
        if len(self.findings) < _MOST:
            self.findings.append(Finding(kind, words, **place))

    def as_json(self) -> dict[str, Any]:
        found = {kind.value: count for kind, count in sorted(self.found.items())}
        return {"intact": self.is_intact, **asdict(self), "found": found}
