"""The log as conversations, one of them whole, and its patient's values for who says why they need them."""

from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages as notices
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required, requires_step_up
from bars_portal.audit.services import record
from bars_portal.exchange.message_log import handling
from bars_portal.exchange.message_log.conversations import (
    Message,
    Place,
    conversation_called,
    conversation_of,
    list_conversations,
    message_called,
    partner_of,
    partners_of,
)
from bars_portal.exchange.message_log.forms import FindForm, LogForm, UnmaskForm
from bars_portal.exchange.message_log.presenters import (
    REPORT_COLUMNS,
    kind_words,
    lines,
    message_view,
    named,
    report_cells,
    unmasking_row,
)
from bars_portal.exchange.registry import services
from bars_portal.nhsuk.dates import in_london
from bars_portal.nhsuk.documents import csv_lines
from bars_portal.nhsuk.pages import RowPaginator

VIEW_LOG = "exchange.view_message_log"
VIEW_UNMASKINGS = "exchange.view_unmaskings"
_PAGE, _FETCHED = 50, 500


@require_safe
@permission_required(VIEW_LOG)
def log(request: HttpRequest) -> HttpResponse:
    return _log(request, FindForm())


@require_POST
@permission_required(VIEW_LOG)
def find(request: HttpRequest) -> HttpResponse:
    """By an id: the page of its conversation."""
    form = FindForm(request.POST)
    if form.is_valid():
        key = conversation_called(acting_of(request).organisation.pk, form.cleaned_data["called"])
        if key is not None:
            return redirect("messages:conversation", key)
        form.add_error("called", "Your organisation has no message with this id")
    return _log(request, form)


def _log(request: HttpRequest, form: FindForm) -> HttpResponse:
    acting, now = acting_of(request), timezone.now()
    organisation_id = acting.organisation.pk
    partners = partners_of(organisation_id)
    known = services.provider.names(partners)
    filters = LogForm(request.GET, partners=list(zip(partners, named(partners, known), strict=True)))
    before = Place.read(request.GET.get("before", ""))
    page = list_conversations(organisation_id, filters.wanted(), before=before, now=now)
    chosen = filters.chosen()
    record(actor=acting.actor, action="exchange.view_log", detail={"by": ", ".join(chosen) or None}, now=now)
    context = {
        "form": form,
        "filters": filters,
        "chosen": chosen,
        "lines": lines(page.conversations, known),
        "newest": _list_url(chosen) if before else "",
        "older": _list_url({**chosen, "before": str(page.older)}) if page.older else "",
    }
    return render(request, "messages/log.jinja", context)


def _list_url(query: dict[str, str]) -> str:
    return f"{reverse('messages:log')}?{urlencode(query)}"


@require_safe
@permission_required(VIEW_LOG)
def conversation(request: HttpRequest, key: UUID) -> HttpResponse:
    acting, now = acting_of(request), timezone.now()
    found = conversation_of(acting.organisation.pk, key)
    if found is None:
        raise Http404
    oldest_first = found.messages[::-1]
    until = handling.unmasked_until(acting, oldest_first, now=now)
    known = services.provider.names({*found.partners, *(each.service_id for each in oldest_first)})
    record(
        actor=acting.actor,
        action="exchange.view_conversation",
        detail={"messages": len(oldest_first)},
        correlation_id=key,
        now=now,
    )
    handling.note_looks(acting, [each for each in oldest_first if each.pk in until], now=now)
    views = [message_view(each, known, key=key, until=until.get(each.pk)) for each in oldest_first]
    context = {"key": key, "messages_shown": views, "is_cut": found.is_cut}
    return render(request, "messages/conversation.jinja", context)


# -- unmasking


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(handling.MAY_UNMASK)
@requires_step_up
def unmask(request: HttpRequest, message_id: UUID) -> HttpResponse:
    message = _message(request, message_id)
    form = UnmaskForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        handling.unmask(
            message=message,
            reason=form.cleaned_data["reason"],
            acting=acting_of(request),
            now=timezone.now(),
        )
        return redirect(_page_of(message))
    partner = [partner_of(message)] if partner_of(message) else []
    context = {
        "form": form,
        "kind": kind_words(message.message_type),
        "partner": ", ".join(named(partner, services.provider.names(partner))),
        "back": _page_of(message),
        "minutes": int(handling.UNMASKED_FOR.total_seconds() // 60),
    }
    return render(request, "messages/unmask.jinja", context)


@require_POST
@permission_required(handling.MAY_UNMASK)
def mask_again(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """A second press finds it masked, and says the same."""
    message = _message(request, message_id)
    handling.mask_again(message=message, acting=acting_of(request), now=timezone.now())
    notices.success(request, "The patient's values are masked again.")
    return redirect(_page_of(message))


def _message(request: HttpRequest, message_id: UUID) -> Message:
    message = message_called(acting_of(request).organisation.pk, message_id)
    if message is None:
        raise Http404
    return message


def _page_of(message: Message) -> str:
    key = message.correlation_id or message.pk
    return f"{reverse('messages:conversation', args=[key])}#message-{message.pk}"


@require_safe
@permission_required(VIEW_UNMASKINGS)
def unmaskings(request: HttpRequest) -> HttpResponse:
    acting, now = acting_of(request), timezone.now()
    page = RowPaginator(handling.unmaskings_of(acting.organisation.pk), _PAGE).get_page(
        request.GET.get("page")
    )
    rows = [unmasking_row(each) for each in page.object_list]
    partners = services.provider.names({each.partner for each in rows})
    record(actor=acting.actor, action="exchange.view_unmaskings", now=now)
    context = {"page": page, "rows": rows, "partners": partners}
    return render(request, "messages/unmaskings.jinja", context)


@require_safe
@permission_required(VIEW_UNMASKINGS)
def unmaskings_csv(request: HttpRequest) -> HttpResponse:
    acting, now = acting_of(request), timezone.now()
    record(actor=acting.actor, action="exchange.export_unmaskings", now=now)
    rows = handling.unmaskings_of(acting.organisation.pk).iterator(chunk_size=_FETCHED)
    response = StreamingHttpResponse(
        csv_lines(REPORT_COLUMNS, map(report_cells, rows)), content_type="text/csv; charset=utf-8"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(now)}"'
    return response  # type: ignore[return-value]  # a stream has all that is asked of answers here


def _file_name(now: datetime) -> str:
    return f"unmasked-messages-{in_london(now):%Y-%m-%d-%H%M}.csv"
