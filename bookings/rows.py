"""Diaries and slots as the database gives them, without model instances."""

from typing import NamedTuple
from uuid import UUID

from directory.ports import ServingService


class DiaryRow(NamedTuple):
    """A diary as a slot answer needs it. The names are those of the model's fields; unknown texts are ""."""

    id: UUID
    name: str
    active: bool = True
    practitioner_prefix: str = ""
    practitioner_given: str = ""
    practitioner_family: str = ""
    practitioner_gender: str = ""
    practitioner_role_code: str = ""
    practitioner_role: str = ""
    location_name: str = ""


class OfferedSlots(NamedTuple):
    """`entries`: that many Bundle entries as JSON, with commas between them; `diaries`: those they are of."""

    service: ServingService
    total: int
    entries: str
    diaries: list[DiaryRow]
