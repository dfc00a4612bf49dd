"""Accepting REFREQ01 against parsing and one fsynced insert, at two levels, without a socket on either side.

The accept itself is `inbound.receive`: from the bytes to the stored reply, all rules and all writes; the
bound is on it. The whole WSGI application around it (URLs, certificate, headers, formats, response) is
printed as well and has no bound. Both are calls of the application; for the first, time outside `receive`
is left out. Time within the model library (fhir.resources, until its objects are gone) is left out of both:
the quick gate before it, which mostly spares it, is ours and counts. What it takes is printed beside them,
and so is what a message waits for the database.

With `--slower-disk 2` each commit takes two milliseconds longer, of product and floor.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any
from uuid import uuid4

import orjson
import psycopg
from calling import InProcess
from pairs import Aside, compare, finish, say
from stage import Stage, bodies, prepare

BOUND = 3.5
PAIRS, REPEATS = 11, 60
# A worker at work: each of its connections has met every statement often enough to keep its plan.
WARM_UP = 120
_TABLE = "CREATE TABLE floor (id uuid PRIMARY KEY, body bytea NOT NULL)"
_INSERT = "INSERT INTO floor (id, body) VALUES (%s, %s)"
_MESSAGES = "SELECT body, state, status_code FROM exchange_inboundmessage"


class Stopwatch:
    """How long one function took in all."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def on(self, owner: Any, name: str, *, gives: bool = True) -> Iterator[None]:
        """Unless it `gives`, what it made is dropped at once, as its caller does, and the dropping counts."""
        plain = getattr(owner, name)

        def timed(*args: Any, **named: Any) -> Any:
            began = perf_counter()
            try:
                return plain(*args, **named) if gives else bool(plain(*args, **named))
            finally:
                self.seconds += perf_counter() - began

        setattr(owner, name, timed)
        try:
            yield
        finally:
            setattr(owner, name, plain)


@dataclass
class Receiver:
    """Our receiver with its requests, and stopwatches on the accept itself and on the model library."""

    application: InProcess
    requests: Iterator[dict[str, Any]]
    accepting: Stopwatch = field(default_factory=Stopwatch)
    database: Stopwatch = field(default_factory=Stopwatch)
    waits: list[float] = field(default_factory=list)
    library: Stopwatch = field(default_factory=Stopwatch)

    @contextmanager
    def watched(self) -> Iterator[None]:
        from fhir.resources.R4B.bundle import Bundle

        from bars_portal.exchange.receiver import views

        with (
            self.accepting.on(views, "receive"),
            self.library.on(Bundle, "model_validate", gives=False),
            self.database.on(psycopg.Connection, "wait"),
        ):
            yield

    def whole(self) -> Aside:
        before, waited = self.library.seconds, self.database.seconds
        answer = self.application.answer(next(self.requests))
        assert answer.status == 200, answer.body
        self.waits.append(self.database.seconds - waited)
        return Aside(self.library.seconds - before)

    def accept(self) -> Aside:
        before, began = self.accepting.seconds, perf_counter()
        library = self.whole().seconds
        around = perf_counter() - began - (self.accepting.seconds - before)
        return Aside(around + library)


def floor(messages: Iterator[bytes], insert: Callable[[bytes], None]) -> None:
    body = next(messages)
    assert orjson.loads(body)["resourceType"] == "Bundle"
    insert(body)


def check_stored(stage: Stage, sent: Sequence[bytes], of_floor: Sequence[bytes]) -> None:
    """Every message is there, accepted, byte for byte, with its referral."""
    with stage.connect() as connection:
        stored = connection.execute(_MESSAGES).fetchall()
        assert {row[1:] for row in stored} == {("accepted", 200)}
        assert sorted(bytes(row[0]) for row in stored) == sorted(sent)
        (referrals,) = connection.execute("SELECT count(*) FROM referrals_referral").fetchone() or (0,)
        assert referrals == len(sent)
        kept = connection.execute("SELECT body FROM floor").fetchall()
        assert sorted(bytes(row[0]) for row in kept) == sorted(of_floor)


def library_alone(messages: Sequence[bytes]) -> float:
    """Median seconds for one of them, its objects dropped at once."""
    from fhir.resources.R4B.bundle import Bundle

    seconds = []
    for each in map(orjson.loads, messages):
        began = perf_counter()
        Bundle.model_validate(each)
        seconds.append(perf_counter() - began)
    return median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--slower-disk", type=int, default=0, metavar="MS", help="let each commit take longer"
    )
    with prepare(slower_by=parser.parse_args().slower_disk) as stage:
        count = WARM_UP + 2 * (PAIRS * REPEATS + REPEATS // 4)
        sent, of_floor = bodies(count), bodies(count - WARM_UP)
        application = InProcess.load()
        receiver = Receiver(application, iter([application.environ(body) for body in sent]))
        with stage.connect() as connection, receiver.watched():
            connection.execute(_TABLE)
            for _ in range(WARM_UP):
                receiver.whole()
            one = partial(floor, iter(of_floor), lambda body: _insert(connection, body))
            size = f"REFREQ01 ({len(sent[0])} bytes), the model library's time left out"
            kept = compare(f"Accept {size}", receiver.accept, one, bound=BOUND, pairs=PAIRS, repeats=REPEATS)
            compare(f"The whole application on {size}", receiver.whole, one, pairs=PAIRS, repeats=REPEATS)
        check_stored(stage, sent, of_floor)
        say(f"  waited for the database: {median(receiver.waits) * 1000:.3f} ms a message")
        say(f"  left out as the library's: {receiver.library.seconds / count * 1000:.3f} ms a message")
        say(f"  the library alone: {library_alone(sent[:WARM_UP]) * 1000:.3f} ms a message")
        say(f"  all {count} messages are stored, accepted and equal to what was sent")
    finish(kept)


def _insert(connection: Any, body: bytes) -> None:
    connection.execute(_INSERT, (uuid4(), body))


if __name__ == "__main__":
    main()
