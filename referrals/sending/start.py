"""Where a request begins: a service, what the case has so far, and steps that need not be typed again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest

from bars_portal.accounts.acting import Acting, acting_of
from bars_portal.accounts.permissions import PolicyRefused, allowed, need, why_not
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import VALIDATION_USE_CASES, UseCase
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.message_bytes import decode
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.models import Journey
from bars_portal.patients.typed import answers_from
from bookings.models import Booking
from bookings.selectors.sent import booking_for
from directory.capability import OTHER_VERSION, USE_CASE_WORDS, accepts_request, speaks_our_version
from directory.models import HealthcareService, ServiceCapability
from directory.selectors.services import service_by_id
from referrals.cases.models import Case, Referral
from referrals.cases.selectors import case_for, journey_for, telling_message
from referrals.cases.words import after_interim
from referrals.forms.base import FormContext
from referrals.forms.steps import DONE, ROWS, typed_of
from referrals.parts.content import ContentInvalid, RequestContent, content_from_json
from referrals.parts.request import carried_content
from referrals.sending import policies
from referrals.sending.policies import check_can_refer_onward
from referrals.sending.selectors import known_details, linked_booking

T = TypeVar("T")
# The slug of the step that is not one of referrals.forms.
PATIENT = "patient"
_NO_KIND = "This service takes no requests that could be sent from here. Choose another service."


@dataclass(frozen=True)
class RequestStart:
    """`service` is None until it is chosen. `replaces` is referred again, `updates` is told more about,
    `onward` was received and goes on from here.
    """

    acting: Acting
    service: HealthcareService | None
    booking: Booking | None
    journey: Journey | None
    replaces: Referral | None
    updates: Case | None
    now: datetime
    onward: Case | None = None
    capability: ServiceCapability | None = None

    @property
    def case(self) -> Case | None:
        return self.updates or self.replaces

    @property
    def carried(self) -> dict[str, str]:
        """What the addresses of this beginning carry besides the service: ids of ours only."""
        known = (
            ("booking", self.booking),
            ("journey", None if self.onward else self.journey),
            ("again", self.replaces),
            ("update", self.updates),
            ("onward", self.onward),
        )
        return {name: str(each.pk) for name, each in known if each is not None}

    @property
    def updates_after_interim(self) -> bool:
        return self.updates is not None and after_interim(self.updates)

    @property
    def query(self) -> str:
        return urlencode(self.carried)

    def known_details(self) -> PatientDetails | None:
        """Who it is about; None when that has still to be typed."""
        case = self.case or self.onward
        return known_details(booking=self.booking, journey=self.journey, case=case)

    def kinds(self) -> list[tuple[str, str]]:
        """(use case, words) that may be sent: an update stays what it is, the others are what is accepted."""
        if self.updates is not None:
            codes = [self.updates.use_case]
        else:
            codes = list(self.service.accepted_use_cases) if self.service else []
        known = [each for code in codes if (each := UseCase.lookup(code)) and self._fits(each)]
        return sorted(((each.value, USE_CASE_WORDS[each]) for each in known), key=lambda pair: pair[1])

    def obstacle(self) -> str:
        """Why nothing can be sent, in words; "" when it can."""
        return why_not(self._check)

    def needs_booking(self) -> bool:
        """The service takes a referral only with an appointment there, and there is none."""
        if self.service is None or self.updates is not None:
            return False
        service = self.service
        return bool(why_not(lambda: policies.check_has_booking(service, self._linked())))

    def _check(self) -> None:
        if self.updates is not None:
            return policies.check_can_update(self.acting, self.updates)
        if self.replaces is not None:
            policies.check_can_refer_again(self.acting, self.replaces)
        if self.onward is not None:
            check_can_refer_onward(self.acting, self.onward)
        need(speaks_our_version(self.capability), OTHER_VERSION)
        kinds = self.kinds()
        first = kinds[0][0] if kinds else ""
        policies.check_can_request(self.acting, self._service, first)
        policies.check_not_paused(self._service, self.now)
        return policies.check_has_booking(self._service, self._linked())

    @property
    def _service(self) -> HealthcareService:
        if self.service is None:
            raise PolicyRefused(_NO_KIND)
        return self.service

    def _linked(self) -> Booking | None:
        known = self.case.journey if self.case else self.journey
        return linked_booking(self._service, booking=self.booking, journey=known)

    def _fits(self, use_case: UseCase) -> bool:
        """Only a referral can take a referral's place; the role counts, and what the service says itself."""
        if self.replaces is not None and use_case in VALIDATION_USE_CASES:
            return False
        if not allowed(lambda: policies.check_may_send(self.acting, use_case.value)):
            return False
        return self.updates is not None or accepts_request(self.capability, use_case)


