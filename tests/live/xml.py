"""FHIR XML as a partner writes and reads it; it shares no code with the portal."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

from tests.live.partner import Resource

JSON, XML = "application/fhir+json", "application/fhir+xml"
_FHIR = "http://hl7.org/fhir"
_HOLDS_RESOURCES = ("resource", "contained")


def to_xml(resource: Resource) -> bytes:
    """A resource without primitive extensions, as XML."""
    root = ET.Element(resource["resourceType"], xmlns=_FHIR)
    _fill(root, {name: value for name, value in resource.items() if name != "resourceType"}, is_resource=True)
    return b"<?xml version='1.0' encoding='UTF-8'?>\n" + ET.tostring(root)


def values(body: bytes, path: str) -> list[str]:
    """The values at a path of element names, such as `entry/resource/Appointment/id`."""
    steps = "/".join(f"{{{_FHIR}}}{step}" for step in path.split("/"))
    return [found.attrib["value"] for found in ET.fromstring(body).findall(steps)]


def kind(body: bytes) -> str:
    """The type of the resource."""
    return ET.fromstring(body).tag.removeprefix(f"{{{_FHIR}}}")


def _fill(parent: ET.Element, members: Resource, *, is_resource: bool = False) -> None:
    for name, value in members.items():
        assert not name.startswith("_"), "extensions of primitives are not written here"
        if name == "div":
            parent.append(ET.fromstring(value))
        elif not is_resource and (name == "id" or (name == "url" and parent.tag == "extension")):
            parent.set(name, value)
        else:
            parent.extend(_elements(name, value))


def _elements(name: str, value: Any) -> Iterator[ET.Element]:
    for each in value if isinstance(value, list) else [value]:
        element = ET.Element(name)
        if not isinstance(each, dict):
            element.set("value", _text(each))
        elif name in _HOLDS_RESOURCES and "resourceType" in each:
            element.append(inner := ET.Element(each["resourceType"]))
            _fill(inner, {k: v for k, v in each.items() if k != "resourceType"}, is_resource=True)
        else:
            _fill(element, each)
        yield element


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    assert isinstance(value, str | int | float | Decimal)
    return str(value)
