"""One received case: read it, follow our answers, take it over, write notes."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from referrals import services
from referrals.answer_forms import NoteForm
from referrals.permissions import VIEW
from referrals.presenters.received import ReceivedPage, message_of, received_page, shown_message
from referrals.selectors import version_for
from referrals.states import Direction
from referrals.views.lookup import clock, received_case_of


def page_of(request: HttpRequest, case_id: UUID) -> ReceivedPage:
    return received_page(received_case_of(request, case_id), acting=acting_of(request), now=clock())


@require_safe
@permission_required(VIEW[Direction.RECEIVED])
def received(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """`?print=1`: the same on paper, without what can be pressed."""
    page = page_of(request, case_id)
    services.record_case_view(case=page.case, acting=acting_of(request), now=clock())
    return shown(request, page, NoteForm())


def shown(request: HttpRequest, page: ReceivedPage, note_form: NoteForm) -> HttpResponse:
    """The page, with the note being written; its errors are the page's."""
    context = {
        "page": page,
        "message": message_of(page.case, clock()),
        "note_form": note_form,
        "form": note_form if note_form.is_bound else None,
        "printing": "print" in request.GET,
    }
    return render(request, "referrals/received.jinja", context)


@require_safe
@permission_required(VIEW[Direction.RECEIVED])
def received_status(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Asked every two seconds while an answer is on its way; a settled one reloads the page."""
    page = page_of(request, case_id)
    if not page.is_sending:
        return reloaded()
    return render(request, "referrals/_answer_working.jinja", {"page": page})


def reloaded() -> HttpResponse:
    response = HttpResponse(status=204)
    response["HX-Refresh"] = "true"
    return response


@require_safe
@permission_required(VIEW[Direction.RECEIVED])
def version(request: HttpRequest, case_id: UUID, number: int) -> HttpResponse:
    """The message of one version: what was known then."""
    page = page_of(request, case_id)
    found = version_for(page.case, number)
    if found is None:
        raise Http404
    services.record_case_view(case=page.case, acting=acting_of(request), now=clock())
    context = {
        "page": page,
        "shown": found,
        "message": shown_message(found.message, clock()),
    }
    return render(request, "referrals/version.jinja", context)
