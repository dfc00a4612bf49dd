"""The page that says in words what is wrong now."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bars_portal.accounts.decorators import permission_required
from bars_portal.sql import database_time
from bars_portal.status.checks import Check, Finding, Moment, look_at_all
from bars_portal.status.models import Condition, Level
from bars_portal.status.selectors import conditions


@dataclass(frozen=True)
class Row:
    """`since` None: that has not been noted yet."""

    check: Check
    finding: Finding
    since: datetime | None

    @property
    def is_well(self) -> bool:
        return self.finding.level == Level.WELL


@require_safe
@permission_required("status.view_condition")
def status(request: HttpRequest) -> HttpResponse:
    """All is looked at anew for each view; the worker has noted since when."""
    moment, noted = database_time(), conditions()
    looked = look_at_all(Moment(moment, timezone.now()))
    rows = [Row(check, found, _since(noted.get(check.name), found)) for check, found in looked]
    rows.sort(key=lambda row: list(Level).index(row.finding.level), reverse=True)
    context = {
        "moment": moment,
        "wrong": [row for row in rows if not row.is_well],
        "well": [row for row in rows if row.is_well],
    }
    return render(request, "status/page.jinja", context)


def _since(noted: Condition | None, found: Finding) -> datetime | None:
    return noted.since if noted is not None and noted.level == found.level else None
