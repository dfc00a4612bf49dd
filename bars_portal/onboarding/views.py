"""The desk's pages, for engineers, and the key set, for anybody."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from bars_portal.accounts.acting import Acting, acting_of
from bars_portal.accounts.decorators import permission_required, requires_step_up
from bars_portal.credentials.environments import ENVIRONMENTS, Environment
from bars_portal.exchange.gateway.senders import is_connected
from bars_portal.nhsuk.forms import NHSForm
from bars_portal.onboarding import presenters
from bars_portal.onboarding.acts import ACTS, Act, Deed, carry_out, suggestions
from bars_portal.onboarding.models import NoVault, Onboarding, vault_of
from bars_portal.onboarding.selectors import (
    current_key,
    keys_of,
    onboarding_of,
    public_keys,
    standings_of,
)
from bars_portal.onboarding.services.recording import begin
from bars_portal.onboarding.steps import Standing, State, Step, StepName, next_step, steps_of

_MAY = "onboarding.run_desk"


@require_safe
@permission_required(_MAY)
def environments(request: HttpRequest) -> HttpResponse:
    """Where one may go, how far each is, and the facts of each."""
    acting, now = acting_of(request), timezone.now()
    rows = []
    for place in (each for each in ENVIRONMENTS.values() if each.has_desks):
        found = standings_of(acting.organisation, place.name, now=now)
        done = sum(each.stands for each in found.values())
        facts = presenters.facts_of(place, settings.BARS_SIMULATOR_URL)
        rows.append({"place": place, "done": done, "steps": len(found), "facts": facts})
    return render(request, "onboarding/environments.jinja", {"rows": rows})


@require_safe
@permission_required(_MAY)
def desk(request: HttpRequest, environment: str) -> HttpResponse:
    """The steps, and which comes next."""
    place, acting, now = _place(environment), acting_of(request), timezone.now()
    found = standings_of(acting.organisation, place.name, now=now)
    context = {
        "place": place,
        "rows": [presenters.row_of(each, now) for each in found.values()],
        "next": next_step(found),
    }
    return render(request, "onboarding/desk.jinja", context)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(_MAY)
def step(request: HttpRequest, environment: str, step_name: str) -> HttpResponse:
    place, acting = _place(environment), acting_of(request)
    found = next((each for each in steps_of(place) if each.name == step_name), None)
    if found is None:
        raise Http404
    if request.method == "POST":
        return _taken(request, place, acting, found)
    return _page(request, place, acting, found)


@requires_step_up
def _taken(request: HttpRequest, place: Environment, acting: Acting, step: Step) -> HttpResponse:
    act = _act(step.name, request.POST.get("act", ""))
    form = act.form(place)(request.POST, request.FILES)
    if form.is_valid():
        now = timezone.now()
        onboarding = begin(organisation=acting.organisation, name=place.name, now=now)
        refused = carry_out(act, Deed(onboarding, form, acting.actor, now))
        if not refused:
            messages.success(request, f"Saved: {step.title[0].lower()}{step.title[1:]}.")
            return redirect("onboarding:step", place.name, step.name.value)
        form.add_error(None, refused)
    return _page(request, place, acting, step, form, is_own=not act.name)


def _act(name: StepName, act: str) -> Act:
    """Raises Http404."""
    found = next((each for each in ACTS if each.step == name and each.name == act), None)
    if found is None:
        raise Http404
    return found


def _page(
    request: HttpRequest,
    place: Environment,
    acting: Acting,
    step: Step,
    form: NHSForm | None = None,
    *,
    is_own: bool = True,
) -> HttpResponse:
    """`form` is what was sent and not taken; `is_own` when it is the step's, and no other button's."""
    name, now = step.name, timezone.now()
    standing = standings_of(acting.organisation, place.name, now=now)[name]
    onboarding = onboarding_of(acting.organisation, place.name)
    evidence = dict(standing.evidence)
    own = _act(name, "")
    initial = suggestions(onboarding, name, place)
    context: dict[str, Any] = {
        "place": place,
        "standing": standing,
        "row": presenters.row_of(standing, now),
        "rows": presenters.evidence_rows(standing, now),
        "parts": presenters.selftest_parts(standing),
        "form": form,
        "own_form": form if form and is_own else own.form(place)(initial=initial),
        "own": own,
        "others": _others(name, standing, sends=_sends(onboarding)),
        "may": standing.state is not State.BLOCKED,
        "mails": list(presenters.mails_for(name, place, onboarding, evidence)) if onboarding else [],
        "attachments": _attachments(onboarding, name, place, evidence) if onboarding else [],
        "keys": keys_of(onboarding) if onboarding and name is StepName.KEY else [],
        "running": name is StepName.SELF_TEST and standing.state is State.WAITING,
    }
    return render(request, "onboarding/step.jinja", context)


def _attachments(
    onboarding: Onboarding, name: StepName, place: Environment, evidence: dict[str, Any]
) -> list[presenters.Attachment]:
    """None where nothing can be kept."""
    try:
        key, vault = current_key(onboarding), vault_of(onboarding)
    except NoVault:
        return []
    return list(presenters.attachments_for(name, place, evidence, key=key, vault=vault))


def _sends(onboarding: Onboarding | None) -> bool:
    """Whether the organisation's own key is in use."""
    return onboarding is not None and is_connected(onboarding.organisation, onboarding.environment)


def _others(name: StepName, standing: Standing, *, sends: bool) -> list[Act]:
    """The buttons beside the step's own: what waits is confirmed; what can be asked for is asked for."""
    shown = []
    for act in ACTS:
        if act.step != name or not act.name:
            continue
        confirms = act.name == "confirm" and standing.state is State.WAITING
        asks = act.name == "ask" and standing.state in (State.TO_DO, State.EXPIRES, State.BROKEN)
        withdraws = act.name == "withdraw" and standing.stands
        revokes = act.name == "revoke" and sends
        if confirms or asks or withdraws or revokes:
            shown.append(act)
    return shown


def _place(name: str) -> Environment:
    """Raises Http404."""
    if name not in ENVIRONMENTS or not ENVIRONMENTS[name].has_desks:
        raise Http404
    return ENVIRONMENTS[name]


@require_safe
def key_set(request: HttpRequest, ods_code: str, environment: str) -> HttpResponse:
    """The public keys of an organisation (RFC 7517), at an address that stays; during a rotation both."""
    answer = JsonResponse(public_keys(ods_code, environment))
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer
