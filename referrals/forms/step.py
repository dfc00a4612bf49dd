"""One page of a request: its fields, the list below them, and what they come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from referrals.content import Part, RequestContent
from referrals.forms.base import Answers, Asked, PartForm


@dataclass(frozen=True)
class Given:
    """What was stated elsewhere, as the answers of a step."""

    fields: Answers = field(default_factory=dict)
    rows: tuple[Answers, ...] = ()


class Nothing(PartForm):
    """Steps that are only a list."""

    def stated(self) -> dict[str, Any]:
        return {}


class Step:
    """`slug`: in addresses; `section`: its heading in the task list; `row_name`: one of its list."""

    slug: ClassVar[str]
    title: ClassVar[str]
    section: ClassVar[str]
    parts: ClassVar[tuple[Part, ...]] = ()
    lead: ClassVar[str] = ""
    form: ClassVar[type[PartForm]] = Nothing
    row: ClassVar[type[PartForm] | None] = None
    row_name: ClassVar[str] = ""
    # To be answered although the use case has no such part.
    always: ClassVar[bool] = False

    def is_needed(self, asked: Asked) -> bool:
        return self.always or any(asked.has(part) for part in self.parts)

    def is_required(self, asked: Asked) -> bool:
        return self.always or any(asked.requires(part) for part in self.parts)

    def most(self, asked: Asked) -> int:
        """How many rows the list may have."""
        return 20

    def state(self, form: PartForm, rows: tuple[Any, ...]) -> Mapping[str, Any]:
        """Fields of RequestContent; `rows` is what each row states. Adds errors to `form`."""
        raise NotImplementedError

    def given(self, content: RequestContent) -> Given:
        """The reverse of `state`."""
        raise NotImplementedError
