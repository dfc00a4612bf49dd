"""Accepted messages, changed at random: as JSON, as XML, and as bytes that no writer would make."""

import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from lxml import etree

HOSTILE = [
    *(
        "",
        " ",
        "\x00",
        "\x0b",
        "\ufffe",
        "'; DROP TABLE bookings_slot; --",
        "<script>",
        "é" * 300,
        "x" * 5000,
    ),
    *("\ud800", "2030-02-30", "0001-01-01T00:00:00-14:00", "9999-12-31T23:59:59+14:00"),
    *("2030-03-01T09:00:00Z", "urn:uuid:00000000-0000-4000-8000-000000000002", "Patient/1", "#x"),
    *("https://x.example/a?b=c", "1e999", "MessageHeader", "active", "a1t1"),
]


def _deep(levels: int) -> Any:
    value: Any = {"url": "urn:x", "valueString": "y"}
    for _ in range(levels):
        value = {"url": "urn:x", "extension": [value]}
    return [value]


VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 2**31, 10**30, 1.5e300, [], {}, [[]], [None], {"a": {}}]),
    st.sampled_from(HOSTILE),
    st.text(max_size=20),
    st.lists(st.text(max_size=3), max_size=3),
    st.sampled_from([30, 59, 200, 350]).map(_deep),
)


_DEEPEST = 20


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a message, containers too; not into what a mutation nested deeply."""
    if len(path) > _DEEPEST:
        return []
    if isinstance(value, dict):
        inner = [each for name, item in value.items() for each in places(item, (*path, name))]
    elif isinstance(value, list):
        inner = [each for index, item in enumerate(value) for each in places(item, (*path, index))]
    else:
        inner = []
    return [path, *inner] if path else inner


@st.composite
def mutated(draw: st.DrawFn, original: dict[str, Any]) -> dict[str, Any]:
    """One to three changes anywhere in the message."""
    bundle = deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        known = places(bundle)
        if not known:
            return bundle
        *way, last = draw(st.sampled_from(known))
        owner: Any = bundle
        for step in way:
            owner = owner[step]
        _change(draw, bundle, owner, last)
    return bundle


def _change(draw: st.DrawFn, bundle: Any, owner: Any, last: Any) -> None:
    kind = draw(st.sampled_from(["replace", "replace", "drop", "double", "wrap", "add", "move", "retitle"]))
    if kind == "replace":
        owner[last] = draw(VALUES)
    elif kind == "drop":
        del owner[last]
    elif kind == "double" and isinstance(owner, list):
        owner.append(deepcopy(owner[last]))
    elif kind == "wrap":
        owner[last] = [owner[last]]
    elif kind == "move":
        owner[last] = deepcopy(_any_value(draw, bundle))
    elif kind == "retitle" and isinstance(owner, dict):
        owner[draw(st.sampled_from(["x", "id", "status", "resourceType", f"_{last}", "extension"]))] = (
            owner.pop(last)
        )
    elif isinstance(owner, dict):
        owner[draw(st.sampled_from(["_status", "extension", "contained", "meta", "id", "x"]))] = draw(VALUES)


def _any_value(draw: st.DrawFn, bundle: Any) -> Any:
    """Ids, references, codes and whole resources of another place; the whole when nothing is left."""
    value = bundle
    for step in draw(st.sampled_from(places(bundle) or [()])):
        value = value[step]
    return value


def as_json(bundle: dict[str, Any]) -> bytes:
    """Lone surrogates, NUL and numbers of any size, as escapes where need be."""
    return json.dumps(bundle).encode()


# Nothing that a tree could hold: put in its place as bytes.
_MARK = "a-mark-to-be-replaced"
_RAW = [
    *(b"&#0;", b"&#xD800;", b"&#11;", b"\x00", b"\xff\xfe", b"&nosuch;", b"<!-- x -->", b"]]>", b"<?x y?>"),
    *(
        b'"/><x a="',
        b"&#x10FFFF;",
        "é".encode("latin-1"),
        b'<!DOCTYPE x [<!ENTITY y "z">]>',
        b"&lt;",
        b"\x0b",
    ),
]


@st.composite
def mutated_xml(draw: st.DrawFn, original: bytes) -> bytes:
    """One to three changes of the tree, sometimes with bytes that are no XML."""
    root = etree.fromstring(original)
    for _ in range(draw(st.integers(1, 3))):
        element = draw(st.sampled_from(list(root.iter(etree.Element))))
        if element is not root:
            _change_element(draw, root, element)
    body = etree.tostring(root, encoding="UTF-8", xml_declaration=draw(st.booleans()))
    return body.replace(_MARK.encode(), draw(st.sampled_from(_RAW)))


def _change_element(draw: st.DrawFn, root: Any, element: Any) -> None:
    parent = element.getparent()
    kind = draw(
        st.sampled_from(["value", "value", "drop", "double", "move", "retitle", "text", "deep", "raw"])
    )
    if kind == "value":
        element.set("value", draw(st.sampled_from([each for each in HOSTILE if _is_xml(each)])))
    elif kind == "drop":
        parent.remove(element)
    elif kind == "double":
        parent.append(deepcopy(element))
    elif kind == "move":
        element.append(deepcopy(draw(st.sampled_from(list(root.iter(etree.Element))))))
    elif kind == "retitle":
        element.tag = draw(
            st.sampled_from(["x", "{http://hl7.org/fhir}status", "{http://hl7.org/fhir}id", "{x}y"])
        )
    elif kind == "deep":
        for _ in range(draw(st.sampled_from([59, 300]))):
            element = etree.SubElement(element, "{http://hl7.org/fhir}extension", {"url": "urn:x"})
    else:
        element.set(draw(st.sampled_from(["value", "url", "id", "x"])), _MARK)
        element.text = _MARK if kind == "text" else None


def _is_xml(text: str) -> bool:
    return not set(text) & set("\x00\x0b\ud800\ufffe")
