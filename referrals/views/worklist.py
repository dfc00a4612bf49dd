"""What others sent to our services, with what must not wait on top."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from bars_portal.accounts.acting import Acting, acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.audit.services import record
from referrals.answer_forms import WorklistForm
from referrals.permissions import VIEW
from referrals.presenters import worklist as presenter
from referrals.selectors import (
    arrived_since,
    breached_validations,
    open_unmatched_replies,
    saved_filters_of,
    troubled_answers,
    worklist_counts,
)
from referrals.selectors import worklist as worklist_page
from referrals.states import Direction
from referrals.views.lookup import clock, whole_number

# More would push the list itself out of sight.
_MOST_ALARMS = 10


@require_safe
@permission_required(VIEW[Direction.RECEIVED])
def worklist(request: HttpRequest) -> HttpResponse:
    acting, now = acting_of(request), clock()
    form = WorklistForm(request.GET, acting=acting)
    page = worklist_page(
        acting,
        filters=form.filters(now),
        order=form.ordering(),
        page=whole_number(request.GET.get("page", ""), default=1),
    )
    chosen = {name: value for name, value in form.chosen().items() if value}
    context = {
        "filters": form,
        "page": page,
        "lines": presenter.lines(page.rows, now=now),
        "counts": worklist_counts(acting, now=now),
        "query": urlencode(chosen),
        "chosen": chosen,
        "saved": presenter.filter_lines(saved_filters_of(acting), chosen=chosen),
        "opened_at": now,
        **_alarms(acting, now),
    }
    record(actor=acting.actor, action="referrals.view_worklist", now=now)
    return render(request, "referrals/worklist.jinja", context)


@require_safe
@permission_required(VIEW[Direction.RECEIVED])
def news(request: HttpRequest) -> HttpResponse:
    """The fragment that says how many cases came in since the list was opened; it never moves the list."""
    since = _moment(request.GET.get("since", ""))
    kind = request.GET.get("kind", "")
    acting = acting_of(request)
    kinds = WorklistForm({"kind": kind}, acting=acting).kinds()
    count = arrived_since(acting, since, kinds) if since else 0
    if since is None or count == whole_number(request.GET.get("told", ""), default=0):
        return HttpResponse(status=204)
    context = {"count": count, "told": count, "opened_at": since, "chosen": {"kind": kind}}
    return render(request, "referrals/_news.jinja", context)


def _alarms(acting: Acting, now: datetime) -> dict[str, object]:
    received = breached_validations(acting, Direction.RECEIVED, now=now)
    sent = breached_validations(acting, Direction.SENT, now=now)
    return {
        "overdue": presenter.overdue(received[:_MOST_ALARMS]),
        "overdue_count": received.count(),
        "overdue_sent": presenter.overdue(sent[:_MOST_ALARMS]),
        "overdue_sent_count": sent.count(),
        "troubled": presenter.troubled(troubled_answers(acting)[:_MOST_ALARMS]),
        "unmatched": open_unmatched_replies(acting)[:_MOST_ALARMS],
    }


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
