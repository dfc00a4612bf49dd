"""The lists: what others sent to our services, what we sent, what was given up; filters, also by name."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import Acting, acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.services import record
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk.forms import NHSForm, SelectField, TextField
from bars_portal.nhsuk.pages import RowPaginator
from referrals.cases.codes import PRIORITIES
from referrals.cases.policies import VIEW
from referrals.cases.states import CaseStatus, Category
from referrals.cases.views import clock, whole_number
from referrals.cases.words import FLAGS
from referrals.worklist import presenters as presenter
from referrals.worklist import saved_filters
from referrals.worklist.presenters import given_up_lines
from referrals.worklist.query import CASES, Counts, Filters, Held, Kind, Order
from referrals.worklist.saved_filters import NAME_LENGTH, SavedFilter, saved_filter_for, saved_filters_of
from referrals.worklist.selectors import (
    arrived_since,
    breached_validations,
    day_begins,
    open_unmatched_replies,
    services_with_cases,
    troubled_responses,
    worklist_counts,
)
from referrals.worklist.selectors import worklist as worklist_page
from referrals.worklist.sent import Waiting, given_up_messages, sent_cases, validation_counts

_EVERYTHING = "everything"
# Open, past its time, and with an answer in trouble.
_LATE, _TROUBLED = "late", "troubled"
_STANDS = {"": True, _LATE: True, "closed": False, "all": None, _TROUBLED: None}
_ORDERS = [("", "Due first"), (Order.PRIORITY.value, "Most urgent first"), (Order.AGE.value, "Oldest first")]


class WorklistForm(NHSForm):
    """Kept in the address, so that a list can be bookmarked; an answer that makes no sense is left out."""

    service = SelectField(label="Service", options=[], empty_text="All services", required=False)
    kind = SelectField(
        label="Kind",
        options=[
            ("", "Referrals and validation requests"),
            (Kind.REFERRAL.value, "Referrals"),
            (Kind.VALIDATION.value, "Validation requests"),
            (Kind.BOOKING.value, "Bookings"),
            (_EVERYTHING, "Everything together"),
        ],
        required=False,
    )
    state = SelectField(
        label="State",
        options=[
            ("", "Open"),
            (_LATE, "Open and past its time"),
            ("closed", "Closed"),
            ("all", "Open and closed"),
            (_TROUBLED, "With an answer that may not have arrived"),
        ],
        required=False,
    )
    priority = SelectField(
        label="Priority", options=list(PRIORITIES.items()), empty_text="Any priority", required=False
    )
    flag = SelectField(label="Warning", options=list(FLAGS.items()), empty_text="Any", required=False)
    held = SelectField(
        label="Taken by",
        options=[("", "Anybody"), ("me", "Me"), (Held.NOBODY.value, "Nobody yet")],
        required=False,
    )
    order = SelectField(label="Order", options=_ORDERS, required=False)

    def __init__(self, *args: Any, acting: Acting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.acting = acting
        field = self.fields["service"]
        if isinstance(field, SelectField):
            field.choices = field.offer([("", "All services"), *services_with_cases(acting)])

    def chosen(self) -> dict[str, str]:
        """What is chosen, by field; "" for what is not, or makes no sense."""
        self.is_valid()
        cleaned = getattr(self, "cleaned_data", {})
        return {name: cleaned.get(name) or "" for name in self.fields}

    def kinds(self) -> tuple[Kind, ...]:
        chosen = self.chosen()["kind"]
        if chosen == _EVERYTHING:
            return tuple(Kind)
        return (Kind(chosen),) if chosen else CASES

    def filters(self, now: datetime, *, only_services: tuple[str, ...] = ()) -> Filters:
        chosen = self.chosen()
        mine = chosen["held"] == "me"
        return Filters(
            open=_STANDS[chosen["state"]],
            service_id=chosen["service"],
            kinds=self.kinds(),
            bookings_from=day_begins(now),
            priority=chosen["priority"],
            flag=chosen["flag"],
            held=Held.PERSON if mine else Held(chosen["held"] or Held.ANYBODY),
            person_id=self.acting.user.pk if mine else None,
            breached_at=now if chosen["state"] == _LATE else None,
            troubled=chosen["state"] == _TROUBLED,
            only_services=only_services,
        )

    def ordering(self) -> Order:
        return Order(self.chosen()["order"] or Order.BREACH)


class FilterNameForm(NHSForm):
    name = TextField(
        label="Name of the filter",
        hint="Only you see it. Do not name a patient.",
        missing="Enter a name for the filter",
        max_length=NAME_LENGTH,
        width=30,
        autocomplete="off",
    )


# More would push the list itself out of sight.
_MOST_ALARMS = 10
# By what the address says, with the words of the list.
_STATUSES: dict[str, tuple[CaseStatus | Waiting, str]] = {
    Waiting.LATE.value: (Waiting.LATE, "Open and past its time"),
    Waiting.UNCLEAR.value: (Waiting.UNCLEAR, "Not known whether it arrived or is taken back"),
    Waiting.PENDING.value: (Waiting.PENDING, "No outcome yet"),
    Waiting.TO_ACT.value: (Waiting.TO_ACT, "To act on: ambulance needed, rejected, did not attend"),
    Waiting.CLOSED.value: (Waiting.CLOSED, "Over, and nothing left to do"),
    **{each.value: (each, each.label) for each in CaseStatus if each is not CaseStatus.RECEIVED},
}


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
    counts = worklist_counts(acting, now=now)
    context = {
        "filters": form,
        "page": page,
        "lines": presenter.lines(page.rows, now=now),
        "counts": counts,
        "query": urlencode(chosen),
        "chosen": chosen,
        "saved": presenter.filter_lines(saved_filters_of(acting), chosen=chosen),
        "opened_at": now,
        **_alarms(acting, now, counts),
    }
    # Which filters, never what was typed.
    by = {"by": ", ".join(chosen) or None}
    record(actor=acting.actor, action="referrals.view_worklist", detail=by, now=now)
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


def _alarms(acting: Acting, now: datetime, counts: Counts) -> dict[str, object]:
    overdue, overdue_count = _first(breached_validations(acting, Direction.RECEIVED, now=now))
    troubled, troubled_count = _first(troubled_responses(acting), counts.troubled_answers)
    return {
        "overdue": presenter.overdue(overdue),
        "overdue_count": overdue_count,
        **_overdue_sent(acting, now, "overdue_sent"),
        "troubled": presenter.troubled(troubled),
        "troubled_count": troubled_count,
        **_unmatched(acting, counts.unmatched),
    }


def _overdue_sent(acting: Acting, now: datetime, name: str) -> dict[str, object]:
    sent, count = _first(breached_validations(acting, Direction.SENT, now=now))
    return {name: presenter.overdue(sent), f"{name}_count": count}


def _unmatched(acting: Acting, known: int | None = None) -> dict[str, object]:
    replies, count = _first(open_unmatched_replies(acting), known)
    return {"unmatched": replies, "unmatched_count": count}


def _first(rows: QuerySet[Any], known: int | None = None) -> tuple[list[Any], int]:
    """As many as stand above a list, and how many there are, counted where that is not known."""
    if known == 0:
        return [], 0
    found = list(rows[: _MOST_ALARMS + 1])
    shown = found[:_MOST_ALARMS]
    return shown, known or (len(shown) if len(found) == len(shown) else rows.count())


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


_TEMPLATE = "referrals/saved_filter.jinja"


@require_http_methods(["GET", "POST"])
@permission_required(VIEW[Direction.RECEIVED])
def save(request: HttpRequest) -> HttpResponse:
    """The filter is in the address, as it is in the worklist's."""
    acting = acting_of(request)
    chosen = {
        name: value for name, value in WorklistForm(request.GET, acting=acting).chosen().items() if value
    }
    form = FilterNameForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            saved_filters.save_filter(
                name=form.cleaned_data["name"], chosen=chosen, acting=acting, now=clock()
            )
        except PolicyRefused as refusal:
            form.add_error("name", refusal.sentence)
        else:
            return _to_list(request, chosen, "The filter is saved.")
    return render(request, _TEMPLATE, {"form": form, "query": urlencode(chosen), "saved": None})


