"""Pages for who keeps the exchange going: dead letters, many at once or one anew, and the partners."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages as notices
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required, requires_step_up
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.services import record
from bars_portal.exchange.gateway.client import client_for_page
from bars_portal.exchange.message_log import dead_letters as letters
from bars_portal.exchange.message_log import handling
from bars_portal.exchange.message_log import partners as partner_figures
from bars_portal.exchange.message_log.conversations import partners_of
from bars_portal.exchange.message_log.dead_letters import Act, Shown, Trouble
from bars_portal.exchange.message_log.desk_presenters import (
    ACT_WORDS,
    decision_lines,
    forecasts,
    letter_lines,
    partner_line,
    partner_lines,
    resending_lines,
    result_words,
    verdict_words,
)
from bars_portal.exchange.message_log.forms import ResendForm, SetAsideForm, SettledForm
from bars_portal.exchange.message_log.partners import Figures, Window
from bars_portal.exchange.models import CircuitState
from bars_portal.exchange.registry import services
from bars_portal.nhsuk.forms import NHSForm
from bars_portal.nhsuk.pages import RowPaginator

HANDLE = "exchange.handle_dead_letters"
VIEW_PARTNERS = "exchange.view_partners"
# What a decision asks for; trying again asks for nothing.
_FORMS: dict[Act, type[NHSForm]] = {Act.SET_ASIDE: SetAsideForm, Act.SETTLED: SettledForm}
_PAGE = 50


@require_safe
@permission_required(HANDLE)
def dead_letters(request: HttpRequest) -> HttpResponse:
    acting, now = acting_of(request), timezone.now()
    trouble, partner = _trouble(request.GET.get("show", "")), _service_id(request.GET.get("partner", ""))
    found = letters.dead_letters(acting.organisation.pk, now=now, trouble=trouble, service_id=partner)
    counts = letters.counts(acting.organisation.pk, now=now)
    needed, pages = sum(counts[each] for each in letters.NEEDS_PERSON), RowPaginator(found, _PAGE)
    if not partner:
        # It is not counted once more.
        pages.count = counts[trouble] if trouble else needed
    page = pages.get_page(request.GET.get("page"))
    decisions = letters.latest_decisions(acting.organisation.pk)
    partners = {
        *(each.service_id for each in page.object_list),
        *(each.message.service_id for each in decisions),
    }
    asked = list(handling.resendings_waiting(acting.organisation.pk))
    partners |= {each.message.service_id for each in asked}
    known = services.provider.names({*partners, *([partner] if partner else ())})
    record(actor=acting.actor, action="exchange.view_dead_letters", now=now)
    context = {
        "page": page,
        "lines": letter_lines(page.object_list, known),
        "counts": counts,
        "needed": needed,
        "trouble": trouble,
        "troubles": list(Trouble),
        "partner": partner if partner in known else "",
        "partner_name": known.get(partner, ""),
        "resendings": resending_lines(asked, known, acting.user.pk),
        "decisions": decision_lines(decisions, known),
        "acts": ACT_WORDS,
        "most": letters.MOST_AT_ONCE,
    }
    return render(request, "messages/dead_letters.jinja", context)


@require_POST
@permission_required(HANDLE)
def act(request: HttpRequest) -> HttpResponse:
    """First what will happen to which; with `confirm` it happens."""
    acting, now = acting_of(request), timezone.now()
    chosen = next((each for each in Act if each.value == request.POST.get("act")), None)
    shown = _shown(request)
    if chosen is None or not shown:
        notices.error(request, "Select at least one message, and what is to be done.")
        return redirect("messages:dead-letters")
    is_confirmed = request.POST.get("confirm") == "yes"
    decides = _FORMS.get(chosen)
    form = decides(request.POST if is_confirmed else None) if decides else None
    if is_confirmed and (form is None or form.is_valid()):
        note = form.cleaned_data["note"] if form is not None else ""
        result = letters.act_on(shown=shown, act=chosen, note=note, acting=acting, now=now)
        tell = notices.success if result.done else notices.warning
        tell(request, result_words(chosen, result))
        return redirect("messages:dead-letters")
    found, moved_on = letters.still_there(acting.organisation.pk, shown, now=now)
    known = services.provider.names({each.service_id for each in found})
    fit, unfit = forecasts(found, chosen, known)
    record(actor=acting.actor, action="exchange.view_dead_letters", now=now)
    context = {
        "form": form,
        "act": chosen,
        "words": ACT_WORDS[chosen],
        "fit": fit,
        "unfit": unfit,
        "moved_on": moved_on,
    }
    return render(request, "messages/dead_letters_check.jinja", context)


def _shown(request: HttpRequest) -> Sequence[Shown]:
    """Those that are ticked, or all that the list shows on its pages."""
    if request.POST.get("scope") != "all":
        read = (Shown.read(text) for text in request.POST.getlist("message")[: letters.MOST_AT_ONCE])
        return [each for each in read if each is not None]
    found = letters.dead_letters(
        acting_of(request).organisation.pk,
        now=timezone.now(),
        trouble=_trouble(request.POST.get("show", "")),
        service_id=_service_id(request.POST.get("partner", "")),
    )
    rows = found.values_list("pk", "settled_at")[: letters.MOST_AT_ONCE]
    return [Shown(pk, settled_at) for pk, settled_at in rows if settled_at is not None]


@require_POST
@permission_required(HANDLE)
def take_back(request: HttpRequest, decision_id: int) -> HttpResponse:
    """A second press finds it taken back, and says the same."""
    letters.take_back(decision_id=decision_id, acting=acting_of(request), now=timezone.now())
    notices.success(request, "The message is on the list again.")
    return redirect("messages:dead-letters")


def _trouble(text: str) -> Trouble | None:
    return next((each for each in Trouble if each.value == text), None)


def _service_id(text: str) -> str:
    return text if text.isascii() and text.isdecimal() else ""


# -- partners


@require_safe
@permission_required(VIEW_PARTNERS)
def partners(request: HttpRequest) -> HttpResponse:
    organisation_id, now = acting_of(request).organisation.pk, timezone.now()
    window = _window(request)
    ids = partners_of(organisation_id)
    lines = partner_lines(
        ids,
        services.provider.names(ids),
        partner_figures.figures_by_partner(organisation_id, since=window.since(now)),
        partner_figures.circuits_of(ids),
    )
    context = {
        "window": window,
        "windows": list(Window),
        "lines": lines,
        "certificates": partner_figures.seen_certificates(),
    }
    return render(request, "messages/partners.jinja", context)


@require_safe
@permission_required(VIEW_PARTNERS)
def partner(request: HttpRequest, service_id: str) -> HttpResponse:
    organisation_id, now = acting_of(request).organisation.pk, timezone.now()
    if service_id not in partners_of(organisation_id):
        raise Http404
    window = _window(request)
    since = window.since(now)
    figures = partner_figures.figures_by_partner(organisation_id, since=since)
    own = figures.pop(service_id, Figures())
    circuit = partner_figures.circuits_of([service_id]).get(service_id)
    others = partner_figures.together(list(figures.values()))
    known = services.provider.names([service_id])
    fault = partner_figures.whose_fault(own, others, circuit.state if circuit else CircuitState.CLOSED)
    context = {
        "service_id": service_id,
        "window": window,
        "windows": list(Window),
        "line": partner_line(service_id, known, own, others, circuit),
        "figures": own,
        "verdict": verdict_words(fault),
        "codes": partner_figures.outcomes_by_code(organisation_id, service_id, since=since),
        "heard": partner_figures.heard_from(organisation_id, service_id, since=since),
        "circuit": circuit,
        "changes": partner_figures.circuit_changes(service_id),
        "said": services.provider.said(service_id),
        "log": reverse("messages:log", query={"partner": service_id}),
        "dead_letters": reverse("messages:dead-letters", query={"partner": service_id}),
    }
    return render(request, "messages/partner.jinja", context)


def _window(request: HttpRequest) -> Window:
    return next((each for each in Window if each.value == request.GET.get("of")), Window.DAY)


# -- a message that was given up, sent as a new one

SENT = "A new message is on its way. The old one never goes out again."
ASKED = "Somebody else has to agree before it is sent. They find it on this page."


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(HANDLE)
@requires_step_up
def ask(request: HttpRequest, message_id: UUID) -> HttpResponse:
    acting = acting_of(request)
    message = handling.resendable(acting.organisation.pk, message_id, now=timezone.now())
    if message is None:
        raise Http404
    form = ResendForm(request.POST if request.method == "POST" else None)
    shown = Shown.read(request.POST.get("message", ""))
    refusal = ""
    if form.is_valid() and shown is not None and shown.message_id == message_id:
        note = form.cleaned_data["note"]
        try:
            asked = handling.ask_to_resend(
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
        "by_two": handling.needs_second_person(),
        "refusal": refusal,
    }
    return render(request, "messages/resend.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(HANDLE)
@requires_step_up
def agree(request: HttpRequest, resending_id: int) -> HttpResponse:
    acting = acting_of(request)
    found = handling.resendings_waiting(acting.organisation.pk).filter(pk=resending_id).first()
    if found is None:
        raise Http404
    refusal = ""
    if request.method == "POST":
        try:
            handling.agree_to_resend(
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
    handling.withdraw_resending(resending_id=resending_id, acting=acting_of(request), now=timezone.now())
    notices.success(request, "It is not sent as a new message. It waits for a person again.")
    return redirect("messages:dead-letters")
