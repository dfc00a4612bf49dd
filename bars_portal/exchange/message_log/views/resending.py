"""Pages on which a message that was given up is sent as a new one, and on which a second person agrees."""

from uuid import UUID

from django.contrib import messages as notices
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required, requires_step_up
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.exchange.gateway.client import client_for_page
from bars_portal.exchange.message_log import resending
from bars_portal.exchange.message_log.dead_letters import Shown
from bars_portal.exchange.message_log.desk_presenters import letter_lines, resending_lines
from bars_portal.exchange.message_log.forms import ResendForm
from bars_portal.exchange.message_log.views.desk import HANDLE
from bars_portal.exchange.registry import services

SENT = "A new message is on its way. The old one never goes out again."
ASKED = "Somebody else has to agree before it is sent. They find it on this page."


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(HANDLE)
@requires_step_up
def ask(request: HttpRequest, message_id: UUID) -> HttpResponse:
    acting = acting_of(request)
    message = resending.resendable(acting.organisation.pk, message_id, now=timezone.now())
    if message is None:
        raise Http404
    form = ResendForm(request.POST if request.method == "POST" else None)
    shown = Shown.read(request.POST.get("message", ""))
    refusal = ""
    if form.is_valid() and shown is not None and shown.message_id == message_id:
        note = form.cleaned_data["note"]
        try:
            asked = resending.ask(
                shown=shown, note=note, acting=acting, client=client_for_page(request), clock=timezone.now
            )
        except PolicyRefused as refused:
            refusal = refused.sentence
        else:
            notices.success(request, SENT if asked.new_message_id else ASKED)
            return redirect("messages:dead-letters")
    known = services.provider.names([message.service_id])
    context = {
        "form": form,
        "line": letter_lines([message], known)[0],
        "by_two": resending.needs_second_person(),
        "refusal": refusal,
    }
    return render(request, "messages/resend.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(HANDLE)
@requires_step_up
def agree(request: HttpRequest, resending_id: int) -> HttpResponse:
    acting = acting_of(request)
    found = resending.waiting(acting.organisation.pk).filter(pk=resending_id).first()
    if found is None:
        raise Http404
    refusal = ""
    if request.method == "POST":
        try:
            resending.agree(
                resending_id=resending_id,
                acting=acting,
                client=client_for_page(request),
                clock=timezone.now,
            )
        except PolicyRefused as refused:
            refusal = refused.sentence
        else:
            notices.success(request, SENT)
            return redirect("messages:dead-letters")
    known = services.provider.names([found.message.service_id])
    context = {"asked": resending_lines([found], known, acting.user.pk)[0], "refusal": refusal}
    return render(request, "messages/resending.jinja", context)


@require_POST
@permission_required(HANDLE)
def withdraw(request: HttpRequest, resending_id: int) -> HttpResponse:
    """A second press finds it withdrawn, and says the same."""
    resending.withdraw(resending_id=resending_id, acting=acting_of(request), now=timezone.now())
    notices.success(request, "It is not sent as a new message. It waits for a person again.")
    return redirect("messages:dead-letters")
