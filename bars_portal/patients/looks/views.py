"""Auditors ask who looked. What is typed is sent, not put into an address; asking is on the trail itself."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.models import Organisation
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.presenters import action_words, detail_words, outcome_words, subject_words
from bars_portal.audit.services import record
from bars_portal.nhsuk.dates import in_london
from bars_portal.nhsuk.documents import csv_lines
from bars_portal.patients.looks.question import (
    MOST,
    Question,
    TrailForm,
    UnknownQuestion,
    journeys_called,
    patients_named,
    patients_with_number,
    persons_among,
    read_question,
    staff_named,
)
from bars_portal.patients.models import Journey, Patient

_VIEW = "audit.view_auditevent"
_PAGE, _MOST_COUNTED, _FETCHED = 50, 10_000, 2000


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(_VIEW)
def search(request: HttpRequest) -> HttpResponse:
    form = TrailForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "trail/search.jinja", {"form": form})
    organisation, asked = acting_of(request).organisation, form.asked_by()
    patients = _patients(form, organisation)
    question = _question(form, organisation)
    _note(request, "audit.search_trail", question, by=asked, found="none" if form.errors else "some")
    if form.errors:
        return render(request, "trail/search.jinja", {"form": form})
    persons = persons_among(patients)
    if len(persons) > 1:
        choices = [(each, _address("results", question.about(each))) for each in persons[:MOST]]
        return render(request, "trail/choose.jinja", {"choices": choices, "more": len(persons) > MOST})
    return redirect(_address("results", question.about(persons[0]) if persons else question))


@require_safe
@permission_required(_VIEW)
def results(request: HttpRequest) -> HttpResponse:
    question = _asked(request)
    if question.is_empty:
        return redirect("trail:search")
    _note(request, "audit.view_trail", question)
    # Counting millions would take longer than reading a page of them.
    page = Paginator(question.events()[:_MOST_COUNTED], _PAGE).get_page(request.GET.get("page"))
    context = {
        "question": question,
        "records": question.records(),
        "page": page,
        "rows": [trail_row(event) for event in page.object_list],
        "is_cut": page.paginator.count >= _MOST_COUNTED,
        "most": _MOST_COUNTED,
        "csv": _address("csv", question),
        "query": question.query,
    }
    return render(request, "trail/results.jinja", context)


@require_safe
@permission_required(_VIEW)
def as_csv(request: HttpRequest) -> HttpResponse:
    question = _asked(request)
    if question.is_empty:
        return redirect("trail:search")
    _note(request, "audit.export_trail", question)
    lines = file_lines(question.events().iterator(chunk_size=_FETCHED))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"audit-trail-{in_london(timezone.now()):%Y-%m-%d-%H%M}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response  # type: ignore[return-value]  # a stream has all that is asked of answers here


def _patients(form: TrailForm, organisation: Organisation) -> list[Patient]:
    told = form.cleaned_data
    if told["nhs_number"]:
        found = patients_with_number(organisation, told["nhs_number"])
    elif told["family_name"]:
        found = patients_named(organisation, told["family_name"], told["birth_date"])
    else:
        return []
    if not found:
        form.add_error(
            "nhs_number" if told["nhs_number"] else "family_name",
            "Your organisation has no record of this patient",
        )
    return found


def _question(form: TrailForm, organisation: Organisation) -> Question:
    told = form.cleaned_data
    staff = staff_named(organisation, told["staff"]) if told["staff"] else []
    if told["staff"] and not staff:
        form.add_error("staff", "Nobody of this name belongs to your organisation")
    elif len(staff) > MOST:
        form.add_error("staff", f"More than {MOST} people have this name. Enter more of it")
    journeys = journeys_called(organisation, told["case"]) if told["case"] else set()
    if told["case"] and not journeys:
        form.add_error("case", "Your organisation has no booking or case with this reference or id")
    elif len(journeys) > MOST:
        form.add_error("case", "Too many cases have this reference. Enter an id")
    return Question(
        organisation=organisation,
        staff=tuple(staff[:MOST]),
        journeys=tuple(Journey.objects.filter(pk__in=list(journeys)[:MOST]).order_by("created_at")),
        first=told.get("first"),
        last=told.get("last"),
        shown=told["shown"],
    )


def _asked(request: HttpRequest) -> Question:
    try:
        return read_question(acting_of(request).organisation, request.GET)
    except UnknownQuestion:
        raise Http404 from None


def _note(request: HttpRequest, action: str, question: Question, **detail: Any) -> None:
    record(
        actor=acting_of(request).actor,
        action=action,
        subject=question.patient,
        detail={"by": question.asked_by or None, "shown": question.shown, **detail},
        now=timezone.now(),
    )


def _address(name: str, question: Question) -> str:
    return f"{reverse(f'trail:{name}')}?{question.query}"


# -- events of the trail as rows of the page and of the file


@dataclass(frozen=True)
class TrailRow:
    at: datetime
    who: str
    username: str
    organisation: str
    what: str
    about: str
    outcome: str
    is_done: bool


def trail_row(event: AuditEvent) -> TrailRow:
    return TrailRow(
        at=event.at,
        who=event.actor_label,
        username=event.actor_user.get_username() if event.actor_user else "",
        organisation=event.organisation.name if event.organisation else "",
        what=action_words(event.action),
        about=subject_words(event),
        outcome=outcome_words(event.outcome),
        is_done=event.outcome == "done",
    )


_COLUMNS = (
    "When (UTC)",
    "Who",
    "Username",
    "Organisation",
    "ODS code",
    "What",
    "Outcome",
    "About",
    "Action code",
    "Correlation id",
    "Details",
)


def file_lines(events: Iterable[AuditEvent]) -> Iterator[str]:
    return csv_lines(_COLUMNS, map(_cells, events))


def _cells(event: AuditEvent) -> tuple[str, ...]:
    row = trail_row(event)
    return (
        event.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        row.who,
        row.username,
        row.organisation,
        event.organisation.ods_code if event.organisation else "",
        row.what,
        row.outcome,
        row.about,
        event.action,
        str(event.correlation_id or ""),
        detail_words(event),
    )
