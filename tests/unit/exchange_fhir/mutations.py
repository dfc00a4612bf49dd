"""One thing changed in a message, anywhere in it: removed, renamed, retyped, doubled, or of a wrong form."""

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bars_portal.exchange.fhir.json import ExactDecimal

# Each is right for some type and wrong for most; many are what two engines of patterns see differently.
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31 - 1, 2**31, -(2**31) - 1, 2**63, 10**30),
    *(0.0, -0.0, 1.5, 1e300, 1e-7, float("nan"), float("inf"), ExactDecimal("1.50"), Decimal("1.5")),
    *(
        "",
        " ",
        "\n",
        "\t",
        "\x00",
        "\x1c",
        "\x85",
        "\u00a0",
        "\u2028",
        "\ufeff",
        "\ud800",
        "a",
        "a b",
        "a  b",
    ),
    *(
        " a",
        "a ",
        "a\n",
        "a\tb",
        "a\x1cb",
        "a\u00a0b",
        "a\u2028",
        "x" * 300,
        "\u0664",
        "true",
        "1",
        "1.5",
        "null",
    ),
    *("2020", "0000", "2020-13", "2020-00", "2020-02-30", "2020-02-29", "2021-02-29", "1900-02-29"),
    *("2000-02-29", "2020-04-31", "2020-01-01\n", "\u0662020-01-01", "0001-01-01", "9999-12-31", "20200101"),
    *("2020-01-01T00:00:00", "2020-01-01T00:00:00Z", "2020-01-01T24:00:00Z", "2020-01-01T00:00:60Z"),
    *("2020-01-01t00:00:00z", "2020-01-01T00:00:00.1234567890123Z", "2020-01-01T00:00:00+14:00"),
    *(
        "2020-01-01T00:00:00+14:01",
        "2020-01-01T00:00:00-13:59",
        "2020-01-01T00:00:00+24:00",
        "2020-01-01T00:00Z",
    ),
    *(
        "0001-01-01T00:00:00+13:00",
        "9999-12-31T23:59:59-13:00",
        "2020-01-01 00:00:00Z",
        "2020-01-01T00:00:00Z\n",
    ),
    *("12:00:00", "12:00", "24:00:00", "23:59:60", "12:00:00.5", "12:00:00Z", "12:00:00\n"),
    *(
        "urn:oid:1.2",
        "urn:oid:3.1",
        "urn:oid:1",
        "urn:oid:1.02",
        "urn:oid:1.2\n",
        "http://",
        "https://a",
        "//a",
    ),
    *(
        "http://a b",
        "https://[",
        "mailto:a",
        "aGk=",
        "aGk",
        "a===",
        "====",
        "aGk=\n",
        "a" * 65,
        "A.b-1",
        "a_b",
    ),
    *("c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
    *([], {}, [None], [[]], [{}], {"": ""}, {"id": "a"}, {"id": None}, {"resourceType": "Patient"}),
    *({"resourceType": "Nothing"}, {"resourceType": ["Patient"]}, {"resourceType": "Coding", "code": "a"}),
    *({"extension": []}, {"extension": [{"url": "urn:x"}]}, {"extension": [{"valueString": "no url"}]}),
    *({"extension": [{"url": "urn:x", "valueString": "a", "valueCode": "b"}]}, {"fhir_comments": "a"}),
    *(
        {"reference": "Patient/1", "type": "Slot"},
        {"reference": 1},
        {"coding": {"code": "a"}},
        {"coding": "a"},
    ),
    *(("a",), b"a", {"a"}),
)
_NAMES = ("id", "resourceType", "status", "_status", "class_fhir", "fhir_comments", "resource_type", "", "x")


def mutated(raw: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The same object, changed in one place."""
    place, key = chance.choice(list(_places(raw)))
    chance.choice(_MUTATIONS)(place, key, chance)
    return raw


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _remove(place: Any, key: Any, chance: random.Random) -> None:
    del place[key]


def _replace(place: Any, key: Any, chance: random.Random) -> None:
    place[key] = chance.choice(ODD_VALUES)


def _wrap(place: Any, key: Any, chance: random.Random) -> None:
    place[key] = [place[key]]


def _unwrap(place: Any, key: Any, chance: random.Random) -> None:
    if isinstance(place[key], list) and place[key]:
        place[key] = place[key][0]


def _rename(place: Any, key: Any, chance: random.Random) -> None:
    if isinstance(place, dict):
        place[chance.choice(_NAMES)] = place.pop(key)


def _add(place: Any, key: Any, chance: random.Random) -> None:
    if isinstance(place, dict):
        name = chance.choice([*_NAMES, f"_{key}", "extension", "valueString", "valueDecimal", "contained"])
        place[name] = chance.choice(ODD_VALUES)


def _append(place: Any, key: Any, chance: random.Random) -> None:
    if isinstance(place, list):
        place.append(chance.choice([*ODD_VALUES, *place]))


def _lengthen(place: Any, key: Any, chance: random.Random) -> None:
    if isinstance(place[key], str):
        place[key] += chance.choice(["\n", " ", "\u0664", "\x00", "\x1c", "Z", "0", "\u2028"])


def _extend(place: Any, key: Any, chance: random.Random) -> None:
    """The extensions of a primitive, beside it or instead of it."""
    if isinstance(place, dict):
        place[f"_{key}"] = chance.choice(
            [{"extension": [{"url": "urn:x", "valueCode": "a"}]}, {"id": "a"}, [{}]]
        )
        if chance.random() < 0.5:
            del place[key]


_MUTATIONS = (_remove, _replace, _replace, _wrap, _unwrap, _rename, _add, _add, _append, _lengthen, _extend)
