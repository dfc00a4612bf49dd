"""Write docs/states.md from the table of transitions: diagrams and every row."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from bars_portal.correspondence.states import Direction
from bookings.states import TRANSITIONS, BookingStatus

_TITLES = {Direction.SENT: "Bookings that we sent", Direction.RECEIVED: "Bookings that we received"}


def as_markdown() -> str:
    """The whole of docs/states.md."""
    head = "# States of a booking\n\nMade by `python manage.py draw_states` from `bookings/states.py`."
    return "\n\n".join([head, _labels(), *(_part(direction) for direction in Direction)]) + "\n"


def _labels() -> str:
    rows = [f"| `{status}` | {status.label} |" for status in BookingStatus]
    return "\n".join(["| status | what people read |", "|---|---|", *rows])


def _part(direction: Direction) -> str:
    rows = list(_rows(direction))
    arrows = [f"    {_node(before)} --> {_node(after)}: {event}" for before, event, after in rows]
    table = [f"| {before or 'new'} | {event} | {after} |" for before, event, after in rows]
    diagram = "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```"])
    listed = "\n".join(["| from | event | to |", "|---|---|---|", *table])
    return f"## {_TITLES[direction]}\n\n{diagram}\n\n{listed}"


def _rows(direction: Direction) -> Iterator[tuple[str, str, str]]:
    for (side, before, event), after in TRANSITIONS.items():
        if side is direction:
            yield (before.value if before else ""), event.value, after.value


def _node(status: str) -> str:
    """Mermaid's names have no hyphens; its beginning is a star."""
    return status.replace("-", "_") if status else "[*]"


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        target = settings.BASE_DIR / "docs" / "states.md"
        target.write_text(as_markdown(), encoding="utf-8")
        self.stdout.write("docs/states.md is written.")
