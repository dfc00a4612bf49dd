"""Pages for engineers: a pasted message explained, a message of the log explained, and its dry run.

Nothing that is pasted is kept. Each look at a message of the log is on the trail, and so is each dry run.
"""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from bars_portal.accounts.acting import Acting, acting_of
from bars_portal.accounts.decorators import permission_required, refuse, requires_step_up
from bars_portal.audit.services import record
from bars_portal.exchange.explaining.explain import Explanation
from bars_portal.exchange.explaining.pasted import PasteForm, explain_pasted
from bars_portal.exchange.explaining.presenters import page_of
from bars_portal.exchange.explaining.stored import (
    answered_now,
    answered_then,
    attempts_of,
    changes,
    explain_received,
    explain_sent,
    find_message,
    is_unread,
    replay,
)
from bars_portal.exchange.models import InboundMessage, OutboundMessage
from bars_portal.exchange.registry import services

_EXPLAIN, _REPLAY = "exchange.explain_message", "exchange.replay_message"


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(_EXPLAIN)
def paste(request: HttpRequest) -> HttpResponse:
    form = PasteForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "exchange/explain_paste.jinja", {"form": form})
    acting = acting_of(request)
    own = services.provider.provided_by(acting.organisation.pk)
    explanation = explain_pasted(form.letter(), own=own)
    _note(acting, "exchange.explain_pasted", explanation)
    return render(request, "exchange/explanation.jinja", {"page": page_of(explanation)})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(_EXPLAIN)
def message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """POST is the dry run of one that was received."""
    acting = acting_of(request)
    found = find_message(acting.organisation.pk, message_id)
    if found is None or (request.method == "POST" and isinstance(found, OutboundMessage)):
        raise Http404
    if isinstance(found, OutboundMessage):
        return _sent(request, acting, found)
    if is_unread(found):
        _note(acting, "exchange.explain_message", None, found)
        context = {"received": found, "refusals": answered_then(found).refusals}
        return render(request, "exchange/unread.jinja", context)
    return _dry_run(request, acting, found) if request.method == "POST" else _received(request, acting, found)


def _sent(request: HttpRequest, acting: Acting, found: OutboundMessage) -> HttpResponse:
    explanation = explain_sent(found)
    _note(acting, "exchange.explain_message", explanation, found)
    context = {
        "page": page_of(explanation),
        "sent": found,
        "attempts": attempts_of(found, explanation),
    }
    return render(request, "exchange/explanation.jinja", context)


def _received(request: HttpRequest, acting: Acting, found: InboundMessage) -> HttpResponse:
    explanation = explain_received(found)
    _note(acting, "exchange.explain_message", explanation, found)
    then = answered_then(found)
    context = {
        "page": page_of(explanation),
        "received": found,
        "then": then,
        "changes": changes(then, answered_now(explanation)),
        "may_replay": acting.may(_REPLAY),
    }
    return render(request, "exchange/explanation.jinja", context)


def _dry_run(request: HttpRequest, acting: Acting, found: InboundMessage) -> HttpResponse:
    if not acting.may(_REPLAY):
        refuse(request, _REPLAY)
    return _replayed(request, acting, found)


@requires_step_up
def _replayed(request: HttpRequest, acting: Acting, found: InboundMessage) -> HttpResponse:
    replayed = replay(found)
    _note(acting, "exchange.replay_message", replayed.explanation, found)
    context = {
        "page": page_of(replayed.explanation),
        "received": found,
        "then": replayed.then,
        "changes": replayed.changes,
        "replayed": replayed,
        "may_replay": True,
    }
    return render(request, "exchange/explanation.jinja", context)


def _note(
    acting: Acting,
    action: str,
    explanation: Explanation | None,
    subject: InboundMessage | OutboundMessage | None = None,
) -> None:
    told = {"status": explanation.answer.status, "rule": explanation.decisive or None} if explanation else {}
    record(
        actor=acting.actor,
        action=action,
        subject=subject,
        detail=told,
        correlation_id=subject.correlation_id if subject else None,
        now=timezone.now(),
    )
