"""The form of every page: Django's own, drawn with NHS.UK components."""

from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting


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
