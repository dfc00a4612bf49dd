"""The form of every page: Django's own, drawn with NHS.UK components."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting

from bars_portal.nhsuk.forms.choices import CheckboxesField, Option, RadiosField
from bars_portal.nhsuk.forms.dates import PARTS


class SummaryItem(NamedTuple):
    """One line of the error summary; `href` is "" when no single field is at fault."""

    text: str
    href: str


class NHSForm(forms.Form):
    """Fields of this package only. Templates: `{{ form.family_name.as_field_group() }}` or `{{ form }}`."""

    default_renderer = TemplatesSetting()
    template_name = "components/forms/form.jinja"
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def top_fields(self) -> list[BoundField]:
        """Fields in order, without those that a radio button shows under itself."""
        nested = {
            name for field in self.fields.values() for name in getattr(field, "conditional", {}).values()
        }
        return [self[name] for name in self.fields if name not in nested]

    def summary(self) -> list[SummaryItem]:
        """The first error of each field, in the order of the page, then those of the form as a whole."""
        items = [
            SummaryItem(
                str(self[name].errors[0]), "" if self[name].is_hidden else f"#{target_id(self[name])}"
            )
            for name in self.fields
            if name in self.errors
        ]
        return items + [SummaryItem(str(text), "") for text in self.errors.get(NON_FIELD_ERRORS, ())]


def wrong_parts(bound: BoundField) -> tuple[str, ...]:
    """The inputs of a date that its first error is about."""
    faults = bound.errors.as_data()
    params = faults[0].params if faults else None
    return tuple(params["parts"]) if params and "parts" in params else ()


def target_id(bound: BoundField) -> str:
    """The id of the input that an error is about: a date's first wrong part, a list's first item."""
    if getattr(bound.field, "component", "") == "date":
        part = (wrong_parts(bound) or ("day",))[0]
        return f"{bound.auto_id}-{part}"
    return str(bound.auto_id)


# Turns a bound field into the parameters of its NHS.UK component.


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
