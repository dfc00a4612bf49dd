"""JSON that comes in: read strictly, judged by the forms of the pages, with their fields, rules and words.

Strict is UTF-8, no NaN, and no object with the same name twice: every parser keeps one of two like-named
members without a word, and which of them was meant nobody knows.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import orjson
from django.forms import Field, Form
from rest_framework.request import Request

from bars_portal.api.operations import Json, Parameter, object_of
from bars_portal.api.problems import FieldFault, faults_of, invalid

F = TypeVar("F", bound=Form)
_NO_SUCH_FIELD = "There is no such field."
# Of names that are there twice.
_LONGEST_NAME, _MOST_TOLD = 50, 20


class Unreadable(ValueError):
    """It is no JSON that means one thing only."""


class RepeatedNames(Unreadable):
    """`pointers` (RFC 6901) lead to names that are there twice, in the order of the text."""

    def __init__(self, pointers: tuple[str, ...]) -> None:
        super().__init__("names that are there twice")
        self.pointers = pointers


class _Members(list[tuple[str, Any]]):
    """The members of one object, as they came."""


def read_json(text: bytes) -> Any:
    """Raises Unreadable."""
    try:
        read = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Unreadable from None
    if b"{" in text:
        try:
            members = json.loads(text, object_pairs_hook=_Members)
        except (RecursionError, ValueError):
            raise Unreadable from None
        pointers = tuple(pointer for pointer, _ in zip(_repeated(members), range(_MOST_TOLD), strict=False))
        if pointers:
            raise RepeatedNames(pointers)
    return read


def escaped(name: str) -> str:
    """A name as a step of a JSON pointer (RFC 6901); a long one is cut, for it is no name of ours."""
    return name[:_LONGEST_NAME].replace("~", "~0").replace("/", "~1")


def _repeated(root: Any) -> Iterator[str]:
    stack: list[tuple[Any, str]] = [(root, "")]
    while stack:
        item, path = stack.pop()
        within: list[tuple[Any, str]] = []
        if isinstance(item, _Members):
            met: set[str] = set()
            for name, value in item:
                step = f"{path}/{escaped(name)}"
                if name in met:
                    yield step
                met.add(name)
                within.append((value, step))
        elif isinstance(item, list):
            within = [(each, f"{path}/{at}") for at, each in enumerate(item)]
        stack.extend(reversed(within))


def schema_of(form: type[Form], *, without: tuple[str, ...] = ()) -> Json:
    """What `filled` takes, as a JSON schema: label, hint and options of each field, and its longest text."""
    fields = {name: field for name, field in form.base_fields.items() if name not in without}
    required = tuple(name for name, field in fields.items() if field.required and field.initial is None)
    return object_of({name: property_of(field) for name, field in fields.items()}, required=required)


def filled(
    form: type[F], given: Mapping[str, Any], *, at: str = "", **options: Any
) -> tuple[F, list[FieldFault]]:
    """The form, bound and judged, with all its faults and those of the JSON itself; [] when it is valid.

    `at` is the pointer of `given` in the body, `options` are the form's own.
    """
    faults: list[FieldFault] = []
    # What a page has filled in when it opens counts where nothing else is given.
    data = {
        name: field.initial
        for name, field in form.base_fields.items()
        if field.initial is not None and given.get(name) is None
    }
    for name, value in given.items():
        field = form.base_fields.get(name)
        if field is None:
            faults.append(FieldFault(_NO_SUCH_FIELD, pointer=f"{at}/{escaped(name)}"))
        elif value is not None:
            wrong = wrong_type(field, value)
            if wrong:
                faults.append(FieldFault(wrong, pointer=f"{at}/{name}"))
            else:
                data.update(as_posted(name, field, value))
    bound = form(data, **options)
    already = {each.pointer for each in faults}
    faults += [each for each in faults_of(bound, at=at) if each.pointer not in already]
    return bound, faults


def valid(form: type[F], given: Mapping[str, Any], **options: Any) -> F:
    """As `filled`. Raises Problem with every fault."""
    bound, faults = filled(form, given, **options)
    if faults:
        raise invalid(faults)
    return bound


def asked(form: type[F], request: Request, *, beside: tuple[Parameter, ...] = ()) -> F:
    """A form filled from the address, which may hold the parameters `beside` too. Raises Problem."""
    known = {*form.base_fields, *(each.name for each in beside)}
    faults = list(unknown_parameters(request, known))
    bound = form(request.query_params)
    for name, texts in bound.errors.items():
        faults += [FieldFault(str(text), parameter=name) for text in texts]
    if faults:
        raise invalid(faults)
    return bound


def unknown_fields(body: Mapping[str, Any], schema: Json) -> Iterator[FieldFault]:
    for name in body:
        if name not in schema["properties"]:
            yield FieldFault(_NO_SUCH_FIELD, pointer=f"/{escaped(name)}")


def unknown_parameters(
    request: Request, known: set[str] | frozenset[str], *, repeated: frozenset[str] = frozenset()
) -> Iterator[FieldFault]:
    """A slip in a name must not be taken for "all of them"."""
    for name, values in request.query_params.lists():
        if name not in known:
            yield FieldFault("There is no such parameter.", parameter=name[:50])
        elif len(values) > 1 and name not in repeated:
            yield FieldFault("This may be there once only.", parameter=name)


def parameters_of(form: type[Form]) -> tuple[Parameter, ...]:
    """The form's fields as parameters of an address."""
    return tuple(Parameter(name, property_of(field)) for name, field in form.base_fields.items())


