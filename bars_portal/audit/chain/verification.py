"""Reads the whole trail against its chain, and the chain against its signed heads, in bounded memory.

What it finds is a report, in words and as data.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from django.db import connection, transaction

from bars_portal.audit.chain.heads import Head, Keys, UnreadableHead, is_pruning_believed
from bars_portal.audit.chain.sealer import (
    AT_SQL,
    BEGINNING,
    HASH_LENGTH,
    ROW_SQL,
    VERSION,
    SealFacts,
    as_text,
    digest_of,
    hash_of,
    split,
)
from bars_portal.audit.models import Pruning, Seal

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


# Events that are fetched together, and seals of which each holds few.
_TOGETHER = 5000
# How much older an event may be than what was sealed before it: clocks differ, long transactions end late.
LATE = timedelta(hours=1)
# A chain that is older, and of which no head is there, had some.
_FIRST_HEAD_BY = timedelta(hours=2)
# Among so many changed events exchanged ones are looked for.
_FEW = 50

Row = Sequence[int | str | None]


def verify(
    *,
    heads: Iterable[Head | UnreadableHead] | None,
    keys: Keys,
    now: datetime,
    until: int | None = None,
) -> Report:
    """`heads` None: none are kept. `until`: no seal after this number, and nothing of what comes behind."""
    report = Report()
    with _one_snapshot():
        walk = _Walk(report, _believed(heads or (), keys, report))
        walk.begin(keys)
        for seals in _groups(until):
            walk.take(seals)
        if until is None:
            walk.end(expects_head_after=now - _FIRST_HEAD_BY if heads is not None else None)
            _look_for_outsiders(report, settled=walk.settled)
    return report


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Sealer and writers go on meanwhile. A caller's own transaction must do."""
    begins = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if begins:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # A million events take longer than a page may.
            cursor.execute("SET LOCAL statement_timeout = 0")
        yield


def _groups(until: int | None) -> Iterator[list[Seal]]:
    """Seals in order, some thousand events at a time."""
    seals = Seal.objects.order_by("number")
    if until is not None:
        seals = seals.filter(number__lte=until)
    group: list[Seal] = []
    events = 0
    for seal in seals.iterator(chunk_size=100):
        group.append(seal)
        events += len(seal.event_ids)
        if max(events, len(group)) >= _TOGETHER:
            yield group
            group, events = [], 0
    if group:
        yield group


def _believed(heads: Iterable[Head | UnreadableHead], keys: Keys, report: Report) -> list[Head]:
    """By the seal that they name; what is not signed by a key that is believed says nothing."""
    good = []
    for head in heads:
        if isinstance(head, UnreadableHead):
            report.add(Kind.HEAD_FORGED, f"{head.file}, line {head.line}, holds no head.")
        elif not head.is_believed(keys):
            words = f"The head of {head.signed_at} is not signed by a key that is believed."
            report.add(Kind.HEAD_FORGED, words, day=head.signed_at[:10], seal=head.number)
        else:
            good.append(head)
    report.newest_head = max((head.signed_at for head in good), default="")
    return sorted(good, key=lambda head: (head.number, head.signed_at))


