"""A response to a received case: a form, a check of what will be sent and to whom, then once."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.explanations import PATIENCE_SECONDS, wait_while
from bars_portal.nhsuk.forms import NHSForm
from bars_portal.patients.presenters import banner
from referrals.cases.history import record_case_view
from referrals.cases.models import Case, CaseAnswer
from referrals.cases.policies import ANSWER
from referrals.cases.selectors import responses_of, steps_of
from referrals.cases.states import ReplyKind, ResponseState
from referrals.cases.views import clock, received_case_of, whole_number
from referrals.cases.words import Row, asked_rows
from referrals.responding import decisions
from referrals.responding.content import read_content
from referrals.responding.decisions import Decided
from referrals.responding.forms import ResponseForm
from referrals.responding.policies import Decision, check_can_decide
from referrals.responding.presenters import who_is_told

_NOT_TYPED = ("csrfmiddlewaretoken", "send", "change")


def keep_typed(request: HttpRequest, case_id: UUID) -> None:
    """What was just sent by the form, for this page of this case."""
    typed = request.POST.copy()
    for name in _NOT_TYPED:
        typed.pop(name, None)
    request.session[_key(request, case_id)] = typed.urlencode()


def kept_typed(request: HttpRequest, case_id: UUID) -> QueryDict | None:
    kept = request.session.get(_key(request, case_id))
    return QueryDict(kept) if isinstance(kept, str) else None


def forget_typed(request: HttpRequest, case_id: UUID) -> None:
    request.session.pop(_key(request, case_id), None)


def _key(request: HttpRequest, case_id: UUID) -> str:
    match = request.resolver_match
    return f"answer:{match.url_name if match else ''}:{case_id}"


def wait_for_response(answer: CaseAnswer | None, *, patience: float = PATIENCE_SECONDS) -> None:
    """Until the requester has taken or refused it, or the patience ends; None: nothing was sent."""
    if answer is not None:
        wait_while(
            lambda: answer.state == ResponseState.SENDING,
            lambda: answer.refresh_from_db(fields=["state"]),
            patience=patience,
        )


@dataclass(frozen=True)
class ResponsePage:
    """One kind of answer. `form`, `rows` and `act` are of the case that the page is about."""

    decision: Decision
    title: str
    button: str
    done: str
    template: str
    make_form: Callable[[QueryDict | None, HttpRequest, Case], NHSForm]
    rows: Callable[[NHSForm], list[Row]]
    act: Callable[[HttpRequest, Case, NHSForm], Decided]
    variant: str = ""


Describe = Callable[[Case], ResponsePage]


def response_view(describe: Describe) -> Callable[..., HttpResponse]:
    """A view of this kind of answer."""

    @require_http_methods(["GET", "POST"])
    @permission_required(ANSWER)
    def view(request: HttpRequest, case_id: UUID) -> HttpResponse:
        case = received_case_of(request, case_id)
        page = describe(case)
        try:
            check_can_decide(acting_of(request), case, page.decision, clock())
        except PolicyRefused as refusal:
            return back_to_the_case(request, case, refusal)
        return _respond(request, case, page)

    return view


def _respond(request: HttpRequest, case: Case, page: ResponsePage) -> HttpResponse:
    """What was typed is kept before anything else, so that each page can be left and read again."""
    if request.method != "POST":
        return _read(request, case, page)
    form = page.make_form(request.POST, request, case)
    if form.is_valid() and "send" in request.POST:
        return _send(request, case, page, form)
    keep_typed(request, case.pk)
    if "change" in request.POST:
        return redirect(request.path)
    # Mistakes are told by a page that the back button can show again.
    return redirect(f"{request.path}?check=1" if form.is_valid() else request.path)


def _read(request: HttpRequest, case: Case, page: ResponsePage) -> HttpResponse:
    record_case_view(case=case, acting=acting_of(request), now=clock())
    typed = kept_typed(request, case.pk)
    if typed is None and "check" in request.GET:
        # Back to what was sent.
        return redirect("referrals:received", case.pk)
    form = page.make_form(typed, request, case)
    if typed is not None and "check" in request.GET and form.is_valid():
        return _check_page(request, case, page, form, typed)
    return _form_page(request, case, page, form)


def _send(request: HttpRequest, case: Case, page: ResponsePage, form: NHSForm) -> HttpResponse:
    try:
        decided = decisions.decide_as_seen(
            case=case, seen=steps_seen(request, case), act=lambda held: page.act(request, held, form)
        )
    except decisions.ChangedMeanwhile as changed:
        return _changed(request, received_case_of(request, case.pk), page, form, changed)
    except PolicyRefused as refusal:
        return back_to_the_case(request, case, refusal)
    forget_typed(request, case.pk)
    wait_for_response(decided.answer)
    messages.success(request, page.done)
    return redirect("referrals:received", case.pk)


def _changed(
    request: HttpRequest, case: Case, page: ResponsePage, form: NHSForm, changed: PolicyRefused
) -> HttpResponse:
    """Nothing was sent, everything typed is kept; unless the case is over, or this was a second press."""
    if _was_said(request, case, form):
        return back_to_the_case(request, case, PolicyRefused("You have said this already: it counts once."))
    try:
        check_can_decide(acting_of(request), case, page.decision, clock())
    except PolicyRefused as refusal:
        return back_to_the_case(request, case, refusal)
    return _form_page(request, case, page, form, changed=changed.sentence, seen=steps_of(case))


def _was_said(request: HttpRequest, case: Case, form: NHSForm) -> bool:
    """By the same person, in the same words, as the last response to this case."""
    last = responses_of(case).last()
    if last is None or last.author_id != acting_of(request).user.pk or not isinstance(form, ResponseForm):
        return False
    return read_content(ReplyKind(last.kind), last.content) == form.content()


def steps_seen(request: HttpRequest, case: Case) -> int:
    """The steps that the person knew of; of a page that is opened anew, those that there are."""
    if request.method == "POST":
        return whole_number(request.POST.get("seen", ""), default=-1)
    kept = kept_typed(request, case.pk)
    return whole_number(kept.get("seen", ""), default=-1) if kept is not None else steps_of(case)


def _form_page(
    request: HttpRequest,
    case: Case,
    page: ResponsePage,
    form: NHSForm,
    *,
    changed: str = "",
    seen: int | None = None,
) -> HttpResponse:
    context = _context(request, case, page, form) | {"changed": changed}
    if seen is not None:
        context["seen"] = seen
    return render(request, page.template, context)


def _check_page(
    request: HttpRequest, case: Case, page: ResponsePage, form: NHSForm, typed: QueryDict
) -> HttpResponse:
    hidden = [(name, value) for name, values in typed.lists() for value in values if name != "seen"]
    context = _context(request, case, page, form) | {"rows": page.rows(form), "typed": hidden}
    return render(request, "referrals/response_check.jinja", context)


def _context(request: HttpRequest, case: Case, page: ResponsePage, form: NHSForm) -> dict[str, object]:
    return {
        "form": form,
        "answer": page,
        "page": {"case": case, "banner": banner(case.patient), "asked": asked_rows(case)},
        "seen": steps_seen(request, case),
        "told": who_is_told(case, page.decision),
    }


def back_to_the_case(request: HttpRequest, case: Case, refusal: PolicyRefused) -> HttpResponse:
    messages.info(request, refusal.sentence)
    return redirect("referrals:received", case.pk)
