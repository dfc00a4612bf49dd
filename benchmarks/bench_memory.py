"""Memory of a receiver's worker over many accepted messages: it must not grow.

A real worker behind mutual TLS, kept-alive connections, REFREQ01 with new ids each. Resident memory is
sampled; over the last half it may grow by less than 5 %. Five separate samples at each end are compared by
their medians, because the allocator breathes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from time import perf_counter

from pairs import finish, holds, say
from servers import Connection, mutual_tls
from stage import Stage, bodies, prepare

BOUND = 5.0
SAMPLES = 50
CLIENTS = 2
_AT_EACH_END = 5


def resident_kilobytes(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS:")))


def send(connection: Connection, share: int) -> None:
    for body in bodies(share):
        answer = connection.post(body)
        assert answer.status == 200, answer


def samples(connections: list[Connection], worker: int, accepts: int) -> Iterator[int]:
    """Resident memory after each of SAMPLES equal parts of the work."""
    share = accepts // SAMPLES // len(connections)
    with ThreadPoolExecutor(len(connections)) as pool:
        for _ in range(SAMPLES):
            for done in [pool.submit(send, each, share) for each in connections]:
                done.result()
            yield resident_kilobytes(worker)


def growth(measured: list[int]) -> float:
    """Percent, from the middle to the end."""
    middle = len(measured) // 2
    before = median(measured[middle : middle + _AT_EACH_END])
    after = median(measured[-_AT_EACH_END:])
    return (after - before) / before * 100


def count_accepted(stage: Stage) -> int:
    with stage.connect() as connection:
        found = connection.execute("SELECT count(*) FROM exchange_inboundmessage WHERE state = 'accepted'")
        (count,) = found.fetchone() or (0,)
    return int(count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accepts", type=int, default=20_000)
    accepts = parser.parse_args().accepts // (SAMPLES * CLIENTS) * SAMPLES * CLIENTS
    with prepare() as stage, mutual_tls(stage.database_url) as server:
        worker, began = server.worker(), perf_counter()
        measured = list(samples([server.connect() for _ in range(CLIENTS)], worker, accepts))
        seconds = perf_counter() - began
        assert server.worker() == worker, "the worker that answered is the one that was measured"
        assert count_accepted(stage) == accepts
    say(f"Memory of a worker over {accepts} accepts in {seconds:.0f} s ({accepts / seconds:.0f} a second)")
    quarters = [measured[len(measured) * part // 4 - 1] // 1024 for part in range(1, 5)]
    say(f"  resident at a quarter, half, three quarters and the end: {quarters} MB")
    finish(holds("growth %", [growth(measured)], bound=BOUND))


if __name__ == "__main__":
    main()
