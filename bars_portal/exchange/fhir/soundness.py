"""The quick gate: a Bundle in which nothing can be wrong for the model library, in a twentieth of its time.

Shapes are compiled from the library's own classes, each when it is first met, so they change with it. What is
not understood of a class is left out of its shape: then an object that has it is not surely sound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from math import isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.bundle import Bundle
from fhir_core import types
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from fhir_core.types import FhirBase, FhirElementOrResourceBase

from bars_portal.exchange.fhir.json import ExactDecimal
from bars_portal.exchange.fhir.limits import MAX_DEPTH, MAX_ENTRIES, has_plain_texts

# An object takes two levels when it stands in a list, and one level is kept for lists of primitives.
_OBJECTS_DEEP = (MAX_DEPTH - 1) // 2


def is_surely_sound(raw: dict[str, Any]) -> bool:
    """Whether `Bundle.model_validate` and the limits surely take it. False means: not known, ask them.

    Whatever it has no rule for is not known. Never raises.
    """
    entries = raw.get("entry")
    if isinstance(entries, list) and len(entries) > MAX_ENTRIES:
        return False
    return surely_fits(Bundle, raw)


def surely_fits(model: Model, value: Any) -> bool:
    """The same for an object of any class of the library."""
    try:
        return has_plain_texts(value) and shape_of(model).fits(value, _OBJECTS_DEEP)
    except (KeyError, TypeError, AttributeError):
        # An unknown name, and what is of another type than its place: quicker met than asked for each time.
        return False


# -- the shape of one FHIR type: which members an object may have, and what each must be

# Truthy for a value that is surely sound. What is no text may raise TypeError where a text is expected.
Leaf = Callable[[Any], object]
# The same for an object or list, with how many objects deep it may still be.
Nested = Callable[[Any, int], bool]


@dataclass(eq=False, slots=True)
class Shape:
    """Filled after it was made, for types contain each other."""

    leaves: dict[str, Leaf] = field(default_factory=dict)
    nested: dict[str, Nested] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    # Names of which an object has one, or none where that is its second part: value[x].
    choices: tuple[tuple[frozenset[str], int], ...] = ()

    def fits(self, value: Any, room: int) -> bool:
        """Raises KeyError for an unknown name; TypeError or AttributeError for another type of value."""
        if not (room and value):
            return False
        leaves, nested = self.leaves, self.nested
        for name, item in value.items():
            leaf = leaves.get(name)
            if leaf is None:
                if not nested[name](item, room - 1):
                    return False
            elif not leaf(item):
                return False
        for names, at_least in self.choices:
            if not at_least <= len(names & value.keys()) <= 1:
                return False
        return not self.required or value.keys() >= self.required


def many(one: Nested) -> Nested:
    """A list of them."""

    def fits(value: Any, room: int) -> bool:
        return bool(value) and type(value) is list and all(map(one, value, repeat(room)))

    return fits


def many_leaves(one: Leaf) -> Leaf:
    """A list of texts or numbers."""
    return lambda value: bool(value) and type(value) is list and all(map(one, value))


# -- shapes compiled from the model library's own classes

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


# -- when a value is surely sound for one of FHIR's primitive types (R4 datatypes), by the library's markers
# Each rule takes less than the library does, never more: its patterns run on another engine, where `\s`, `\d`
# and `$` mean other things. The methods of compiled patterns raise TypeError for what is no text.

_ANY_TEXT: Leaf = re.compile("").match
_DAYS = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_YEAR = r"(?!0000)[0-9]{4}"
# Every fourth year but the hundredths: 29 February 2000 is the library's business.
_LEAP_DAY = r"[0-9]{2}(?:0[48]|[2468][048]|[13579][26])-02-29"
_DATE = rf"(?:{_YEAR}-{_DAYS}|{_LEAP_DAY})"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]{1,30})?"
_MOMENT = rf"{_DATE}T{_TIME}(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])"
_PARTIAL = rf"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?"
_BASE64 = "[A-Za-z0-9+/]"
_SMALL = 2**63


def _whole(pattern: str) -> Leaf:
    return re.compile(pattern).fullmatch


def _is_decimal(value: Any) -> bool:
    if type(value) is int:
        return -_SMALL < value < _SMALL
    return type(value) in (float, ExactDecimal) and isfinite(value)


def is_boolean(value: Any) -> bool:
    return value is True or value is False


def _between(marker: Any) -> Leaf:
    low, high = marker.min_length, marker.max_length
    return lambda value: type(value) is int and low <= value <= high


_FIXED: dict[type, Leaf] = {
    types.String: re.compile(r"\S").search,
    types.Code: _whole(r"\S+(?: \S+)*"),
    types.Id: _whole(r"[A-Za-z0-9.\-]{1,64}"),
    types.Uri: _ANY_TEXT,
    types.Canonical: _ANY_TEXT,
    types.Markdown: _ANY_TEXT,
    types.Xhtml: _ANY_TEXT,
    types.Url: _whole(r"https?://[A-Za-z0-9.\-]+(?:/[!-~]*)?"),
    types.Oid: _whole(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"),
    types.Base64Binary: _whole(rf"(?:{_BASE64}{{4}})*(?:{_BASE64}{{4}}|{_BASE64}{{2}}==|{_BASE64}{{3}}=)"),
    types.Date: _whole(rf"{_DATE}|{_PARTIAL}"),
    types.DateTime: _whole(rf"{_MOMENT}|{_DATE}|{_PARTIAL}"),
    types.Instant: _whole(_MOMENT),
    types.Time: _whole(_TIME),
    types.Decimal: _is_decimal,
}
_BOUNDED: dict[type, Callable[[Any], Leaf]] = {
    types.Integer: _between,
    types.UnsignedInt: _between,
    types.PositiveInt: _between,
}


def leaf_of(marker: object) -> Leaf | None:
    """The rule for the library's marker of a primitive type; None where there is none."""
    kind = type(marker)
    return _BOUNDED[kind](marker) if kind in _BOUNDED else _FIXED.get(kind)
