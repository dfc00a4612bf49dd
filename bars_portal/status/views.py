"""The pages that say in words what is wrong now, what ends soon, and what the doctor finds."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.audit.services import record
from bars_portal.sql import database_time
from bars_portal.status.checks import Check, Finding, Moment, look_at_all
from bars_portal.status.doctor import EXAMINATIONS
from bars_portal.status.doctor.examination import Line, Verdict, Visit, examine
from bars_portal.status.models import Condition, Level
from bars_portal.status.selectors import conditions
from bars_portal.status.watched import ALARM_DAYS, Watched, ending, ends_in_words, watched

VIEW = "status.view_condition"


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
@permission_required(VIEW)
def status(request: HttpRequest) -> HttpResponse:
    """All is looked at anew for each view; the worker has noted since when. `?noted`: what it found."""
    moment, noted = database_time(), conditions()
    looked = look_at_all(Moment(moment, timezone.now()))
    rows = [Row(check, found, _since(noted.get(check.name), found)) for check, found in looked]
    rows.sort(key=lambda row: list(Level).index(row.finding.level), reverse=True)
    listed = [row for row in rows if not row.is_well]
    if "noted" in request.GET:
        unwell = {name for name, each in noted.items() if each.level != Level.WELL}
        listed = [row for row in rows if row.check.name in unwell]
    context = {
        "moment": moment,
        "wrong": listed,
        "well": [row for row in rows if row not in listed],
    }
    return render(request, "status/page.jinja", context)


def _since(noted: Condition | None, found: Finding) -> datetime | None:
    return noted.since if noted is not None and noted.level == found.level else None


@dataclass(frozen=True)
class CertificateLine:
    thing: Watched
    ends: str
    alarm: int | None


@require_safe
@permission_required(VIEW)
def certificates(request: HttpRequest) -> HttpResponse:
    """All of them, or with `?soon=` those that home counts."""
    now, soon = timezone.now(), "soon" in request.GET
    listed = ending(now=now) if soon else watched(now=now)
    lines = [CertificateLine(each, ends_in_words(each, now), each.alarm(now)) for each in listed]
    return render(request, "status/certificates.jinja", {"lines": lines, "days": ALARM_DAYS, "soon": soon})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(VIEW)
def doctor(request: HttpRequest) -> HttpResponse:
    """Looked at anew each time; the token server, the catalogue and the receiver are asked by a button."""
    outside = request.method == "POST"
    visit = Visit(now=timezone.now(), lock_file=settings.LOCK_FILE)
    lines = examine(EXAMINATIONS, visit, outside=outside)
    if outside:
        record(actor=acting_of(request).actor, action="status.examine", now=visit.now)
    context = {
        "ill": [*_of(lines, Verdict.WRONG), *_of(lines, Verdict.WARNING)],
        "fine": _of(lines, Verdict.FINE),
        "skipped": _of(lines, Verdict.SKIPPED),
        "outside": outside,
        "wrong": len(_of(lines, Verdict.WRONG)),
    }
    return render(request, "status/doctor.jinja", context)


def _of(lines: list[Line], verdict: Verdict) -> list[Line]:
    return [line for line in lines if line.verdict is verdict]