class _Walk:
    """Along the chain, from its beginning or from where pruning left it."""

    def __init__(self, report: Report, heads: list[Head]) -> None:
        self.report = report
        self.heads = heads[::-1]
        self.number = self.total = self.settled = 0
        self.hash = BEGINNING
        self.began_at = ""
        # The latest that was sealed or signed so far, as text: what comes behind is not much older.
        self.reached = ""
        self.last_good: Head | None = None

    def begin(self, keys: Keys) -> None:
        for pruning in Pruning.objects.order_by("number"):
            fits = pruning.first_number == self.number + 1
            if not fits or not is_pruning_believed(pruning, keys):
                words = (
                    f"What stands for the pruned seals up to {pruning.number} is not signed, or does not fit."
                )
                self.report.add(Kind.PRUNING_FORGED, words, seal=pruning.number)
            self.number, self.hash, self.total = pruning.number, bytes(pruning.hash), pruning.total
        self.report.pruned = self.total
        # Of what is gone nothing can be said.
        while self.heads and self.heads[-1].number < self.number:
            self.heads.pop()
        self._compare_heads(day="")

    def take(self, seals: list[Seal]) -> None:
        rows = _rows([event for seal in seals for event in seal.event_ids])
        changed: dict[int, tuple[Seal, Row, bytes]] = {}
        for seal in seals:
            self._check_seal(seal)
            changed |= self._check_events(seal, rows)
            self._compare_heads(day=seal.day.isoformat())
        self._tell_changed(changed)

    def _check_seal(self, seal: Seal) -> None:
        if seal.number != self.number + 1:
            words = f"Seals {self.number + 1} to {seal.number - 1} are missing, and so is what they seal."
            self.report.add(Kind.SEAL_MISSING, words, day=seal.day.isoformat(), seal=self.number + 1)
        elif why := self._why_seal_is_wrong(seal):
            words = f"Seal {seal.number}, of {_span(seal)}, {why}."
            self.report.add(Kind.SEAL_CHANGED, words, day=seal.day.isoformat(), seal=seal.number)
        for before, after in pairwise(seal.event_ids):
            if before >= after:
                words = f"Event {after} stands behind event {before} in seal {seal.number}."
                self._add(Kind.REORDERED, words, seal, after)
        self.number, self.hash, self.total = seal.number, bytes(seal.hash), seal.total
        self.settled = seal.settled
        self.began_at = self.began_at or as_text(seal.sealed_at)
        self.report.seals += 1

    def _why_seal_is_wrong(self, seal: Seal) -> str:
        facts = SealFacts(
            seal.number,
            seal.day,
            seal.sealed_at,
            seal.event_ids,
            bytes(seal.digests),
            seal.total,
            seal.settled,
            seal.last_id,
            bytes(seal.previous),
        )
        if seal.version != VERSION or hash_of(facts) != bytes(seal.hash):
            return "does not have the hash of what it says"
        if facts.previous != self.hash:
            return "does not rest on the seal before it"
        counted = len(seal.event_ids)
        if seal.total != self.total + counted or len(facts.digests) != counted * HASH_LENGTH:
            return "does not count its events right"
        return "settles less than the seal before it" if seal.settled < self.settled else ""

    def _check_events(self, seal: Seal, rows: Mapping[int, Row]) -> dict[int, tuple[Seal, Row, bytes]]:
        """Those that are not what was sealed."""
        changed = {}
        floor = _earlier(self.reached)
        sealed_at, latest = as_text(seal.sealed_at), self.reached
        for event, digest in zip(seal.event_ids, split(bytes(seal.digests)), strict=False):
            row = rows.get(event)
            if row is None:
                self._add(Kind.MISSING, f"Event {event} of {seal.day} is missing.", seal, event)
            elif digest_of(row) != digest:
                changed[event] = (seal, row, digest)
            else:
                at = str(row[1])
                if at < floor:
                    words = f"Event {event} says {at}, and was written after {floor}: put in from outside."
                    self._add(Kind.BACKDATED, words, seal, event)
                latest = max(latest, min(at, sealed_at))
        self.reached = latest
        self.report.events += len(seal.event_ids)
        return changed

    def _tell_changed(self, changed: Mapping[int, tuple[Seal, Row, bytes]]) -> None:
        """An event that now holds what another one held was exchanged with it."""
        for event, (seal, row, _) in changed.items():
            others = changed.items() if len(changed) <= _FEW else ()
            held_by = [other for other, (_, _, digest) in others if digest_of((other, *row[1:])) == digest]
            if held_by:
                words = f"Event {event} of {seal.day} holds what was event {held_by[0]}: they were exchanged."
                self._add(Kind.REORDERED, words, seal, event)
            else:
                words = f"Event {event} of {seal.day} is not what was sealed."
                self._add(Kind.CHANGED, words, seal, event)

    def _compare_heads(self, *, day: str) -> None:
        """The heads that name the seal where we are."""
        while self.heads and self.heads[-1].number <= self.number:
            head = self.heads.pop()
            if (head.number, head.hash) == (self.number, self.hash.hex()) and head.total == self.total:
                self.report.heads += 1
                self.last_good = head
                self.reached = max(self.reached, head.signed_at)
                continue
            since = (
                f"{self.last_good.signed_at}, seal {self.last_good.number},"
                if self.last_good
                else "its beginning"
            )
            words = (
                f"Seal {head.number} is not the one that was signed at {head.signed_at}: the chain was made "
                f"anew between {since} and there."
            )
            self.report.add(Kind.REMADE, words, day=day or head.signed_at[:10], seal=head.number)

    def end(self, *, expects_head_after: datetime | None) -> None:
        """`expects_head_after`: a chain that began before has heads; None where none are kept."""
        if self.heads:
            head = self.heads[0]
            words = (
                f"The head of {head.signed_at} names seal {head.number} and {head.total} events; the chain "
                f"ends with seal {self.number} and {self.total} events: its end was cut off."
            )
            self.report.add(Kind.CUT, words, day=head.signed_at[:10], seal=head.number)
        if expects_head_after is None or self.report.newest_head or not self.began_at:
            return
        if self.began_at < as_text(expects_head_after):
            words = f"The chain began at {self.began_at}, and no signed head of it is there."
            self.report.add(Kind.HEADS_MISSING, words, day=self.began_at[:10])

    def _add(self, kind: Kind, words: str, seal: Seal, event: int) -> None:
        self.report.add(kind, words, day=seal.day.isoformat(), event=event, seal=seal.number)


def _look_for_outsiders(report: Report, *, settled: int) -> None:
    """Events that no seal has: young ones wait for the sealer, others were put in."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"""SELECT id, {AT_SQL} FROM audit_auditevent AS event WHERE NOT EXISTS (
                SELECT FROM (SELECT unnest(event_ids) AS id FROM audit_seal) AS sealed
                WHERE sealed.id = event.id
            ) ORDER BY id"""  # noqa: S608 - constants
        )
        for event, at in cursor:
            if event > settled:
                report.unsealed.add(event, at or "")
                continue
            words = f"Event {event}, which says {at}, is in no seal: put in from outside."
            report.add(Kind.INSERTED, words, day=(at or "")[:10], event=event)


def _rows(events: list[int]) -> dict[int, Row]:
    with connection.cursor() as cursor:
        cursor.execute(f"{ROW_SQL} WHERE id = ANY(%s)", [events])
        return {row[0]: row for row in cursor.fetchall()}


def _earlier(moment: str) -> str:
    """By LATE; both as text."""
    return as_text(datetime.fromisoformat(moment) - LATE) if moment else ""


def _span(seal: Seal) -> str:
    if not seal.event_ids:
        return "no events"
    return f"events {min(seal.event_ids)} to {max(seal.event_ids)} of {seal.day}"
