"""Writes `elements.json` from the installed fhir.resources models; run it after an upgrade of that library:

`python -m tests.unit.exchange_fhir_xml.generate`. A test tells when the file no longer agrees.

One line a type: its elements in FHIR's order, each `name:kind`, with `*` when it may repeat. Kinds are
boolean, integer, decimal, xhtml, Resource (any), or the name of a complex type; none is any other primitive.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from fhir.resources import R4B
from fhir.resources.R4B.resource import Resource
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from fhir_core.types import FhirBase, Xhtml

from bars_portal.exchange.fhir.xml.table import TABLE_FILE

Model = type[Any]
_NOT_IN_R4 = "fhirprimitiveextension"
_KINDS: dict[Any, str] = {bool: "boolean", int: "integer", Decimal: "decimal"}


def table() -> dict[str, Any]:
    """The content of `elements.json`: the resource types, and the elements of every type."""
    models = {model.get_resource_type(): model for model in _models()}
    return {
        "resources": sorted(name for name, model in models.items() if _is_resource(model)),
        "elements": {name: " ".join(_elements(model)) for name, model in sorted(models.items())},
    }


def render(content: dict[str, Any]) -> str:
    """Sorted and indented, so that a change of the library shows as a readable difference."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _models() -> Iterator[Model]:
    for found in iter_modules(R4B.__path__):
        module = import_module(f"{R4B.__name__}.{found.name}")
        for member in vars(module).values():
            if _is_model(member) and member.__module__ == module.__name__ and found.name != _NOT_IN_R4:
                yield member


def _is_model(member: object) -> bool:
    return isinstance(member, type) and issubclass(member, FHIRAbstractModel)


def _is_resource(model: Model) -> bool:
    return issubclass(model, Resource) and model.__name__ not in {"Resource", "DomainResource"}


def _elements(model: Model) -> Iterator[str]:
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    for name in model.elements_sequence():
        kind, many = _kind(fields[name].annotation)
        yield f"{name}{':' if kind else ''}{kind}{'*' if many else ''}"


def _kind(annotation: Any) -> tuple[str, bool]:
    """The kind of an element and whether it repeats, from `Optional[List[...]]` and such."""
    many = False
    while True:
        if any(isinstance(each, Xhtml) for each in getattr(annotation, "__metadata__", ())):
            return "xhtml", many
        arguments = [each for each in typing.get_args(annotation) if each is not type(None)]
        if not arguments:
            return _name(annotation), many
        many = many or typing.get_origin(annotation) is list
        annotation = arguments[0]


def _name(annotation: Any) -> str:
    """Complex types are marker classes that know their model; dates, URLs and the rest are text in XML."""
    if isinstance(annotation, type) and issubclass(annotation, FhirBase):
        return str(annotation.get_model_klass().__name__)
    return _KINDS.get(annotation, "")


if __name__ == "__main__":
    TABLE_FILE.write_text(render(table()), encoding="utf-8")
