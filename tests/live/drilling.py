"""A row of the sender drill as it is, and held against a word that nobody is told; run inside the stack."""

from dataclasses import replace

from django.utils.timezone import now

from bars_portal.sender_drill import running
from bars_portal.sender_drill.desk import demo_desk, rows


def verdicts() -> list[bool]:
    """Whether each of the two passed."""
    row = next(each for each in rows() if each.act == "find slots")
    told = [row, replace(row, told="Something else.")]
    found = running.run(demo_desk(clock=now), told, note=lambda _: None)
    return [each.verdict is running.Verdict.PASSED for each in found]
