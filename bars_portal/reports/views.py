"""The pages and files of reports. All of them are of the organisation that somebody acts for."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from bars_portal.accounts.acting import Acting, acting_of
from bars_portal.accounts.decorators import refuse, sign_in_required
from bars_portal.audit.services import record
from bars_portal.nhsuk.dates import in_london
from bars_portal.nhsuk.documents import csv_lines
from bars_portal.nhsuk.forms import DateField, NHSForm
from bars_portal.reports.counting import (
    MOST_DAYS,
    REPORTS,
    Period,
    Question,
    UnknownDays,
    UnknownQuestion,
    chosen_rows,
    count,
    days_asked,
    fetched,
    listed,
    number_of_rows,
    presets,
    read_question,
)
from bars_portal.reports.definitions import VIEW_ACTIVITY, Report
from bars_portal.reports.presenters import (
    TIME,
    by_key,
    by_time,
    change_in_words,
    chosen_in_words,
    days_in_words,
    file_columns,
    file_lines,
    list_address,
    list_columns,
    list_lines,
    list_pages,
    number,
    report_address,
    sections,
)

_PAGE, _MOST_LISTED = 50, 10_000


class DaysForm(NHSForm):
    first = DateField(
        label="From", called="The first day", hint="For example, 1 11 2026", missing="Enter the first day"
    )
    last = DateField(label="To", called="The last day", hint="The last day", missing="Enter the last day")

    def clean(self) -> dict[str, Any]:
        super().clean()
        told = dict(self.cleaned_data)
        first, last = told.get("first"), told.get("last")
        if first and last and last < first:
            self.add_error("last", "The last day must not be before the first")
        elif first and last and (last - first).days >= MOST_DAYS:
            self.add_error("last", f"Choose {MOST_DAYS} days at most")
        return told

    def period(self) -> Period:
        """Of a valid form."""
        return Period(self.cleaned_data["first"], self.cleaned_data["last"])


def _today() -> date:
    return in_london(timezone.now()).date()


def reports_of(acting: Acting) -> list[Report]:
    return [each for each in REPORTS if acting.may(each.permission)]


def _report(request: HttpRequest, name: str) -> Report:
    """404 for one that there is not, 403 for who may not see it."""
    acting: Acting | None = getattr(request, "acting", None)
    found = next((each for each in REPORTS if each.name == name), None)
    if found is None and acting is not None and reports_of(acting):
        raise Http404
    permission = found.permission if found else VIEW_ACTIVITY
    if found is None or acting is None or not acting.may(permission):
        refuse(request, permission)
        raise Http404
    return found


def _question(request: HttpRequest, report: Report | None) -> Question:
    try:
        return read_question(report, request.GET, today=_today())
    except UnknownQuestion:
        raise Http404 from None


def _without_days(request: HttpRequest, report: Report) -> Question:
    """What else was asked, of the usual days."""
    try:
        return read_question(report, {**request.GET.dict(), "from": "", "to": ""}, today=_today())
    except UnknownQuestion:
        raise Http404 from None


@require_safe
@sign_in_required
def index(request: HttpRequest) -> HttpResponse:
    """Each report with its total, and that of the days before."""
    acting: Acting | None = getattr(request, "acting", None)
    if acting is None or not reports_of(acting):
        refuse(request, VIEW_ACTIVITY)
        raise Http404
    question, now = _question(request, None), timezone.now()
    before = question.on(question.period.before)
    lines = []
    for report in reports_of(acting):
        here, then = (
            number_of_rows(report, acting.organisation, each.period, {}, now=now)
            for each in (question, before)
        )
        lines.append(
            {
                "report": report,
                "href": report_address(report, question),
                "now": number(report, question, here, f"{report.title}, this period"),
                "before": number(report, before, then, f"{report.title}, the period before"),
                "change": change_in_words(here, then),
            }
        )
    context = {
        "lines": lines,
        "days": [
            (words, f"{reverse('reports:index')}?{Question(each, {}).query}", each == question.period)
            for words, each in presets(_today(), ahead=False)
        ],
        "period": days_in_words(question.period),
        "before": days_in_words(before.period),
    }
    return render(request, "reports/index.jinja", context)


@require_safe
@sign_in_required
def report(request: HttpRequest, report_name: str) -> HttpResponse:
    found = _report(request, report_name)
    form = None
    if any(each.startswith(("first-", "last-")) for each in request.GET):
        form = DaysForm(request.GET)
        question = _without_days(request, found)
        if form.is_valid():
            return redirect(report_address(found, question.on(form.period())))
    else:
        try:
            question = read_question(found, request.GET, today=_today())
        except UnknownDays:
            form, question = DaysForm(days_asked(request.GET)), _without_days(request, found)
        except UnknownQuestion:
            raise Http404 from None
    acting, now = acting_of(request), timezone.now()
    before = question.on(question.period.before)
    here, then = (
        count(found, acting.organisation, each.period, question.chosen, now=now)
        for each in (question, before)
    )
    if form is None:
        form = DaysForm(initial={"first": question.period.first, "last": question.period.last})
    context = {
        "report": found,
        "form": form,
        "chosen": chosen_in_words(found, question),
        "hidden": question.chosen,
        "days": [
            (words, report_address(found, question.on(each)), each == question.period)
            for words, each in presets(_today(), ahead=found.looks_ahead)
        ],
        "period": days_in_words(question.period),
        "before": days_in_words(before.period),
        "total": number(found, question, here.total.count, "this period"),
        "earlier": number(found, before, then.total.count, "the period before"),
        "change": change_in_words(here.total.count, then.total.count),
        "sections": sections(found, question, here, then),
        "others": [each for each in reports_of(acting) if each is not found],
    }
    return render(request, "reports/report.jinja", context)


@require_safe
@sign_in_required
def file(request: HttpRequest, report_name: str, cut: str) -> HttpResponse:
    """One table of a report as CSV."""
    found = _report(request, report_name)
    question, acting, now = _question(request, found), acting_of(request), timezone.now()
    dimension = found.dimension(cut)
    if dimension is None and cut != TIME:
        raise Http404
    here = count(found, acting.organisation, question.period, question.chosen, now=now)
    if dimension is None:
        section = by_time(found, question, here)
    else:
        before = count(found, acting.organisation, question.period.before, question.chosen, now=now)
        section = by_key(found, question, dimension, here, before)
    lines = csv_lines(file_columns(found, section), file_lines(section))
    return _attached(lines, f"{report_name}-{cut}", question)


@require_safe
@sign_in_required
def rows(request: HttpRequest, report_name: str) -> HttpResponse:
    """What a number counts, without a patient; the page of each row is where its reader may see more."""
    found = _report(request, report_name)
    try:
        question = read_question(found, request.GET, today=_today())
    except UnknownDays:
        # Its report says what is wrong with them.
        return redirect(f"{reverse('reports:report', args=[report_name])}?{request.GET.urlencode()}")
    except UnknownQuestion:
        raise Http404 from None
    acting, now = acting_of(request), timezone.now()
    wanted = chosen_rows(found, acting.organisation, question.period, question.chosen, now=now)
    total = number_of_rows(found, acting.organisation, question.period, question.chosen, now=now)
    page = Paginator(listed(wanted, found)[:_MOST_LISTED], _PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    cells = list(list_lines(found, shown))
    record(actor=acting.actor, action="reports.view_list", detail={"report": found.name}, now=now)
    context = {
        "report": found,
        "total": total,
        "most": _MOST_LISTED,
        "period": days_in_words(question.period),
        "chosen": chosen_in_words(found, question),
        "columns": list_columns(found),
        "lines": list(zip(cells, list_pages(found, shown, acting), strict=True)),
        "page": page,
        "back": report_address(found, question),
        "list_url": list_address(found, question).partition("?")[0],
        "query": question.query,
    }
    return render(request, "reports/list.jinja", context)


@require_safe
@sign_in_required
def rows_file(request: HttpRequest, report_name: str) -> HttpResponse:
    """All of a list as CSV, as long as it may be."""
    found = _report(request, report_name)
    question, acting, now = _question(request, found), acting_of(request), timezone.now()
    record(actor=acting.actor, action="reports.export_list", detail={"report": found.name}, now=now)
    wanted = chosen_rows(found, acting.organisation, question.period, question.chosen, now=now)
    lines = list_lines(found, fetched(listed(wanted, found)))
    return _attached(csv_lines(list_columns(found), lines), report_name, question)


def _attached(lines: Iterator[str], name: str, question: Question) -> HttpResponse:
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    days = f"{question.period.first.isoformat()}-to-{question.period.last.isoformat()}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{days}.csv"'
    return response  # type: ignore[return-value]  # a stream has all that is asked of answers here
