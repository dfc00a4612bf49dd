"""What all resources of sent requests need: what a new one must say, and views that find, read and wait."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.api.callers import Caller
from bars_portal.api.headers import applied, turn_to_wait
from bars_portal.api.operations import Component, Json, component, object_of, text
from bars_portal.api.problems import FieldFault, Problem, invalid
from bars_portal.correspondence.latest import Latest
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.gateway.client import client_for_page
from bookings.api.base import DomainView, is_uuid_text, refusals
from bookings.api.representation import PATIENT
from directory.api.services import service_to_act_for
from directory.models import HealthcareService
from directory.remote import sender_identity
from directory.services.entries import read_capability
from referrals.api.cases_schema import list_of
from referrals.api.content import faults_of_parts
from referrals.api.referrals_json import CONTENTS, OPEN_STATES, address_of, case_json, name_of, tag_of
from referrals.cases.models import MODELS, Case, Referral
from referrals.cases.selectors import case_for
from referrals.cases.states import Category
from referrals.parts.applications import APPLICATIONS, application_of
from referrals.parts.content import ContentInvalid
from referrals.sending import policies
from referrals.sending.latest import read_latest
from referrals.sending.selectors import rereferral_of
from referrals.sending.views.begin import KindForm, wait_for_case

NEW_PROPERTIES = ("service", "use_case", "patient", "content", "booking", "journey", "onward_from")


def _new_request(category: Category) -> Component:
    """One of the Applications, told by its use case."""
    refs: dict[str, Json] = {}
    for application in APPLICATIONS:
        if application.category is not category:
            continue
        name = name_of(application)
        fields = {
            "service": text("A DoS service id, as a search returned it."),
            "use_case": text(enum=[each.value for each in application.use_cases]),
            "patient": PATIENT.ref,
            "content": CONTENTS[name].ref,
            "journey": text("The case that it goes on with; without it a new one begins.", format="uuid"),
            "onward_from": text(
                "The case of the worklist that it carries on, in the same journey; needs worklist:read.",
                format="uuid",
            ),
        }
        if category is Category.REFERRAL:
            fields["booking"] = text("The booking that it goes with, of the same patient.", format="uuid")
        needed = ("service", "use_case", "patient", "content")
        made = component(f"New{category.value.capitalize()}{name}", object_of(fields, required=needed))
        refs |= {each.value: made.ref for each in application.use_cases}
    each_once = list({ref["$ref"]: ref for ref in refs.values()}.values())
    mapping = {use_case: ref["$ref"] for use_case, ref in refs.items()}
    return component(
        f"New{category.value.capitalize()}",
        {
            "oneOf": each_once,
            "discriminator": {"propertyName": "use_case", "mapping": mapping},
        },
    )


NEW: Mapping[Category, Component] = {each: _new_request(each) for each in Category}
VERDICT = component(
    "Verdict",
    object_of(
        {
            "can_be_sent": {"type": "boolean", "description": "True: every fault is a problem instead."},
            "notes": list_of(text(), "What to tell the user before it is sent, in sentences."),
        }
    ),
)

_SHOWN_WITH = ("service__provider", "organisation", "patient", "journey")


class RequestView(DomainView):
    """What is of another organisation, or at a service that the application may not act for, is not there."""

    category: ClassVar[Category]

    @contextmanager
    def refusing(self) -> Iterator[None]:
        try:
            with refusals():
                yield
        except ContentInvalid as wrong:
            raise invalid(faults_of_parts(wrong)) from None

    def case_of(self, ids: Mapping[str, str]) -> Case:
        """By the ids of the address. Raises Problem."""
        case_id = ids[f"{self.category.value}_id"]
        case = case_for(self.acting, UUID(case_id), Direction.SENT) if is_uuid_text(case_id) else None
        if case is None or case.category is not self.category:
            raise Problem("not-found")
        if not self.caller.application.may_act_for(case.service.service_id):
            raise Problem("not-found")
        return case

    def need_person(self) -> None:
        """Before anything else is judged. Raises Problem."""
        if self.acting.stated is None:
            raise Problem("acting-user-missing")

    def need_role_for(self, use_case: str) -> None:
        """Raises Problem."""
        try:
            policies.check_may_send(self.acting, use_case)
        except PolicyRefused as refusal:
            raise Problem("not-allowed", refusal.sentence) from None

    def latest_of(self, request: Request, case: Case) -> Latest:
        """One read over the wire, never inside a transaction."""
        client, sender = client_for_page(request._request), sender_identity(self.acting)
        return read_latest(client, case=case, sender=sender, now=timezone.now())

    def ask_service(self, request: Request, service: HealthcareService) -> None:
        """What the service says itself that it takes; over the wire too."""
        sender = sender_identity(self.acting)
        read_capability(client_for_page(request._request), service=service, sender=sender, now=timezone.now())

    def settled(self, request: Request, case_id: str, *, made: int) -> Response:
        """How it stands, after as long a wait as was asked for: `made`, or 202 while it is open."""
        case: Case = MODELS[self.category].objects.select_related(*_SHOWN_WITH).get(pk=case_id)
        with turn_to_wait(request) as patience:
            if patience:
                _wait(case, patience)
        body = case_json(request, case, self.caller, now=timezone.now())
        is_open = case.status in OPEN_STATES or case.has_update_pending
        headers = {"Location": address_of(request, case), "ETag": tag_of(body), **applied(patience)}
        return Response(body, status=202 if is_open else made, headers=headers)


def _wait(case: Case, patience: float) -> None:
    """For the case, and for the referral that takes its place."""
    deadline = monotonic() + patience
    wait_for_case(case, patience=patience)
    plan = rereferral_of(case) if isinstance(case, Referral) else None
    if plan is not None and plan.made is not None:
        wait_for_case(plan.made, patience=max(0.0, deadline - monotonic()))


def use_case_in(body: Mapping[str, Any], category: Category, faults: list[FieldFault]) -> UseCase | None:
    """None, with a fault, for none of the category."""
    found = UseCase.lookup(str(body.get("use_case") or ""))
    if found is not None and application_of(found).category is category:
        return found
    words = KindForm.base_fields["use_case"].error_messages["required"]
    faults.append(FieldFault(str(words), pointer="/use_case"))
    return None


def service_in(caller: Caller, body: Mapping[str, Any], faults: list[FieldFault]) -> HealthcareService | None:
    """None, with a fault, for none. Raises Problem for one that the application may not act for."""
    named = body.get("service")
    try:
        if isinstance(named, str) and named.isascii() and named.isdigit() and len(named) <= 20:
            return service_to_act_for(caller, named)
    except Problem as problem:
        if problem.type.name != "not-found":
            raise
    faults.append(FieldFault("Choose a service that a search returned.", pointer="/service"))
    return None
