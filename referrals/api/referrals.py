"""Referrals and validations that the organisation sends: made, tried, read and listed, as on the pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api import paging
from bars_portal.api.forms import filled, object_in, unknown_fields, unknown_parameters
from bars_portal.api.headers import conditional
from bars_portal.api.operations import Operation, Parameter, Scope, moment, text
from bars_portal.api.problems import FieldFault, Problem, invalid
from bars_portal.api.views import Act
from bars_portal.audit.services import record
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.nhsuk.dates import in_london
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.forms import PatientForm
from bars_portal.patients.models import Journey
from bars_portal.patients.presenters import untraced_words
from bookings.api.base import is_uuid_text, journey_in, moment_in, refusals
from bookings.api.representation import EXAMPLE_PATIENT
from bookings.models import Booking
from bookings.selectors.sent import booking_for
from directory.models import HealthcareService
from referrals.api.cases_content import content_json as message_json
from referrals.api.content import AT, context_of, read_content
from referrals.api.referrals_base import RequestView, service_in, use_case_in
from referrals.api.referrals_json import (
    NEW,
    NEW_PROPERTIES,
    PAGE,
    PLURALS,
    REQUEST,
    SENT_STATES,
    VERDICT,
    case_json,
    summary_json,
    tag_of,
)
from referrals.api.responses import WHOLE_RESPONSE, response_json
from referrals.cases import viewing
from referrals.cases.models import Case
from referrals.cases.selectors import case_for, reply_for
from referrals.cases.states import CaseStatus, Category
from referrals.message_page.page import shown_message
from referrals.parts.applications import APPLICATIONS, application_of
from referrals.parts.content import RequestContent
from referrals.sending import policies
from referrals.sending.requesting import check_stated, request_referral, request_validation
from referrals.sending.selectors import linked_booking
from referrals.worklist.sent import Listed, Waiting, listed_cases


@dataclass(frozen=True)
class Asked:
    """A new request, without a fault in what it says."""

    service: HealthcareService
    content: RequestContent
    details: PatientDetails
    booking: Booking | None
    journey: Journey | None
    onward: Case | None


class _New(RequestView):
    """The body of a new request, judged by the forms of the pages."""

    def asked(self, request: Request, now: datetime) -> Asked:
        """Raises Problem, with every fault."""
        self.need_person()
        body = object_in(request.data)
        faults = [
            FieldFault(each.detail, pointer=each.pointer)
            for each in unknown_fields(body, {"properties": self._names()})
        ]
        use_case = use_case_in(body, self.category, faults)
        if use_case is not None:
            self.need_role_for(use_case)
        service = service_in(self.caller, body, faults)
        patient = object_in(body.get("patient", {}), at="/patient")
        form, wrong = filled(PatientForm, patient, at="/patient", today=in_london(now).date())
        faults += wrong
        stated = object_in(body.get("content", {}), at=AT)
        content: RequestContent | None = None
        if use_case is not None:
            content, wrong = read_content(stated, context_of(use_case, now))
            faults += wrong
        booking, journey = self._booking(body, faults), journey_in(self.acting, body, faults)
        onward = self._onward(body, faults)
        if onward is not None and journey not in (None, onward.journey):
            words = "The case that goes onward has a journey of its own: leave this out."
            faults.append(FieldFault(words, pointer="/journey"))
        if faults or service is None or content is None:
            raise invalid(faults)
        asked = Asked(service, content, form.to_details(), booking, journey, onward)
        with refusals():
            policies.check_can_request(self.acting, service, content.use_case)
            if onward is not None:
                policies.check_can_refer_onward(self.acting, onward)
        return asked

    def _names(self) -> list[str]:
        return [each for each in NEW_PROPERTIES if each != "booking" or self.category is Category.REFERRAL]

    def _booking(self, body: Mapping[str, Any], faults: list[FieldFault]) -> Booking | None:
        named = body.get("booking")
        if named is None or self.category is not Category.REFERRAL:
            return None
        known = isinstance(named, str) and is_uuid_text(named)
        found = booking_for(self.acting, UUID(named)) if known else None
        ours = found is not None and found.direction == Direction.SENT
        if ours and found is not None and self.caller.application.may_act_for(found.service.service_id):
            return found
        faults.append(FieldFault("There is no such booking.", pointer="/booking"))
        return None

    def _onward(self, body: Mapping[str, Any], faults: list[FieldFault]) -> Case | None:
        """One that the organisation received."""
        named = body.get("onward_from")
        if named is None:
            return None
        known = isinstance(named, str) and is_uuid_text(named)
        found = case_for(self.acting, UUID(named), Direction.RECEIVED) if known else None
        if found is not None and self.caller.application.may_act_for(found.service.service_id):
            return found
        faults.append(FieldFault("There is no such case.", pointer="/onward_from"))
        return None


class _Requests(_New):
    """The list of one category, and a new one."""

    def get(self, request: Request) -> Response:
        page = paging.asked_page(request, kinds=(str, str))
        wanted, now = self._wanted(request, page.after), timezone.now()
        rows = listed_cases(self.acting, wanted, now=now, limit=page.limit + 1)
        record(actor=self.acting.actor, action="referrals.view_sent_list", now=now)
        return paging.page_by_time(
            request,
            rows,
            page,
            at=lambda each: each.created_at,
            show=lambda each: summary_json(request, each),
        )

    def _wanted(self, request: Request, after: tuple[str | int, ...]) -> Listed:
        faults = list(unknown_parameters(request, {each.name for each in _FILTERS}))
        given = request.query_params
        state, journey, service = given.get("state"), given.get("journey"), given.get("service")
        use_case = given.get("use_case")
        if state is not None and state not in _STATES:
            faults.append(FieldFault("There is no such state.", parameter="state"))
        if journey is not None and not is_uuid_text(journey):
            faults.append(FieldFault("journey must be a UUID.", parameter="journey"))
        if use_case is not None and UseCase.lookup(use_case) is None:
            faults.append(FieldFault("There is no such use case.", parameter="use_case"))
        if service is not None and not (service.isascii() and service.isdigit() and len(service) <= 20):
            faults.append(FieldFault("service must be a DoS service id.", parameter="service"))
        start = moment_in(given.get("due_from"), "due_from", faults)
        before = moment_in(given.get("due_before"), "due_before", faults)
        place = paging.place_of(after, faults)
        if faults:
            raise invalid(faults)
        own = self.caller.application.service_ids or None
        return Listed(
            category=self.category,
            chosen=_STATES[state] if state else None,
            use_case=use_case,
            service_ids=own if service is None else [service] if own is None or service in own else [],
            journey=UUID(journey) if journey else None,
            due_from=start,
            due_before=before,
            after=place,
        )

    def prepared(self, request: Request, **ids: str) -> Act:
        asked = self.asked(request, timezone.now())
        self.ask_service(request, asked.service)
        return lambda: self._send(asked).pk

    def _send(self, asked: Asked) -> Case:
        about: dict[str, Any] = {**vars(asked), "acting": self.acting, "now": timezone.now()}
        if self.category is Category.REFERRAL:
            return request_referral(**about)
        del about["booking"]
        return request_validation(**about)

    def written(self, request: Request, subject_id: str) -> Response:
        return self.settled(request, subject_id, made=201)


class _DryRun(_New):
    """The same judgement. Nothing is written, nobody is asked, and there is nothing to repeat by a key."""

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        now = timezone.now()
        asked = self.asked(request, now)
        journey = asked.onward.journey if asked.onward else asked.journey
        linked = linked_booking(asked.service, booking=asked.booking, journey=journey)
        with self.refusing():
            policies.check_told_to_take(asked.service, asked.content.use_case, now)
            policies.check_has_booking(asked.service, linked)
            check_stated(self.category, asked.content, asked.details)
        sends_untraced = application_of(asked.content.use_case).sends_untraced
        untraced = untraced_words(asked.details, sends_untraced=sends_untraced)
        return Response({"can_be_sent": True, "notes": [untraced] if untraced else []})


class _OneRequest(RequestView):
    def get(self, request: Request, **ids: str) -> Response:
        case, now = self.case_of(ids), timezone.now()
        viewing.record_case_view(case=case, acting=self.acting, now=now)
        body = case_json(request, case, self.caller, now=now)
        return conditional(request, body, etag=tag_of(body))


class _OneResponse(RequestView):
    def get(self, request: Request, **ids: str) -> Response:
        case, now = self.case_of(ids), timezone.now()
        found = reply_for(case, int(ids["response_id"]))
        if found is None:
            raise Problem("not-found")
        viewing.record_case_view(case=case, acting=self.acting, now=now)
        message = shown_message(found.message, now) if self.caller.sees_patients else None
        content = message_json(message) if message else None
        return Response({**response_json(request, case, found), "content": content})


_STATES: Mapping[str, CaseStatus | Waiting] = {each.value: each for each in (*Waiting, *SENT_STATES)}
_FILTERS = (
    Parameter("state", text(enum=list(_STATES)), "A state, or what waits for somebody."),
    Parameter("use_case", text(enum=[each.value for each in UseCase]), "One of usecases-categories-bars."),
    Parameter("service", text(pattern="^[0-9]{1,20}$"), "A DoS service id."),
    Parameter("journey", text(format="uuid"), "All of one case."),
    Parameter("due_from", moment(), "Due then or later, with an offset."),
    Parameter("due_before", moment(), "Due before that."),
    *paging.PARAMETERS,
)
EXAMPLE_CONTENT: Mapping[Category, dict[str, Any]] = {
    Category.REFERRAL: {
        "assessment": {
            "narrative": "Chest pain since this morning, worse on breathing in.",
            "complaint": "Chest pain",
            "outcomes": [{"what": {"system": "DX", "code": "DX02"}}],
        },
        "allergies": {"known": "listed", "allergies": [{"what": "Penicillin", "reaction": "Rash"}]},
        "medication": {"known": "none-known"},
        "flags": {"warnings": [{"kind": "RC", "what": "Third call today"}]},
        "expectations": {"told": "Call 999 if it gets worse."},
        "consent": {"consent": "IMPLIED"},
    },
    Category.VALIDATION: {
        "assessment": {
            "narrative": "Fell in the kitchen, cannot get up.",
            "priority": "C3",
            "outcomes": [{"what": {"system": "DX", "code": "Dx0122"}}],
        },
        "times": {"end": "2199-01-01T14:30:00+00:00"},
        "flags": {"scene": "UNK"},
        "places": [{"address": "20 The Headrow", "town": "Leeds", "postcode": "LS1 6PT"}],
        "consent": {"consent": "IMPLIED"},
    },
}
_EXAMPLES: Mapping[Category, dict[str, Any]] = {
    category: {
        "service": "2000099999",
        "use_case": use_case,
        "patient": EXAMPLE_PATIENT,
        "content": EXAMPLE_CONTENT[category],
    }
    for category, use_case in ((Category.REFERRAL, "a1t2"), (Category.VALIDATION, "a4t1"))
}
_TAGS: Mapping[Category, str] = {each: PLURALS[each].capitalize() for each in Category}
_APPLICATIONS: Mapping[Category, str] = {
    each: ", ".join(sorted({min(row.use_cases).value[1] for row in APPLICATIONS if row.category is each}))
    for each in Category
}
WRITE_PROBLEMS = ("refused", "changed-meanwhile", "acting-user-missing")


def _list_operations(category: Category) -> Mapping[str, Operation]:
    many = PLURALS[category]
    return {
        "GET": Operation(
            f"list-{many}",
            f"{many.capitalize()} that the organisation sent, newest first",
            Scope.REFERRALS_READ,
            {200: PAGE},
            query=_FILTERS,
            tag=_TAGS[category],
        ),
        "POST": Operation(
            f"create-{category.value}",
            "Refer a patient to a service" if category is Category.REFERRAL else "Ask how urgent a case is",
            Scope.REFERRALS_WRITE,
            {201: REQUEST[category], 202: REQUEST[category]},
            description="Needs X-Acting-User. 201: the outcome is known, see state. 202: it is not known "
            f"yet; read it again. Use cases of Application {_APPLICATIONS[category]}.",
            body=NEW[category],
            example=_EXAMPLES[category],
            problems=WRITE_PROBLEMS,
            is_keyed=True,
            takes_wait=True,
            tag=_TAGS[category],
        ),
    }


def _dry_run_operations(category: Category) -> Mapping[str, Operation]:
    return {
        "POST": Operation(
            f"validate-{category.value}",
            f"Try a {category.value}: every fault, and nothing is sent",
            Scope.REFERRALS_WRITE,
            {200: VERDICT},
            description="Needs X-Acting-User, and no Idempotency-Key: nothing is kept, nobody is asked.",
            body=NEW[category],
            example=_EXAMPLES[category],
            problems=WRITE_PROBLEMS,
            tag=_TAGS[category],
        )
    }


def _one_operations(category: Category) -> Mapping[str, Operation]:
    return {
        "GET": Operation(
            f"get-{category.value}",
            f"Read one {category.value}, with the responses to it",
            Scope.REFERRALS_READ,
            {200: REQUEST[category]},
            problems=("not-found",),
            is_conditional=True,
            tag=_TAGS[category],
        )
    }


def _response_operations(category: Category) -> Mapping[str, Operation]:
    return {
        "GET": Operation(
            f"get-{category.value}-response",
            f"Read one response to a {category.value}, with all that it says",
            Scope.REFERRALS_READ,
            {200: WHOLE_RESPONSE},
            problems=("not-found",),
            tag=_TAGS[category],
        )
    }


class Referrals(_Requests):
    category = Category.REFERRAL
    operations = _list_operations(Category.REFERRAL)


class Validations(_Requests):
    category = Category.VALIDATION
    operations = _list_operations(Category.VALIDATION)


class ReferralDryRun(_DryRun):
    category = Category.REFERRAL
    operations = _dry_run_operations(Category.REFERRAL)


class ValidationDryRun(_DryRun):
    category = Category.VALIDATION
    operations = _dry_run_operations(Category.VALIDATION)


class OneReferral(_OneRequest):
    category = Category.REFERRAL
    operations = _one_operations(Category.REFERRAL)


class OneValidation(_OneRequest):
    category = Category.VALIDATION
    operations = _one_operations(Category.VALIDATION)


class OneReferralResponse(_OneResponse):
    category = Category.REFERRAL
    operations = _response_operations(Category.REFERRAL)


class OneValidationResponse(_OneResponse):
    category = Category.VALIDATION
    operations = _response_operations(Category.VALIDATION)
