"""Everything that was typed, on one page, with what is still missing."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from bars_portal.patients.details import PatientDetails
from bars_portal.patients.presenters import patient_rows
from directory.capability import USE_CASE_WORDS
from referrals.content import ContentInvalid, check_parts
from referrals.forms.reading import ReadStep, content_of
from referrals.forms.reason import ReasonForm
from referrals.forms.steps import step_of_part
from referrals.forms.summary import summary_rows
from referrals.models import RequestDraft
from referrals.views.request_lookup import asked_of

Problem = dict[str, str]


def problems_of(
    draft: RequestDraft, steps: Sequence[ReadStep], details: PatientDetails | None
) -> list[Problem]:
    """What keeps the request from being sent, each with the step that mends it."""
    found: list[Problem] = []
    if details is None:
        found.append({"text": "Patient: enter who it is", "href": _patient(draft)})
    for each in steps:
        address = _step(draft, each.step.slug)
        found += [{"text": f"{each.step.title}: {one.text}", "href": address} for one in each.problems]
        if not each.form.is_bound and each.step.is_required(asked_of(draft)):
            found.append({"text": f"{each.step.title}: answer this step", "href": address})
    return found or _missing(draft, steps)


def answers_page(
    request: HttpRequest,
    draft: RequestDraft,
    steps: Sequence[ReadStep],
    details: PatientDetails | None,
    problems: list[Problem],
    reason: ReasonForm | None,
) -> HttpResponse:
    faults = reason.summary() if reason is not None and reason.is_bound else []
    context = {
        "draft": draft,
        "kind": USE_CASE_WORDS[asked_of(draft).use_case],
        "patient": details,
        "patient_rows": patient_rows(details) if details else [],
        "patient_address": "" if draft.replaces else _patient(draft),
        "cards": [_card(draft, each) for each in steps],
        "problems": problems,
        "errors": [*problems, *({"text": each.text, "href": each.href} for each in faults)],
        "reason": reason,
    }
    return render(request, "referrals/request/check.jinja", context)


def _missing(draft: RequestDraft, steps: Sequence[ReadStep]) -> list[Problem]:
    """The content's own rules, should the forms have overlooked one."""
    asked = asked_of(draft)
    try:
        check_parts(content_of(asked.use_case, steps))
    except ContentInvalid as invalid:
        slugs = dict.fromkeys(step_of_part(part) for part in invalid.fields)
        by_slug = {each.step.slug: each.step.title for each in steps}
        return [
            {"text": f"{by_slug[slug]}: answer this step", "href": _step(draft, slug)}
            for slug in slugs
            if slug in by_slug
        ]
    return []


def _card(draft: RequestDraft, read: ReadStep) -> dict[str, Any]:
    return {"title": read.step.title, "rows": summary_rows(read), "address": _step(draft, read.step.slug)}


def _patient(draft: RequestDraft) -> str:
    return reverse("referrals:request-patient", args=[draft.pk]) + "?back=check"


def _step(draft: RequestDraft, slug: str) -> str:
    return reverse("referrals:request-step", args=[draft.pk, slug]) + "?back=check"
