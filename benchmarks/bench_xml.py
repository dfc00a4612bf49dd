"""200 KB of FHIR XML to a dict and back, beside lxml's own parsing of the same bytes.

The bound is absolute, so it is processor time of this process that counts: other programs do not.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time

from lxml import etree
from pairs import finish, holds, say
from stage import Json, addressed, published_message

from bars_portal.exchange.fhir import xml

BOUND = 25.0
BYTES = 200_000
ROUNDS = 31


def message() -> Json:
    """REFREQ01 with its entries repeated until its XML has 200 KB."""
    one = addressed(published_message())
    size = len(xml.dumps(one))
    return {**one, "entry": one["entry"] * (BYTES // size + 2)}


def milliseconds(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return (process_time() - began) * 1000


def main() -> None:
    resource = message()
    body = xml.dumps(resource)
    assert len(body) >= BYTES
    assert xml.loads(body) == resource
    assert xml.dumps(xml.loads(body)) == body
    works: dict[str, Callable[[], object]] = {
        "read": lambda: xml.loads(body),
        "write": lambda: xml.dumps(resource),
        "lxml": lambda: etree.fromstring(body),
    }
    # Interleaved, as everywhere.
    rounds = [{name: milliseconds(work) for name, work in works.items()} for _ in range(ROUNDS)]
    say(f"{len(body)} bytes of FHIR XML to a dict (read) and back (write), ms; lxml alone for comparison")
    say(f"  lxml     median {median(each['lxml'] for each in rounds):.3f}")
    finish(*(holds(name, [each[name] for each in rounds], bound=BOUND) for name in ("read", "write")))


if __name__ == "__main__":
    main()
