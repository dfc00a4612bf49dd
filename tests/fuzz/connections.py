"""What is not HTTP, or not TLS: lines, lengths and chunks that lie, and senders who vanish."""

import json
from random import Random

from tests.fuzz.mutations import Tree, broken_bytes, noise
from tests.fuzz.shots import BASE, Headers, Shot, head, usual_headers

_NOT_HTTP: tuple[bytes, ...] = (
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"get / http/1.1\r\n\r\n",
    b"GET /%00%zz/../..//FHIR/R4/metadata HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT x:1 HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n folded: yes\r\n\r\n",
    b"GET / HTTP/1.1\r\nA : b\r\n\r\n",
    b"GET / HTTP/1.1\nHost: x\n\n",
    b"GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 500 + b"\r\n",
    b"GET / HTTP/1.1\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A" * 200_000,
)
_FRAMINGS: tuple[Headers, ...] = (
    {"Content-Length": "-1"},
    {"Content-Length": "1e3"},
    {"Content-Length": "99999999999999999999"},
    {"Content-Length": "5, 6"},
    {"Content-Length": "+5"},
    {"Content-Length": "٣"},
    {"Transfer-Encoding": "gzip"},
    {"Transfer-Encoding": "chunked, chunked"},
    {"Transfer-Encoding": "xchunked"},
    {"Transfer-Encoding": "chunked", "Content-Length": "5"},
    {"Expect": "200-ok"},
    {"Expect": "100-continue"},
    {"Upgrade": "h2c", "Connection": "Upgrade"},
    {"Transfer-Encoding": "identity"},
)
_CHUNKS = (
    b"5\r\nhello\r\n0\r\n\r\n",
    b"zz\r\nhello\r\n",
    b"-5\r\nhello\r\n",
    b"5\r\nhel",
    b"0\r\n" + b"A: b\r\n" * 50,
    b"ffffffffffffffff\r\nhello",
    b"5;" + b"x" * 70_000 + b"\r\nhello\r\n0\r\n\r\n",
    b"5 \r\nhelloXX0\r\n\r\n",
    b"",
    b"2\r\n{}\r\n0\r\n\r\nGET /FHIR/R4/metadata HTTP/1.1\r\n\r\n",
    b"1\r\n{\r\n" * 3000 + b"0\r\n\r\n",
)


def not_http(rng: Random, _: list[Tree]) -> Shot:
    data = rng.choice([*_NOT_HTTP, noise(rng, 4000), broken_bytes(rng, head("GET", "/", usual_headers(rng)))])
    return Shot("not-http", data, sound=False)


def framing(rng: Random, seeds: list[Tree]) -> Shot:
    """Lengths and chunks that lie."""
    given = usual_headers(rng) | {"Content-Type": "application/fhir+json"}
    odd = rng.choice([*_FRAMINGS, *[{"Transfer-Encoding": "chunked"}] * 8])
    return Shot("framing", _posted(given | odd) + rng.choice(_CHUNKS), sound=False)


def cut(rng: Random, seeds: list[Tree]) -> Shot:
    """A sound message whose sender vanishes."""
    body = json.dumps(rng.choice(seeds)).encode()
    given = usual_headers(rng) | {"Content-Type": "application/fhir+json", "Content-Length": str(len(body))}
    data = _posted(given) + body
    return Shot("cut", data[: rng.randrange(len(data))], cut=True)


def pipelined(rng: Random, _: list[Tree]) -> Shot:
    first = head("GET", f"{BASE}/metadata", usual_headers(rng))
    return Shot("pipelined", first * rng.randint(2, 20) + noise(rng, 100), sound=False)


def not_tls(rng: Random, _: list[Tree]) -> Shot:
    hello = b"\x16\x03\x01" + rng.randbytes(2) + b"\x01\x00" + rng.randbytes(200)
    data = rng.choice(
        [hello, noise(rng, 500), b"GET / HTTP/1.1\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28", b""]
    )
    return Shot("not-tls", data, sound=False, tls=False, cut=rng.random() < 0.9)


def _posted(given: Headers) -> bytes:
    return head("POST", f"{BASE}/$process-message", given)
