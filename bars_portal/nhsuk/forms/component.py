"""Turns a bound field into the parameters of its NHS.UK component."""

from collections.abc import Callable
from typing import Any

from django.forms.boundfield import BoundField

from bars_portal.nhsuk.forms.base import wrong_parts
from bars_portal.nhsuk.forms.choices import CheckboxesField, Option, RadiosField
from bars_portal.nhsuk.forms.dates import PARTS

_SIZES = {"s", "m", "l", "xl"}


def _options(bound: BoundField) -> dict[str, Any]:
    return dict(getattr(bound.field, "options", {}))


def _named(text: Any, size: str) -> dict[str, Any]:
    return {"text": str(text), "size": size} if size in _SIZES else {"text": str(text)}


def _common(bound: BoundField) -> dict[str, Any]:
    """Hint and error: the same words as in the summary."""
    params: dict[str, Any] = {}
    hint = getattr(bound.field, "hint", "")
    if hint:
        params["hint"] = {"text": hint}
    if bound.errors:
        params["errorMessage"] = {"text": bound.errors[0]}
    return params


def text_params(bound: BoundField) -> dict[str, Any]:
    """For input, textarea, password and hidden."""
    options = _options(bound)
    size = options.pop("label_size", "")
    # No maxlength attribute: it would cut a pasted text without a word.
    shown = {name: value for name, value in options.items() if value not in (None, "")}
    value = bound.value()
    return {
        **_common(bound),
        **shown,
        "id": bound.auto_id,
        "name": bound.html_name,
        "value": "" if value is None else str(value),
        "label": _named(bound.label, size),
    }


def select_params(bound: BoundField) -> dict[str, Any]:
    items = [{"value": option.value, "text": option.text} for option in _items(bound)]
    return {
        **_common(bound),
        "id": bound.auto_id,
        "name": bound.html_name,
        "label": _named(bound.label, _options(bound).get("label_size", "")),
        "items": _marked(items, bound, "selected"),
    }


def choice_params(bound: BoundField) -> dict[str, Any]:
    """For radios and checkboxes."""
    options = _options(bound)
    items: list[dict[str, Any]] = []
    for option in _items(bound):
        if option.divider:
            items.append({"divider": option.divider})
        items.append(_choice(option, bound))
    return {
        **_common(bound),
        "idPrefix": bound.auto_id,
        "name": bound.html_name,
        "fieldset": {"legend": _named(bound.label, options.get("label_size", ""))},
        "inline": options.get("inline", False),
        "small": options.get("small", False),
        "items": _marked(items, bound, "checked"),
    }


def confirm_params(bound: BoundField) -> dict[str, Any]:
    common = _common(bound)
    item: dict[str, Any] = {"value": "on", "text": str(bound.label), "checked": bool(bound.value())}
    if "hint" in common:
        item["hint"] = common.pop("hint")
    return {**common, "idPrefix": bound.auto_id, "name": bound.html_name, "items": [item]}


def date_params(bound: BoundField) -> dict[str, Any]:
    options = _options(bound)
    value, wrong = bound.value(), wrong_parts(bound)
    items = [
        {
            "name": f"{bound.html_name}-{part}",
            "id": f"{bound.auto_id}-{part}",
            "label": part.capitalize(),
            "value": getattr(value, part, ""),
            "width": 4 if part == "year" else 2,
            "error": part in wrong,
            # Autofill would offer the birthday of whoever sits at the keyboard.
            "autocomplete": "off",
        }
        for part in PARTS
    ]
    return {
        **_common(bound),
        "id": bound.auto_id,
        "fieldset": {"legend": _named(bound.label, options.get("label_size", ""))},
        "items": items,
    }


def _items(bound: BoundField) -> tuple[Option, ...]:
    return tuple(getattr(bound.field, "items", ()))


def _choice(option: Option, bound: BoundField) -> dict[str, Any]:
    item: dict[str, Any] = {"value": option.value, "text": option.text}
    if option.hint:
        item["hint"] = {"text": option.hint}
    field = bound.field
    nested = field.conditional.get(option.value) if isinstance(field, RadiosField | CheckboxesField) else None
    if nested:
        item["conditional"] = {"html": bound.form[nested].as_field_group()}
    return item


def _marked(items: list[dict[str, Any]], bound: BoundField, mark: str) -> list[dict[str, Any]]:
    value = bound.value()
    chosen = {str(one) for one in value} if isinstance(value, list | tuple) else {str(value or "")}
    return [{**item, mark: item["value"] in chosen} if "value" in item else item for item in items]


_BUILDERS: dict[str, Callable[[BoundField], dict[str, Any]]] = {
    "radios": choice_params,
    "checkboxes": choice_params,
    "select": select_params,
    "date": date_params,
    "confirm": confirm_params,
}


def field_params(bound: BoundField) -> dict[str, Any]:
    """The parameters for whichever component draws this field."""
    return _BUILDERS.get(getattr(bound.field, "component", ""), text_params)(bound)
