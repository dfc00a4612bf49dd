"""An update on its way, as the case keeps it until the receiver has answered."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PendingUpdate:
    """What the case becomes once the update is taken; `columns` by field, instants as text."""

    content: dict[str, Any] = field(repr=False)
    resource: dict[str, Any] = field(repr=False)
    included: list[list[Any]] = field(repr=False)
    columns: dict[str, Any] = field(repr=False)
    patient_id: str = ""
