"""What becomes of a request that was sent: told more, taken back, made anew, and asked again about."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api.forms import filled, object_in, unknown_fields, valid
from bars_portal.api.headers import check_match
from bars_portal.api.operations import Component, Operation, Scope
from bars_portal.api.problems import FieldFault, invalid
from bars_portal.api.views import Act, ChangeView
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.nhsuk.dates import in_london
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.forms import PatientForm
from bookings.api.base import nothing_in, refusals
from bookings.api.representation import NO_BODY
from referrals.api.content import AT, context_of, read_content
from referrals.api.referrals import EXAMPLE_CONTENT, WRITE_PROBLEMS
from referrals.api.referrals_base import RequestView, service_in, use_case_in
from referrals.api.referrals_json import NEW_AGAIN, PLURALS, REQUEST, REVOCATION, UPDATE, case_json, tag_of
from referrals.cases.models import Case, Referral
from referrals.cases.states import Category
from referrals.parts.content import ContentInvalid, RequestContent, content_from_json
from referrals.sending import outcomes, policies, taking_back, updating
from referrals.sending.forms import IN_ERROR, ReasonForm, TakeBackForm
from referrals.sending.latest import is_taken_back

_NOT_WRITTEN_HERE = "What the old referral says was not written in this portal. Enter what the new one says"


class _Change(RequestView, ChangeView[Case]):
    """Who may not read a request cannot change it either."""

    def subject_of(self, request: Request, ids: Mapping[str, str]) -> Case:
        case = self.case_of(ids)
        self.need_person()
        self.need_role_for(case.use_case)
        if "If-Match" in request.headers:
            check_match(request, tag_of(case_json(request, case, self.caller, now=timezone.now())))
        return case

    def written(self, request: Request, subject_id: str) -> Response:
        return self.settled(request, subject_id, made=200)


class _Update(_Change):
    def changing(self, request: Request, subject: Case, body: Mapping[str, Any], now: datetime) -> Act:
        with refusals():
            policies.check_can_update(self.acting, subject)
        faults = list(unknown_fields(body, UPDATE[self.category].schema))
        stated = object_in(body.get("content", {}), at=AT)
        content, wrong = read_content(stated, context_of(UseCase(subject.use_case), now))
        faults += wrong
        details = self._details(body, faults)
        if faults or content is None:
            raise invalid(faults)
        latest, known = self.latest_of(request, subject), _as_it_began(content, stated)
        return lambda: updating.update_request(
            case=subject,
            content=known,
            latest=latest,
            details=details,
            acting=self.acting,
            now=timezone.now(),
        )

    def _details(self, body: Mapping[str, Any], faults: list[FieldFault]) -> PatientDetails | None:
        """None: they stay as they are known."""
        if body.get("patient") is None:
            return None
        given = object_in(body["patient"], at="/patient")
        today = in_london(timezone.now()).date()
        form, wrong = filled(PatientForm, given, at="/patient", today=today)
        faults += wrong
        return None if wrong else form.to_details()


def _as_it_began(content: RequestContent, stated: Mapping[str, Any]) -> RequestContent:
    """A form that is opened now says when triage began; an update that does not say it leaves it alone."""
    if "started" in (stated.get("assessment") or {}):
        return content
    return replace(content, assessment=replace(content.assessment, started_at=None))


class _Revoke(_Change):
    def changing(self, request: Request, subject: Case, body: Mapping[str, Any], now: datetime) -> Act:
        form = valid(TakeBackForm, body)
        with refusals():
            policies.check_can_take_back(self.acting, subject)
        latest = self.latest_of(request, subject)
        reason = " ".join(str(form.cleaned_data["reason"]).split())
        mistaken = form.cleaned_data["how"] == IN_ERROR and not is_taken_back(latest)
        end = taking_back.mark_entered_in_error if mistaken else taking_back.revoke_request
        return lambda: end(case=subject, latest=latest, reason=reason, acting=self.acting, now=timezone.now())


class ReferAgain(_Change):
    category = Category.REFERRAL
    operations = {
        "POST": Operation(
            "refer-again",
            "Take a referral back, and refer again in its place",
            Scope.REFERRALS_WRITE,
            {200: REQUEST[Category.REFERRAL], 202: REQUEST[Category.REFERRAL]},
            description="Needs X-Acting-User. The answer is the old referral; replaced_by names the new one, "
            "which goes out by itself once the old one is taken back.",
            body=NEW_AGAIN,
            example={"reassessed": "unchanged", "reason": "Another service is nearer"},
            problems=("not-found", *WRITE_PROBLEMS),
            is_keyed=True,
            is_conditional=True,
            takes_wait=True,
            tag="Referrals",
        )
    }

    def changing(self, request: Request, subject: Case, body: Mapping[str, Any], now: datetime) -> Act:
        referral = cast(Referral, subject)
        faults = list(unknown_fields(body, NEW_AGAIN.schema))
        asked = {name: body[name] for name in ReasonForm.base_fields if name in body}
        form, wrong = filled(ReasonForm, asked)
        faults += wrong
        service = service_in(self.caller, body, faults) if "service" in body else referral.service
        content = self._content(body, referral, faults)
        if faults or content is None or service is None:
            raise invalid(faults)
        with refusals():
            policies.check_can_refer_again(self.acting, referral)
            policies.check_can_request(self.acting, service, content.use_case)
        self.ask_service(request, service)
        latest = self.latest_of(request, referral)
        return lambda: taking_back.refer_again(
            referral=referral,
            content=content,
            service=service,
            latest=latest,
            reason=form.cleaned_data["reason"],
            reassessed=form.cleaned_data["reassessed"],
            acting=self.acting,
            now=timezone.now(),
        )

    def _content(
        self, body: Mapping[str, Any], referral: Referral, faults: list[FieldFault]
    ) -> RequestContent | None:
        use_case = use_case_in({"use_case": referral.use_case, **body}, Category.REFERRAL, faults)
        if use_case is None:
            return None
        self.need_role_for(use_case)
        if body.get("content") is not None:
            stated = object_in(body["content"], at=AT)
            content, wrong = read_content(stated, context_of(use_case, timezone.now()))
            faults += wrong
            return content
        try:
            return replace(content_from_json(referral.content), use_case=use_case, booking_ids=())
        except ContentInvalid:
            faults.append(FieldFault(_NOT_WRITTEN_HERE, pointer=AT))
            return None


class _CheckAgain(_Change):
    def changing(self, request: Request, subject: Case, body: Mapping[str, Any], now: datetime) -> Act:
        nothing_in(body)
        return lambda: outcomes.check_again(case=subject, acting=self.acting, now=timezone.now())


def _operation(
    category: Category, id_: str, summary: str, description: str, body: Component, example: dict[str, Any]
) -> Mapping[str, Operation]:
    return {
        "POST": Operation(
            id_,
            summary,
            Scope.REFERRALS_WRITE,
            {200: REQUEST[category], 202: REQUEST[category]},
            description=f"Needs X-Acting-User. {description}",
            body=body,
            example=example,
            problems=("not-found", *WRITE_PROBLEMS),
            is_keyed=True,
            is_conditional=True,
            takes_wait=True,
            tag=PLURALS[category].capitalize(),
        )
    }


def _updates(category: Category) -> Mapping[str, Operation]:
    name = category.value
    return _operation(
        category,
        f"update-{name}",
        f"Tell the service more about a {name}",
        "The service is read first. Validations and referrals between ambulance controls and to a clinical "
        "assessment are updated; for every other one refer again.",
        UPDATE[category],
        {"content": EXAMPLE_CONTENT[category]},
    )


def _revocations(category: Category) -> Mapping[str, Operation]:
    name = category.value
    return _operation(
        category,
        f"revoke-{name}",
        f"Take a {name} back",
        "The service is read first: what it has taken back already is only recorded.",
        REVOCATION,
        {"how": "revoked", "reason": "The patient is better"},
    )


def _checks(category: Category) -> Mapping[str, Operation]:
    name = category.value
    return _operation(
        category,
        f"check-{name}-again",
        f"Find out what became of a {name}, its update or its end that is not known",
        "The very same message is sent again: nothing can arrive twice by it.",
        NO_BODY,
        {},
    )


class UpdateReferral(_Update):
    category = Category.REFERRAL
    operations = _updates(Category.REFERRAL)


class UpdateValidation(_Update):
    category = Category.VALIDATION
    operations = _updates(Category.VALIDATION)


class RevokeReferral(_Revoke):
    category = Category.REFERRAL
    operations = _revocations(Category.REFERRAL)


class RevokeValidation(_Revoke):
    category = Category.VALIDATION
    operations = _revocations(Category.VALIDATION)


class CheckReferralAgain(_CheckAgain):
    category = Category.REFERRAL
    operations = _checks(Category.REFERRAL)


class CheckValidationAgain(_CheckAgain):
    category = Category.VALIDATION
    operations = _checks(Category.VALIDATION)
