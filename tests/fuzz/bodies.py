"""Sound requests whose bodies are wrong: mutated messages, noise, bombs, depth, size, XML attacks."""

import gzip
import json
from random import Random
from xml.etree import ElementTree as ET

from tests.fuzz.mutations import Tree, broken_bytes, broken_tree, noise, renewed, written
from tests.fuzz.shots import Shot, message
from tests.live.xml import to_xml

JSON, XML = "application/fhir+json", "application/fhir+xml"
_TYPES = (JSON, XML)
_DEEP, _HUGE, _BOMB = 20_000, 10_000_000, 100_000_000
_NS = b'<Bundle xmlns="http://hl7.org/fhir">%s</Bundle>'
_ENTITIES = b"".join(b'<!ENTITY e%d "%s">' % (n + 1, b"&e%d;" % n * 10) for n in range(9))
_XML_ATTACKS = (
    b'<!DOCTYPE Bundle [<!ENTITY e0 "x">' + _ENTITIES + b"]>" + _NS % b'<id value="&e9;"/>',
    b'<!DOCTYPE Bundle [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + _NS % b'<id value="&e;"/>',
    b'<!DOCTYPE Bundle [<!ENTITY % e SYSTEM "http://127.0.0.1:1/e.dtd"> %e;]>' + _NS % b"",
    b'<?xml version="1.0" encoding="UTF-7"?>' + _NS % b"",
    b'<?xml version="1.0" encoding="UTF-16"?>' + _NS % b"",
    b'<?xml version="9.9"?>' + _NS % b"",
    b'<?xml-stylesheet href="http://127.0.0.1:1/x.xsl"?>' + _NS % b"",
    _NS % b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>',
    _NS % (b"<entry>" * _DEEP),
    _NS % (b"<entry>" * _DEEP + b"</entry>" * _DEEP),
    _NS % b'<id value="\x00"/>',
    _NS % b'<id value="&#xD800;"/>',
    _NS % b"<!-- -- -->",
    _NS % (b'<id value="' + b"x" * 500_000 + b'"/>'),
    _NS % (b"<x" + b" a='1'" * 5000 + b"/>"),
    _NS % b"<text><div xmlns='http://www.w3.org/1999/xhtml'><script>1</script></div></text>",
    _NS.replace(b">%s", b" xmlns:a='http://hl7.org/fhir'>%s") % b"<a:id value='1'/><a:id/>",
    "﻿".encode("utf-16") + (_NS % b"").decode().encode("utf-16-le"),
)


def valid(rng: Random, seeds: list[Tree]) -> Shot:
    body = written(renewed(rng, rng.choice(seeds)))
    return message("valid", rng, body, JSON, Accept=rng.choice(_TYPES))


def repeated(rng: Random, seeds: list[Tree]) -> Shot:
    """As it is, Bundle.id too: refused or answered, never both."""
    return message("repeated", rng, written(rng.choice(seeds)), JSON)


def json_bytes(rng: Random, seeds: list[Tree]) -> Shot:
    return message("json-bytes", rng, broken_bytes(rng, written(renewed(rng, rng.choice(seeds)))), JSON)


def json_tree(rng: Random, seeds: list[Tree]) -> Shot:
    body = written(broken_tree(rng, rng.choice(seeds)))
    return message("json-tree", rng, body, JSON, Accept=rng.choice(_TYPES))


def xml_bytes(rng: Random, seeds: list[Tree]) -> Shot:
    return message("xml-bytes", rng, broken_bytes(rng, _xml(renewed(rng, rng.choice(seeds)))), XML)


def xml_tree(rng: Random, seeds: list[Tree]) -> Shot:
    return message("xml-tree", rng, _xml(broken_tree(rng, rng.choice(seeds))), XML, Accept=rng.choice(_TYPES))


def xml_attack(rng: Random, _: list[Tree]) -> Shot:
    return message("xml-attack", rng, rng.choice(_XML_ATTACKS), XML)


def random_bytes(rng: Random, _: list[Tree]) -> Shot:
    return message("random", rng, noise(rng, 3000), rng.choice(_TYPES))


def zipped(rng: Random, seeds: list[Tree]) -> Shot:
    """gzip: right, wounded, in many parts, a bomb, or only said to be."""
    plain = written(broken_tree(rng, rng.choice(seeds)))
    whole = gzip.compress(plain, 1, mtime=0)
    bomb = gzip.compress(bytes(_BOMB), 1) if rng.random() < 0.05 else whole
    body = rng.choice([whole, broken_bytes(rng, whole), whole * 40, bomb, plain, whole[:-4], whole + b"x"])
    return message("gzip", rng, body, rng.choice(_TYPES), Content_Encoding=rng.choice(["gzip", "x-gzip"]))


def deep(rng: Random, _: list[Tree]) -> Shot:
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'{"extension":[', b"]}")])
    depth = rng.choice([61, 300, 1030, _DEEP])
    inner = opening * depth + b"1" + (closing * depth if rng.random() < 0.7 else b"")
    body = b'{"resourceType":"Bundle","type":"message","entry":[{"resource":' + inner + b"}]}"
    return message("deep", rng, body, JSON)


def huge(rng: Random, seeds: list[Tree]) -> Shot:
    """One string of 10 MB, or a list of very many entries, or a number of very many digits."""
    tree = renewed(rng, rng.choice(seeds))
    big: object = rng.choice(["x" * _HUGE, [{}] * 300_000, [tree["entry"][0]] * 501, "y" * 2_000_000])
    if rng.random() < 0.3:
        return message("huge", rng, b'{"resourceType":"Bundle","total":' + b"9" * 1_000_000 + b"}", JSON)
    return message("huge", rng, json.dumps(tree | {"entry": big}).encode(), JSON)


def _xml(tree: Tree) -> bytes:
    """A tree that XML has no way to write is sent as the JSON it is."""
    try:
        return to_xml(tree)
    except (AssertionError, ValueError, TypeError, AttributeError, KeyError, ET.ParseError):
        return written(tree)
