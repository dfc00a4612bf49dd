"""Which kind of request: only what the service accepts is offered."""

from collections.abc import Sequence
from typing import Any

from bars_portal.nhsuk.forms import NHSForm, RadiosField, TextField


class KindForm(NHSForm):
    use_case = RadiosField(
        label="What kind of request is it?",
        options=[],
        missing="Select what kind of request it is",
        label_size="m",
    )

    def __init__(self, *args: Any, kinds: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["use_case"]
        if isinstance(field, RadiosField):
            field.choices = field.offer(kinds)
            field.initial = kinds[0][0] if len(kinds) == 1 else None


class ServiceNameForm(NHSForm):
    name = TextField(label="Name of the service", required=False, max_length=80, autocomplete="off")
