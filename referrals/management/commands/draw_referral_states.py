"""Write docs/states-referrals.md from the tables of transitions: diagrams and every row."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from bars_portal.correspondence.states import Direction
from referrals.cases.states import RESPONSE_TRANSITIONS, TRANSITIONS, CaseStatus, Category, ResponseState

_TITLES = {
    (Category.REFERRAL, Direction.SENT): "Referrals that we sent",
    (Category.REFERRAL, Direction.RECEIVED): "Referrals that we received",
    (Category.VALIDATION, Direction.SENT): "Validation requests that we sent",
    (Category.VALIDATION, Direction.RECEIVED): "Validation requests that we received",
}


def as_markdown() -> str:
    """The whole of docs/states-referrals.md."""
    head = (
        "# States of referrals and validation requests\n\n"
        "Made by `python manage.py draw_referral_states` from `referrals/cases/states.py`."
    )
    return "\n\n".join([head, _labels(), *(_part(*key) for key in TRANSITIONS), _answers()]) + "\n"


def _labels() -> str:
    rows = [f"| `{status}` | {status.label} |" for status in CaseStatus]
    return "\n".join(["| status | what people read |", "|---|---|", *rows])


def _part(category: Category, direction: Direction) -> str:
    rows = [
        (before.value if before else "", event.value, after.value)
        for (before, event), after in TRANSITIONS[category, direction].items()
    ]
    return f"## {_TITLES[category, direction]}\n\n{_drawn(rows)}"


def _answers() -> str:
    """Of our answer to a received case, which is apart from the case."""
    rows = [
        (before.value if before else "", event.value, after.value)
        for (before, event), after in RESPONSE_TRANSITIONS.items()
    ]
    labels = "\n".join(f"| `{state}` | {state.label} |" for state in ResponseState)
    head = "## Our answers to what we received"
    return f"{head}\n\n| state | what people read |\n|---|---|\n{labels}\n\n{_drawn(rows)}"


def _drawn(rows: list[tuple[str, str, str]]) -> str:
    """A diagram, and every row."""
    # What changes nothing is in the table only: the drawing would be nothing but loops.
    moves = [row for row in rows if row[0] != row[2]]
    arrows = [f"    {_node(before)} --> {_node(after)}: {event}" for before, event, after in moves]
    table = [f"| {before or 'new'} | {event} | {after} |" for before, event, after in rows]
    diagram = "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```"])
    listed = "\n".join(["| from | event | to |", "|---|---|---|", *table])
    return f"{diagram}\n\n{listed}"


def _node(status: str) -> str:
    """Mermaid's names have no hyphens; its beginning is a star."""
    return status.replace("-", "_") if status else "[*]"


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        target = settings.BASE_DIR / "docs" / "states-referrals.md"
        target.write_text(as_markdown(), encoding="utf-8")
        self.stdout.write("docs/states-referrals.md is written.")
