"""What is fired: the bytes of one connection, and what may be expected of the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from tests.live.partner import HUB, bars_headers

BASE = "/FHIR/R4"
Headers = dict[str, str]


@dataclass(frozen=True)
class Shot:
    """`sound`: the HTTP around it is right, so the answer must be FHIR and echo `ids`.

    `tls` False goes to the port as it is; `cut` closes without waiting for any answer.
    """

    kind: str
    data: bytes = field(repr=False)
    sound: bool = True
    ids: Mapping[str, str] = field(default_factory=dict)
    tls: bool = True
    cut: bool = False


def uuid_of(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def usual_headers(rng: Random, service: str = HUB) -> Headers:
    """As a partner sends them, with ids from the generator."""
    ids = {"X-Request-ID": uuid_of(rng), "X-Correlation-ID": uuid_of(rng)}
    return {"Host": "localhost"} | bars_headers(service) | ids


def head(verb: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{verb} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1", "replace")


def request(
    kind: str, rng: Random, verb: str, path: str, *, body: bytes | None = None, headers: Headers | None = None
) -> Shot:
    """A sound request whose content, query or header values are anything but."""
    sent = usual_headers(rng) | {"Connection": "close"} | (headers or {})
    if body is not None:
        sent["Content-Length"] = str(len(body))
    ids = {name: sent[name] for name in ("X-Request-ID", "X-Correlation-ID")}
    return Shot(kind, head(verb, f"{BASE}{path}", sent) + (body or b""), ids=ids)


def message(kind: str, rng: Random, body: bytes, media_type: str, **headers: str) -> Shot:
    """A sound `POST /$process-message`; header names with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request(
        kind, rng, "POST", "/$process-message", body=body, headers={"Content-Type": media_type} | named
    )