@require_http_methods(["GET", "POST"])
@permission_required(VIEW[Direction.RECEIVED])
def rename(request: HttpRequest, filter_id: int) -> HttpResponse:
    saved = _saved(request, filter_id)
    form = FilterNameForm(request.POST or None, initial={"name": saved.name})
    if form.is_bound and form.is_valid():
        try:
            saved_filters.rename_filter(saved=saved, name=form.cleaned_data["name"])
        except PolicyRefused as refusal:
            form.add_error("name", refusal.sentence)
        else:
            return _to_list(request, saved.chosen, "The filter has its new name.")
    context = {"form": form, "query": urlencode(saved.chosen), "saved": _saved(request, filter_id)}
    return render(request, _TEMPLATE, context)


@require_POST
@permission_required(VIEW[Direction.RECEIVED])
def delete(request: HttpRequest, filter_id: int) -> HttpResponse:
    """A second press finds nothing left to delete, and says the same."""
    saved = saved_filter_for(acting_of(request), filter_id)
    if saved is not None:
        saved_filters.delete_filter(saved=saved)
    return _to_list(request, {}, "The filter is deleted.")


def _saved(request: HttpRequest, filter_id: int) -> SavedFilter:
    saved = saved_filter_for(acting_of(request), filter_id)
    if saved is None:
        raise Http404
    return saved


