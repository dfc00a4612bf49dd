"""The form of every page: Django's own, drawn with NHS.UK components."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting

from bars_portal.nhsuk.forms.dates import PARTS
from bars_portal.nhsuk.forms.fields import Option, RadiosField, Worded

Params = dict[str, Any]
_SIZES = frozenset({"s", "m", "l", "xl"})


class SummaryItem(NamedTuple):
    """One line of the error summary; `href` is "" when no single field is at fault."""

    text: str
    href: str


class NHSForm(forms.Form):
    """Fields of this package only. Templates: `{{ form.family_name.as_field_group() }}` or `{{ form }}`.

    `behind`: fields that few need, behind a disclosure of which `behind_label` says what there is.
    """

    behind: ClassVar[tuple[str, ...]] = ()
    behind_label: ClassVar[str] = ""

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
        return [self[name] for name in self.fields if name not in nested and name not in self.behind]

    def behind_fields(self) -> list[BoundField]:
        return [self[name] for name in self.behind if name in self.fields]

    @property
    def is_opened(self) -> bool:
        """Whether something stands behind the disclosure."""
        return any(each.errors or (each.value() and any(each.value())) for each in self.behind_fields())

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


def field_params(bound: BoundField) -> Params:
    """The parameters for whichever NHS.UK component draws this field."""
    field = cast(Worded, bound.field)
    look = dict(field.options)
    size = look.pop("label_size", "")
    label = {"text": str(bound.label), "size": size} if size in _SIZES else {"text": str(bound.label)}
    # Hint and error are the same words as in the summary.
    params: Params = {"hint": {"text": field.hint}} if field.hint else {}
    if bound.errors:
        params["errorMessage"] = {"text": bound.errors[0]}
    build = _BUILDERS.get(field.component, _text_params)
    return params | build(bound, label, look)


def _text_params(bound: BoundField, label: Params, look: Params) -> Params:
    """For input, textarea, password and hidden. No maxlength: it would cut a pasted text without a word."""
    shown = {name: value for name, value in look.items() if value not in (None, "")}
    value = bound.value()
    typed = "" if value is None else str(value)
    return {**shown, "id": bound.auto_id, "name": bound.html_name, "value": typed, "label": label}


def _select_params(bound: BoundField, label: Params, look: Params) -> Params:
    items = [{"value": option.value, "text": option.text} for option in _options(bound)]
    marked = _marked(items, bound, "selected")
    return {"id": bound.auto_id, "name": bound.html_name, "label": label, "items": marked}


def _choice_params(bound: BoundField, label: Params, look: Params) -> Params:
    """For radios and checkboxes."""
    items: list[Params] = []
    for option in _options(bound):
        if option.divider:
            items.append({"divider": option.divider})
        items.append(_choice(option, bound))
    return {
        "idPrefix": bound.auto_id,
        "name": bound.html_name,
        "fieldset": {"legend": label},
        "inline": look.get("inline", False),
        "small": look.get("small", False),
        "items": _marked(items, bound, "checked"),
    }


def _choice(option: Option, bound: BoundField) -> Params:
    item: Params = {"value": option.value, "text": option.text}
    if option.hint:
        item["hint"] = {"text": option.hint}
    nested = cast(RadiosField, bound.field).conditional.get(option.value)
    if nested:
        item["conditional"] = {"html": bound.form[nested].as_field_group()}
    return item


def _options(bound: BoundField) -> tuple[Option, ...]:
    return cast(RadiosField, bound.field).items


def _marked(items: list[Params], bound: BoundField, mark: str) -> list[Params]:
    value = bound.value()
    chosen = {str(one) for one in value} if isinstance(value, list | tuple) else {str(value or "")}
    return [{**item, mark: item["value"] in chosen} if "value" in item else item for item in items]


def _confirm_params(bound: BoundField, label: Params, look: Params) -> Params:
    item: Params = {"value": "on", "text": label["text"], "checked": bool(bound.value())}
    hint = cast(Worded, bound.field).hint
    if hint:
        item["hint"] = {"text": hint}
    # The hint is the box's, not the group's.
    return {"hint": None, "idPrefix": bound.auto_id, "name": bound.html_name, "items": [item]}


def _date_params(bound: BoundField, label: Params, look: Params) -> Params:
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
    return {"id": bound.auto_id, "fieldset": {"legend": label}, "items": items}


_BUILDERS: dict[str, Callable[[BoundField, Params, Params], Params]] = {
    "radios": _choice_params,
    "checkboxes": _choice_params,
    "select": _select_params,
    "date": _date_params,
    "confirm": _confirm_params,
}
