"""The least sound object of a class of the model library, and one good value for each of its elements."""

from collections.abc import Iterable, Iterator
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from fhir_core import types
from fhir_core.types import FhirBase

from bars_portal.exchange.fhir.soundness import Model

_MOMENT = "2024-02-29T12:00:00.123+01:00"
_GOOD: dict[type, Any] = {
    **dict.fromkeys((types.String, types.Markdown, types.Xhtml), "a b\n"),
    **dict.fromkeys((types.Uri, types.Canonical), "urn:x"),
    types.Url: "https://example.org/x|1",
    types.Code: "a b",
    types.Id: "a-1.b",
    types.Oid: "urn:oid:1.2.0",
    types.Base64Binary: "aGVsbG8=",
    types.Date: "2024-02-29",
    **dict.fromkeys((types.DateTime, types.Instant), _MOMENT),
    types.Time: "12:00:00",
    types.Decimal: 1.5,
    **dict.fromkeys((types.Integer, types.UnsignedInt, types.PositiveInt), 1),
}


def minimal(model: Model, within: tuple[Model, ...] = ()) -> dict[str, Any]:
    """Only what the class requires; of a required choice its first."""
    empty = model.model_construct()
    names = {name for name, _ in empty.get_required_fields()}
    names |= {each.alias or key for key, each in model.model_fields.items() if each.is_required()}
    for choice in empty.get_one_of_many_fields().values():
        extra: Any = model.model_fields[choice[0]].json_schema_extra
        names |= {choice[0]} if extra["one_of_many_required"] else set()
    members = {name: good_member(_annotations(model)[name]) for name in sorted(names)}
    if model.has_resource_base():
        return {"resourceType": model.get_resource_type()} | members
    # An object of no members at all would be odd.
    return members or {"id": "a"}


def good_member(annotation: Any) -> Any:
    """None for what the gate has no rule for: UUIDs, comments, nulls in lists."""
    if get_origin(annotation) is list:
        inner = good_member(get_args(annotation)[0])
        return None if inner is None else [inner]
    if annotation is bool:
        return True
    if get_origin(annotation) is Annotated:
        return _GOOD.get(type(get_args(annotation)[-1]))
    if isinstance(annotation, type) and issubclass(annotation, FhirBase):
        return _good_object(annotation)
    kinds = [each for each in get_args(annotation) if each is not NoneType]
    return good_member(kinds[0]) if len(kinds) == 1 else None


def _good_object(kind: type[FhirBase]) -> Any:
    if kind.__name__ == "ResourceType":
        return {"resourceType": "Basic", "code": {"text": "a"}}
    return minimal(kind.get_model_klass())


def _annotations(model: Model) -> dict[str, Any]:
    return {each.alias or key: each.annotation for key, each in model.model_fields.items()}


def models_within(models: Iterable[Model]) -> set[Model]:
    """These and all that they are made of."""
    found: set[Model] = set()
    waiting = list(models)
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            waiting.extend(each for kind in _annotations(model).values() for each in _classes(kind))
    return found


def _classes(annotation: Any) -> Iterator[Model]:
    if isinstance(annotation, type) and issubclass(annotation, FhirBase):
        yield annotation.get_model_klass()
    for each in get_args(annotation):
        yield from _classes(each)
