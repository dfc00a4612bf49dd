"""Sends a request as it is, and keeps what went out and what came back."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx

from bars_portal.simulator.selftest.model import Exchange
from bars_portal.simulator.selftest.requests import Outgoing

# The whole target is read into memory for the report: no answer of a receiver is longer.
LONGEST_ANSWER = 20 * 1024 * 1024


class NoAnswer(Exception):
    """The connection was refused, broken or silent; the text says which."""


def send(client: httpx.Client, outgoing: Outgoing) -> Exchange:
    """One request. Raises NoAnswer."""
    request = client.build_request(
        outgoing.method, client.base_url, headers=dict(outgoing.headers), content=_content(outgoing)
    )
    # What httpx adds by itself would hide what the scenario leaves out.
    for name in {"accept", "user-agent", "accept-encoding"} - {each.lower() for each in outgoing.headers}:
        del request.headers[name]
    # httpx would normalise the address; the target given here goes onto the wire as it is.
    target = client.base_url.raw_path.rstrip(b"/") + outgoing.path.encode()
    request.extensions["target"] = target
    began = time.monotonic()
    try:
        answer = client.send(request)
    except httpx.TransportError as problem:
        raise NoAnswer(type(problem).__name__) from problem
    return Exchange(
        method=outgoing.method,
        url=f"{str(client.base_url).rstrip('/')}{outgoing.path}",
        headers={name.lower(): value for name, value in request.headers.items()},
        body=outgoing.body,
        status=answer.status_code,
        answer_headers={name.lower(): value for name, value in answer.headers.items()},
        answer_body=answer.content,
        seconds=time.monotonic() - began,
    )


def send_copies(client: httpx.Client, outgoing: Outgoing, copies: int) -> list[Exchange]:
    """The very same request several times at once. Raises NoAnswer."""
    with ThreadPoolExecutor(copies) as pool:
        return list(pool.map(lambda _: send(client, outgoing), range(copies)))


def _content(outgoing: Outgoing) -> bytes | Iterator[bytes] | None:
    if outgoing.chunked:
        return (outgoing.body[at : at + 1000] for at in range(0, len(outgoing.body), 1000))
    return outgoing.body if outgoing.method == "POST" or outgoing.body else None