def _to_list(request: HttpRequest, chosen: dict[str, Any], done: str) -> HttpResponse:
    messages.success(request, done)
    return redirect(reverse("referrals:worklist", query=chosen or None))


@require_safe
@permission_required(VIEW[Direction.SENT])
def sent_list(request: HttpRequest) -> HttpResponse:
    acting, now = acting_of(request), clock()
    status, _ = _STATUSES.get(request.GET.get("status", ""), (None, ""))
    kind = request.GET.get("kind", "")
    page = sent_cases(
        acting,
        now=now,
        status=status,
        category=Category(kind) if kind in set(Category) else None,
        page=whole_number(request.GET.get("page", ""), default=1),
    )
    context = {
        "page": page,
        "lines": presenter.sent_lines(page.rows, now=now),
        "status": status or "",
        "kind": kind if kind in set(Category) else "",
        "statuses": [(value, words) for value, (_, words) in _STATUSES.items()],
        **_overdue_sent(acting, now, "overdue"),
        "validations": presenter.validation_tabs(validation_counts(acting, now)),
        **_unmatched(acting),
    }
    record(actor=acting.actor, action="referrals.view_sent_list", now=now)
    return render(request, "referrals/sent_list.jinja", context)


_PAGE = 25


@require_safe
@permission_required(VIEW[Direction.SENT])
def unmatched(request: HttpRequest) -> HttpResponse:
    """All replies that fit no request of ours and that nobody has dealt with."""
    acting = acting_of(request)
    page = RowPaginator(open_unmatched_replies(acting), _PAGE).get_page(request.GET.get("page"))
    record(actor=acting.actor, action="referrals.view_unmatched_list", now=clock())
    return render(request, "referrals/unmatched_list.jinja", {"page": page})


@require_safe
@permission_required("exchange.see_given_up")
def given_up(request: HttpRequest) -> HttpResponse:
    acting = acting_of(request)
    page = RowPaginator(given_up_messages(acting, clock()), _PAGE).get_page(request.GET.get("page"))
    record(actor=acting.actor, action="referrals.view_given_up_list", now=clock())
    context = {"page": page, "lines": given_up_lines(acting, page.object_list)}
    return render(request, "referrals/given_up.jinja", context)
