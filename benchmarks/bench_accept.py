"""Accepting REFREQ01: the receiver's whole WSGI application against parsing and one fsynced insert.

The product runs in this process, from URL routing to the stored reply, all rules and writes; there is no
socket on either side. Time within the model library (fhir.resources) is printed beside and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any
from uuid import uuid4

import orjson
from calling import InProcess
from pairs import Aside, compare, finish, say
from stage import Stage, bodies, prepare

BOUND = 3.5
PAIRS, REPEATS = 11, 60
_TABLE = "CREATE TABLE floor (id uuid PRIMARY KEY, body bytea NOT NULL)"
_INSERT = "INSERT INTO floor (id, body) VALUES (%s, %s)"
_MESSAGES = "SELECT body, state, status_code FROM exchange_inboundmessage"


class ModelLibrary:
    """A stopwatch around Bundle.model_validate."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        from fhir.resources.R4B.bundle import Bundle

        plain = Bundle.model_validate

        def timed(raw: Any) -> Any:
            began = perf_counter()
            try:
                return plain(raw)
            finally:
                self.seconds += perf_counter() - began

        Bundle.model_validate = timed  # type: ignore[assignment,method-assign,unused-ignore]  # a stopwatch
        try:
            yield
        finally:
            Bundle.model_validate = plain  # type: ignore[method-assign,unused-ignore]  # as it was


def product(requests: Iterator[dict[str, Any]], receiver: InProcess, library: ModelLibrary) -> Aside:
    before = library.seconds
    answer = receiver.answer(next(requests))
    assert answer.status == 200, answer.body
    return Aside(library.seconds - before)


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


def main() -> None:
    with prepare() as stage:
        receiver, library = InProcess.load(), ModelLibrary()
        count = PAIRS * REPEATS + REPEATS // 4
        sent, of_floor = bodies(count), bodies(count)
        requests = iter([receiver.environ(body) for body in sent])
        with stage.connect() as connection, library.watched():
            connection.execute(_TABLE)
            kept = compare(
                f"Accept REFREQ01 ({len(sent[0])} bytes), the model library's time left out",
                partial(product, requests, receiver, library),
                partial(floor, iter(of_floor), lambda body: _insert(connection, body)),
                bound=BOUND,
                pairs=PAIRS,
                repeats=REPEATS,
            )
        check_stored(stage, sent, of_floor)
        say(f"  all {count} messages are stored, accepted and equal to what was sent")
    finish(kept)


def _insert(connection: Any, body: bytes) -> None:
    connection.execute(_INSERT, (uuid4(), body))


if __name__ == "__main__":
    main()
