"""Accepting REFREQ01 against its own rows and trips in plain psycopg, at two levels, without a socket.

The accept itself is `inbound.receive`: from the bytes to the stored reply, all rules and all writes; the
bound is on it. The whole WSGI application around it (URLs, certificate, headers, formats, response) is
printed as well and has no bound. Both are calls of the application; for the first, time outside `receive`
is left out. Time within the model library (fhir.resources, until its objects are gone) is left out of both:
the quick gate before it, which mostly spares it, is ours and counts. What it takes is printed beside them,
and so is what a message waits for the database.

The floor parses the message and says the very statements that the product said for another one, with their
values, in one transaction on a copy of the database: the same rows, the same trips, and no rule, no mapping
and no framework.

With `--slower-disk 2` each commit takes two milliseconds longer, of product and floor.
"""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import orjson
import psycopg
from calling import InProcess
from pairs import Aside, compare, finish, say
from stage import bodies, prepare

BOUND = 2.0
PAIRS, REPEATS = 11, 60
# A worker at work: each of its connections has met every statement often enough to keep its plan.
WARM_UP = 120
_MESSAGES = "SELECT body, state, status_code FROM exchange_inboundmessage"


class Stopwatch:
    """How long one function took in all."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def on(self, owner: Any, name: str, *, gives: bool = True, static: bool = False) -> Iterator[None]:
        """Unless it `gives`, what it made is dropped at once, as its caller does, and the dropping counts.

        `static`: it is a function that a class holds, not a method.
        """
        plain = getattr(owner, name)

        def timed(*args: Any, **named: Any) -> Any:
            began = perf_counter()
            try:
                return plain(*args, **named) if gives else bool(plain(*args, **named))
            finally:
                self.seconds += perf_counter() - began

        setattr(owner, name, staticmethod(timed) if static else timed)
        try:
            yield
        finally:
            setattr(owner, name, staticmethod(plain) if static else plain)


class Trip(NamedTuple):
    """One statement as the product said it."""

    cursor: type[psycopg.Cursor[Any]]
    text: Any
    values: Any


class Recorder:
    """Every statement that psycopg is asked for, message by message."""

    def __init__(self) -> None:
        self.messages: deque[list[Trip]] = deque()

    @contextmanager
    def one_message(self) -> Iterator[None]:
        plain, said = psycopg.Cursor.execute, list[Trip]()

        def recorded(cursor: psycopg.Cursor[Any], query: Any, params: Any = None, **named: Any) -> Any:
            said.append(Trip(_plain_kind(cursor), query, params))
            return plain(cursor, query, params, **named)

        psycopg.Cursor.execute = recorded  # type: ignore[method-assign,assignment]  # that is the measuring
        try:
            yield
        finally:
            psycopg.Cursor.execute = plain  # type: ignore[method-assign]  # as it was
        self.messages.append(said)


def _plain_kind(cursor: psycopg.Cursor[Any]) -> type[psycopg.Cursor[Any]]:
    kinds = (psycopg.RawCursor, psycopg.ClientCursor, psycopg.Cursor)
    return next(kind for kind in kinds if isinstance(cursor, kind))


@dataclass
class Floor:
    """What the product said about earlier messages, said again elsewhere; once, for rows are new once."""

    connection: psycopg.Connection[Any]
    messages: Iterator[bytes]
    recorded: deque[list[Trip]]
    trips: int = 0

    def write(self) -> None:
        assert orjson.loads(next(self.messages))["resourceType"] == "Bundle"
        said = self.recorded.popleft()
        with self.connection.transaction():
            for trip in said:
                cursor = trip.cursor(self.connection)
                cursor.execute(trip.text, trip.values)
                if cursor.description:
                    cursor.fetchall()
        self.trips = len(said)


@dataclass
class Receiver:
    """Our receiver with its requests, and stopwatches on the accept itself and on the model library."""

    application: InProcess
    requests: Iterator[dict[str, Any]]
    accepting: Stopwatch = field(default_factory=Stopwatch)
    database: Stopwatch = field(default_factory=Stopwatch)
    waits: list[float] = field(default_factory=list)
    library: Stopwatch = field(default_factory=Stopwatch)
    recorder: Recorder = field(default_factory=Recorder)

    @contextmanager
    def watched(self) -> Iterator[None]:
        from fhir.resources.R4B.bundle import Bundle

        from bars_portal.exchange.receiver import views

        with (
            self.accepting.on(views.ProcessMessageView, "answer", static=True),
            self.library.on(Bundle, "model_validate", gives=False),
            self.database.on(psycopg.Connection, "wait"),
        ):
            yield

    def whole(self) -> Aside:
        before, waited = self.library.seconds, self.database.seconds
        with self.recorder.one_message():
            answer = self.application.answer(next(self.requests))
        assert answer.status == 200, answer.body
        self.waits.append(self.database.seconds - waited)
        return Aside(self.library.seconds - before)

    def accept(self) -> Aside:
        before, began = self.accepting.seconds, perf_counter()
        library = self.whole().seconds
        assert self.accepting.seconds > before, "the accept itself went by the stopwatch"
        around = perf_counter() - began - (self.accepting.seconds - before)
        return Aside(around + library)


def check_stored(connection: psycopg.Connection[Any], bodies: Sequence[bytes]) -> None:
    """Every message is there, accepted, byte for byte, with its referral."""
    stored = connection.execute(_MESSAGES).fetchall()
    assert {row[1:] for row in stored} == {("accepted", 200)}
    assert sorted(bytes(row[0]) for row in stored) == sorted(bodies)
    (referrals,) = connection.execute("SELECT count(*) FROM referrals_referral").fetchone() or (0,)
    assert referrals == len(bodies)


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
    with prepare(slower_by=parser.parse_args().slower_disk) as stage, stage.copy() as copy:
        count = WARM_UP + 2 * (PAIRS * REPEATS + REPEATS // 4)
        sent = bodies(count)
        application = InProcess.load()
        receiver = Receiver(application, iter([application.environ(body) for body in sent]))
        with stage.connect() as connection, psycopg.connect(copy, autocommit=True) as elsewhere:
            floor = Floor(elsewhere, iter(sent), receiver.recorder.messages)
            with receiver.watched():
                for _ in range(WARM_UP):
                    receiver.whole()
                size = f"REFREQ01 ({len(sent[0])} bytes), the model library's time left out"
                name = f"Accept {size}"
                kept = compare(name, receiver.accept, floor.write, bound=BOUND, pairs=PAIRS, repeats=REPEATS)
                name = f"The whole application on {size}"
                compare(name, receiver.whole, floor.write, pairs=PAIRS, repeats=REPEATS)
            check_stored(connection, sent)
            check_stored(elsewhere, sent[: count - WARM_UP])
        say(f"  {floor.trips} statements a message, beside BEGIN and COMMIT")
        say(f"  waited for the database: {median(receiver.waits) * 1000:.3f} ms a message")
        say(f"  left out as the library's: {receiver.library.seconds / count * 1000:.3f} ms a message")
        say(f"  the library alone: {library_alone(sent[:WARM_UP]) * 1000:.3f} ms a message")
        say(f"  all {count} messages are stored, accepted and equal to what was sent")
    finish(kept)


if __name__ == "__main__":
    main()