def start_of(request: HttpRequest, *, now: datetime) -> RequestStart:
    """Read from the address; what it names must be there, and be ours."""
    asked, acting = request.GET, acting_of(request)
    booking = _found(asked.get("booking"), lambda each: _sent_booking(acting, each))
    updates = _case(acting, asked.get("update"), Direction.SENT)
    replaces = _case(acting, asked.get("again"), Direction.SENT)
    if replaces is not None and not isinstance(replaces, Referral):
        raise Http404
    known = updates or replaces or booking
    service_id = asked.get("service") or (known.service.service_id if known else "")
    if updates is not None:
        service_id = updates.service.service_id
    elif "choose" in asked:
        service_id = ""
    onward = _case(acting, asked.get("onward"), Direction.RECEIVED)
    named = _found(asked.get("journey"), lambda each: journey_for(acting, each))
    return RequestStart(
        acting=acting,
        service=_service(service_id) if service_id else None,
        booking=booking,
        journey=onward.journey if onward else named,
        replaces=replaces,
        updates=updates,
        now=now,
        onward=onward,
    )


def _found(text: str | None, look: Callable[[UUID], T | None]) -> T | None:
    """None when nothing is named; 404 when what is named is not there."""
    if not text:
        return None
    found = look(_uuid(text))
    if found is None:
        raise Http404
    return found


def _case(acting: Acting, text: str | None, direction: Direction) -> Case | None:
    case = case_for(acting, _uuid(text), direction) if text else None
    if text and case is None:
        raise Http404
    return case


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _sent_booking(acting: Acting, booking_id: UUID) -> Booking | None:
    booking = booking_for(acting, booking_id)
    return booking if booking is not None and booking.direction == Direction.SENT else None


def _service(service_id: str) -> HealthcareService:
    service = service_by_id(service_id)
    if service is None:
        raise Http404
    return service


# On what ground data is shared is asked anew.
STATED_ANEW = {"consent"}
# Neither says anything by itself. No step is done: a person here has to read it first.
_ABOUT_THE_FORM = {DONE, ROWS}


def carried(case: Case, use_case: UseCase) -> RequestContent | None:
    """What of a received case goes onward; None when its message cannot be read any more.

    Our own number of the call is the reference that the requester knows.
    """
    message = telling_message(case)
    try:
        bundle = MessageBundle(decode(message.body)) if message else None
    except OutcomeError:
        bundle = None
    if bundle is None:
        return None
    content = carried_content(bundle, use_case)
    return replace(content, assessment=replace(content.assessment, case_number=case.reference))


def carried_steps(case: Case, asked: FormContext) -> dict[str, Mapping[str, str]]:
    """The same step by step, for a person to check and change."""
    content = carried(case, asked.use_case)
    if content is None:
        return {}
    return {
        slug: _not_done(typed)
        for slug, typed in typed_of(content, asked).items()
        if slug not in STATED_ANEW and set(typed) - _ABOUT_THE_FORM
    }


def _not_done(typed: Mapping[str, str]) -> Mapping[str, str]:
    return {name: text for name, text in typed.items() if name != DONE}


def known_steps(beginning: RequestStart, asked: FormContext) -> dict[str, Mapping[str, str]]:
    """Answers that need not be typed again: the patient of the case, and what an earlier request stated."""
    details = beginning.known_details()
    patient = {PATIENT: {**answers_from(details), DONE: "1"}} if details else {}
    if beginning.onward is not None:
        return {**patient, **carried_steps(beginning.onward, asked)}
    return {**patient, **(_stated_before(beginning.case, asked) if beginning.case else {})}


def _stated_before(case: Case, asked: FormContext) -> dict[str, Mapping[str, str]]:
    try:
        content = replace(content_from_json(case.content), use_case=asked.use_case)
    except ContentInvalid:
        # Its message was not written by these forms.
        return {}
    return dict(typed_of(content, asked))
