"""A slot as the database gives it, without a model instance."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class SlotRow(NamedTuple):
    """The names are those of the model's fields; times are aware."""

    id: UUID
    schedule_id: UUID
    start: datetime
    end: datetime
    status: str
    updated_at: datetime
