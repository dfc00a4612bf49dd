"""Requests without a message: odd queries and headers on every read."""

import base64
import json
from collections.abc import Callable
from random import Random
from urllib.parse import quote

from tests.fuzz.mutations import Tree, broken_bytes, noise
from tests.fuzz.shots import Shot, request, uuid_of
from tests.live.partner import HUB, INCLUDES, SERVICE_SYSTEM

_PATHS = (
    "/metadata",
    "/MessageDefinition",
    "/Slot",
    "/Appointment",
    "/ServiceRequest",
    "/$process-message",
    "/",
)
_NAMES = (
    *("Schedule.actor:HealthcareService", "status", "start", "_include", "context", "_format", "_count", ""),
    *("patient:identifier", "patient:name", "patient:birthdate", "patient:address-postalcode", "_id"),
)
_VALUES = (
    *(
        HUB,
        f"{SERVICE_SYSTEM}|{HUB}",
        "free",
        "busy,free",
        "ge2030-01-01T00:00:00Z",
        "le2030-01-02T00:00:00+00",
    ),
    *(
        "https://fhir.nhs.uk/Id/nhs-number|9000000009",
        "Smith",
        "1961-02-03",
        "LS1 4AP",
        "json",
        "xml",
        "\x00",
    ),
    *("ge0001-01-01T00:00:00+14:00", "le9999-12-31T23:59:59-14:00", "ge2024-02-30T00:00:00Z", "٣", "\ud7ff"),
    *("", "|", "a|b|c", "x" * 3000, "%", "\r\nX: y", "'--", "${1}", "9" * 400, *INCLUDES),
)
_PRINTABLE = "".join(map(chr, range(33, 127)))
_GOOD_SLOTS = "&".join(
    [
        *("Schedule.actor:HealthcareService=" + HUB, "status=free", "start=ge2030-01-01T00:00:00Z"),
        *("start=le2030-01-02T00:00:00Z", *(f"_include={quote(each)}" for each in INCLUDES)),
    ]
)
_HEADER_NAMES = (
    *("X-Request-ID", "X-Correlation-ID", "NHSD-Target-Identifier", "NHSD-End-User-Organisation", "Accept"),
    *("NHSD-Requesting-Software", "NHSD-Requesting-Practitioner", "use-context", "Content-Type", "Host"),
    *("Accept-Encoding", "X-SSL-Client-Verify", "X-Forwarded-For", "Cookie", "Authorization", "Range"),
)


def query(rng: Random, _: list[Tree]) -> Shot:
    pairs = [(rng.choice(_NAMES), _value(rng)) for _ in range(rng.randint(0, 6))]
    text = "&".join(f"{quote(name, safe=':')}={value}" for name, value in pairs)
    path = rng.choice(_PATHS[:5]) + rng.choice(["", "", "/"])
    if rng.random() < 0.3:
        path, text = (
            "/Slot",
            broken_bytes(rng, _GOOD_SLOTS.encode()).decode("latin-1") if text else _GOOD_SLOTS,
        )
    # Bytes beyond ASCII would make it no HTTP.
    return request("query", rng, "GET", f"{path}?{quote(text, safe=_PRINTABLE)}")


def by_id(rng: Random, _: list[Tree]) -> Shot:
    odd = [uuid_of(rng), quote(noise(rng, 30)), "null", "%00", "..", "%2e%2e%2f", "x" * 2000, "{}", "%ff"]
    return request("by-id", rng, "GET", f"{rng.choice(_PATHS)}/{rng.choice(odd)}")


def verbs(rng: Random, _: list[Tree]) -> Shot:
    verb = rng.choice(
        ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD", "POST", "PROPFIND", "LOCK", "XYZ"]
    )
    body = noise(rng, 50) if verb not in ("HEAD", "TRACE") else None
    return request("verbs", rng, verb, rng.choice(_PATHS), body=body)


def headers(rng: Random, _: list[Tree]) -> Shot:
    """Values that HTTP allows and nobody expects."""
    odd = {rng.choice(_HEADER_NAMES): _one_line(_header(rng)).strip() for _ in range(rng.randint(1, 4))}
    shot = request("headers", rng, "GET", rng.choice(_PATHS[:5]), headers=odd)
    # A blank or missing id cannot be echoed; the bytes of others come back as they went.
    return Shot(shot.kind, shot.data, ids={k: v for k, v in shot.ids.items() if v and v.isascii()})


def _value(rng: Random) -> str:
    value = rng.choice(_VALUES)
    ways: list[Callable[[str], str]] = [quote, quote, lambda text: text, lambda text: quote(quote(text))]
    return rng.choice(ways)(value) if rng.random() < 0.9 else quote(noise(rng, 20))


def _header(rng: Random) -> str:
    trees: list[object] = [
        {},
        [],
        None,
        1,
        {"system": [], "value": {}},
        {"identifier": [[]]},
        {"name": "\x00"},
    ]
    odd = [noise(rng, 60), json.dumps(rng.choice(trees)).encode(), b"[" * 3000, b'{"value": 1e999}']
    encoded = base64.b64encode(rng.choice(odd)).decode()
    plain = [
        "",
        " ",
        "*/*;q=x",
        "a" * 3000,
        ",;=,",
        "application/fhir+json;version=" + "9" * 400,
        "\xff\xfe",
        "gzip;q=2",
    ]
    return (
        encoded
        if rng.random() < 0.5
        else rng.choice([*plain, uuid_of(rng), noise(rng, 30).decode("latin-1")])
    )


def _one_line(text: str) -> str:
    """Without what would end the line: that is `not_http`'s business."""
    return "".join(each for each in text if each > " " and each not in "\x7f\x85\xa0") if text else text