def object_in(given: object, *, at: str = "") -> Mapping[str, Any]:
    """The body, or an object in it. Raises Problem."""
    if isinstance(given, dict):
        return given
    raise invalid([FieldFault("This must be an object.", pointer=at)])


def _component_of(field: Field) -> str:
    return str(getattr(field, "component", "input"))


def property_of(field: Field) -> Json:
    """A field of a form as a JSON schema."""
    hint = getattr(field, "hint", "")
    described: Json = {"description": f"{field.label}. {hint}".strip() if hint else str(field.label)}
    match _component_of(field):
        case "confirm":
            return {"type": "boolean", **described}
        case "date":
            described["examples"] = ["1984-07-14"]
            return {"type": "string", "pattern": r"^$|^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$", **described}
        case "checkboxes":
            return {"type": "array", "items": {"type": "string", "enum": _options(field)}, **described}
        case "radios" | "select":
            empty = [""] if not field.required else []
            options = [each for each in _options(field) if each]
            return {"type": "string", "enum": [*empty, *options], **described}
    longest = getattr(field, "max_length", None)
    return {"type": "string", **({"maxLength": longest} if longest else {}), **described}


def _options(field: Field) -> list[str]:
    choices = getattr(field, "choices", ())
    return [str(value) for value, _ in (choices() if callable(choices) else choices)]


def wrong_type(field: Field, value: object) -> str:
    """What is wrong with the JSON itself, before the field judges it; "" when nothing is."""
    match _component_of(field):
        case "confirm":
            return "" if isinstance(value, bool) else "This must be true or false."
        case "checkboxes":
            texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
            return "" if texts else "This must be a list of texts."
        case "date":
            return "" if isinstance(value, str) and _parts(value) else "This must be a date like 1984-07-14."
    return "" if isinstance(value, str) else "This must be a text."


def as_posted(name: str, field: Field, value: Any) -> Json:
    """As a browser would send it."""
    match _component_of(field):
        case "confirm":
            return {name: "on"} if value else {}
        case "date":
            year, month, day = _parts(value) or ("", "", "")
            return {f"{name}-year": year, f"{name}-month": month, f"{name}-day": day}
    return {name: value}


def _parts(text: str) -> tuple[str, str, str] | None:
    """Year, month and day of a FHIR date, each "" when it is not there; None for what has another form."""
    parts = text.split("-") if text else []
    if len(parts) > 3 or not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        return None
    year, month, day = (*parts, "", "", "")[:3]
    return year, month, day
