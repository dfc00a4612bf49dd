"""Mutual TLS with keep-alive against plain HTTP: two real processes, the same application, one worker each.

The request is `GET /metadata`: a small computed answer and one audit row.
"""

from __future__ import annotations

import json

from pairs import compare, finish
from servers import Connection, Server, mutual_tls, plain
from stage import prepare

BOUND = 0.85
PAIRS, REPEATS = 11, 100
_PATH = "/FHIR/R4/metadata"


def ask(connection: Connection) -> None:
    answer = connection.get(_PATH)
    assert answer.status == 200, answer
    assert b'"CapabilityStatement"' in answer.body


def same_answer(one: Server, other: Server) -> bool:
    """But for the time."""
    first, second = (json.loads(each.connect().get(_PATH).body) | {"date": ""} for each in (one, other))
    return bool(first == second)


def main() -> None:
    with prepare() as stage, mutual_tls(stage.database_url) as tls, plain(stage.database_url) as bare:
        assert same_answer(tls, bare)
        encrypted, open_ = tls.connect(), bare.connect()
        kept = compare(
            "Mutual TLS against plain HTTP, one connection each, kept alive (GET /metadata)",
            lambda: ask(encrypted),
            lambda: ask(open_),
            bound=BOUND,
            pairs=PAIRS,
            repeats=REPEATS,
            at_least=True,
        )
        sockets = (encrypted.http.sock, open_.http.sock)
        assert all(each is not None for each in sockets), "the connections were kept alive"
    finish(kept)


if __name__ == "__main__":
    main()
