"""Replies that answer nothing that we know: maybe a safeguarding warning, so somebody deals with them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.refusals import PolicyRefused
from bars_portal.patients.presenters import banner
from referrals import services
from referrals.permissions import VIEW
from referrals.policies import can_handle_unmatched
from referrals.presenters.received import shown_message
from referrals.presenters.replies import unmatched_line
from referrals.states import Direction
from referrals.views.lookup import clock, unmatched_of


@require_safe
@permission_required(VIEW[Direction.SENT])
def reply(request: HttpRequest, reply_id: UUID) -> HttpResponse:
    found, acting = unmatched_of(request, reply_id), acting_of(request)
    services.record_reply_view(reply=found, acting=acting, now=clock())
    context = {
        "reply": found,
        "line": unmatched_line(found),
        "banner": banner(found.patient),
        "can_handle": can_handle_unmatched(acting, found),
        "message": shown_message(found.message, clock()),
    }
    return render(request, "referrals/reply.jinja", context)


@require_POST
@permission_required(VIEW[Direction.SENT])
def handled(request: HttpRequest, reply_id: UUID) -> HttpResponse:
    found = unmatched_of(request, reply_id)
    try:
        first = services.mark_reply_handled(reply=found, acting=acting_of(request), now=clock())
        words = "Marked as dealt with." if first else "This reply was dealt with already."
        messages.success(request, words)
    except PolicyRefused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("referrals:reply", reply_id)
