"""Shapes compiled from the model library's own classes, each when it is first met.

What is not understood of a class is left out of its shape: then an object that has it is not surely sound.
"""

from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from fhir.resources.R4B import get_fhir_model_class
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from fhir_core.types import FhirBase, FhirElementOrResourceBase

from bars_portal.exchange.fhir.soundness.primitives import is_boolean, leaf_of
from bars_portal.exchange.fhir.soundness.shape import Leaf, Nested, Shape, many, many_leaves

Model = type[FHIRAbstractModel]

# What the library asks of an object as a whole: no null in a list, what is required, one of each choice; and
# of the extensions of a primitive, that they are there. A shape asks the same, and knows no null.
_KNOWN_VALIDATORS = {
    "reject_null_complex_elements",
    "validate_after_model_construction",
    "validate_extension_or_fhir_comment_required",
}
_shapes: dict[Model, Shape] = {}
_resources: dict[str, Nested] = {}


def shape_of(model: Model) -> Shape:
    """The shape of a class, compiled once a process with those within. Raises KeyError for an odd class."""
    if model not in _shapes:
        if not _is_understood(model):
            raise KeyError(model.__name__)
        # Known before it is filled, for types contain each other.
        shape = _shapes[model] = Shape()
        _fill(shape, model)
    return _shapes[model]


def learn(resource_types: Iterable[str]) -> None:
    """Compile the shapes of these, and of all that they may hold, now."""
    for each in resource_types:
        _resources[each] = _resource(each)


def _is_understood(model: Model) -> bool:
    """Whether the library judges it by its members and by nothing that we have not met."""
    found = model.__pydantic_decorators__
    others = (found.validators, found.field_validators, found.root_validators)
    return not any(others) and found.model_validators.keys() <= _KNOWN_VALIDATORS


def _fill(shape: Shape, model: Model) -> None:
    """What it asks before what it knows: another thread that meets it half filled finds nothing sound."""
    shape.required = frozenset(_required(model))
    shape.choices = tuple(_choices(model))
    if model.has_resource_base():
        shape.leaves["resourceType"] = {model.get_resource_type()}.__contains__
    for name, annotation in _members(model):
        _add(shape, name, annotation)


def _members(model: Model) -> Iterator[tuple[str, Any]]:
    return ((_alias(model, name), each.annotation) for name, each in model.model_fields.items())


def _alias(model: Model, name: str) -> str:
    return model.model_fields[name].alias or name


def _required(model: Model) -> Iterator[str]:
    """A required primitive may have extensions instead: the library judges those."""
    if model.has_resource_base():
        yield "resourceType"
    yield from (_alias(model, name) for name, each in model.model_fields.items() if each.is_required())
    yield from (name for name, _ in model.model_construct().get_required_fields())


def _choices(model: Model) -> Iterator[tuple[frozenset[str], int]]:
    """The names of each value[x], and how many of them are there at least."""
    for names in model.model_construct().get_one_of_many_fields().values():
        extra: Any = model.model_fields[names[0]].json_schema_extra
        at_least = 0 if extra["one_of_many_required"] is False else 1
        yield frozenset(_alias(model, name) for name in names), at_least


def _add(shape: Shape, name: str, annotation: Any) -> None:
    bare = _bare(annotation)
    is_list = get_origin(bare) is list
    one = _bare(get_args(bare)[0]) if is_list else bare
    if leaf := _leaf(one):
        shape.leaves[name] = many_leaves(leaf) if is_list else leaf
    elif nested := _nested(one):
        shape.nested[name] = many(nested) if is_list else nested


def _bare(annotation: Any) -> Any:
    """X of `X | None`."""
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    kinds = [each for each in get_args(annotation) if each is not NoneType]
    return kinds[0] if len(kinds) == 1 else None


def _leaf(annotation: Any) -> Leaf | None:
    if annotation is bool:
        return is_boolean
    return leaf_of(get_args(annotation)[-1]) if get_origin(annotation) is Annotated else None


def _nested(annotation: Any) -> Nested | None:
    if not (isinstance(annotation, type) and issubclass(annotation, FhirBase)):
        return None
    if issubclass(annotation, FhirElementOrResourceBase):
        return _fits_resource if annotation.__name__ == "ResourceType" else None
    model = annotation.get_model_klass()
    return shape_of(model).fits if _is_understood(model) else None


def _fits_resource(value: Any, room: int) -> bool:
    """An object of the resource type that it names: entry.resource, contained."""
    name = value["resourceType"]
    if name not in _resources:
        _resources[name] = _resource(name)
    return _resources[name](value, room)


def _resource(name: str) -> Nested:
    """Raises KeyError for a name that is no resource type; so no name of a sender's is kept."""
    try:
        model = get_fhir_model_class(name)
    except ValueError as error:
        raise KeyError("resourceType") from error
    if not model.has_resource_base():
        raise KeyError("resourceType")
    return shape_of(model).fits
