"""What the organisation's services received: the worklist, one case, its message, and the case on paper."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import orjson
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api import paging
from bars_portal.api.forms import parameters_of, unknown_parameters
from bars_portal.api.headers import conditional
from bars_portal.api.operations import Json, Operation, Parameter, Scope, component, object_of, text
from bars_portal.api.problems import FieldFault, Problem, invalid
from bars_portal.api.views import ApiView, JsonRenderer, ProblemRenderer
from bars_portal.audit.services import record
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.json import write_exactly
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.message_bytes import decode
from bookings.api.base import is_uuid_text
from bookings.api.representation import KNOWN_PATIENT, patient_json
from referrals.api.cases_content import counts_json, row_json, shown_case
from referrals.api.cases_schema import CASE, WORKLIST
from referrals.api.content import content_json, context_of
from referrals.cases import viewing
from referrals.cases.models import Case
from referrals.cases.priorities import urgency
from referrals.cases.selectors import case_for, steps_known, telling_message
from referrals.message_page.page import message_of
from referrals.pages.paper import NAMES, case_paper
from referrals.pages.received import received_page
from referrals.sending.prefill import STATED_ANEW, carried
from referrals.worklist.forms import WorklistForm
from referrals.worklist.presenters import lines
from referrals.worklist.query import Place, Row
from referrals.worklist.selectors import worklist_after, worklist_counts

TAG = "Worklist"


class CaseView(ApiView):
    """What is of another organisation, or at a service that the application may not act for, is not there."""

    # How much had happened to the case before it was read.
    steps = 0

    def case_of(self, case_id: str) -> Case:
        """Raises Problem."""
        found = None
        if is_uuid_text(case_id):
            self.steps = steps_known(UUID(case_id))
            found = case_for(self.acting, UUID(case_id), Direction.RECEIVED)
        if found is None or not self.caller.application.may_act_for(found.service.service_id):
            raise Problem("not-found")
        return found


_SERVICE = Parameter("service", text(), "A DoS service id.")
_FILTERS = (
    *(_SERVICE if each.name == "service" else each for each in parameters_of(WorklistForm)),
    *paging.PARAMETERS,
)


class Worklist(ApiView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "list-worklist",
            "What the organisation's services received, with every filter of the page",
            Scope.WORKLIST_READ,
            {200: WORKLIST},
            description="Without filters: open referrals and validation requests, due first. held=me: by "
            "this application.",
            query=_FILTERS,
            tag=TAG,
        )
    }

    def get(self, request: Request) -> Response:
        page = paging.asked_page(request, kinds=(str, int, str, str))
        faults = list(unknown_parameters(request, {each.name for each in _FILTERS}))
        form = WorklistForm(request.query_params, acting=self.acting)
        for name, texts in form.errors.items():
            faults += [FieldFault(str(each), parameter=name) for each in texts]
        place = _place(page.after, faults)
        if faults:
            raise invalid(faults)
        now, own = timezone.now(), tuple(self.caller.application.service_ids)
        chosen = form.filters(now, only_services=own)
        rows = worklist_after(self.acting, place, filters=chosen, order=form.ordering(), limit=page.limit + 1)
        used = ", ".join(name for name, value in form.chosen().items() if value)
        record(
            actor=self.acting.actor, action="referrals.view_worklist", detail={"by": used or None}, now=now
        )
        shown, more = rows[: page.limit], len(rows) > page.limit
        items = [row_json(request, each, self.caller) for each in lines(shown, now=now)]
        response = paging.page_response(request, items, _cursor(shown[-1]) if more else None)
        response.data["counts"] = counts_json(worklist_counts(self.acting, now=now, services=own))
        return response


class OneCase(CaseView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-case",
            "Read one case, as its page shows it",
            Scope.WORKLIST_READ,
            {200: CASE},
            description="Its ETag is what a decision is based on: send it in If-Match.",
            problems=("not-found",),
            is_conditional=True,
            tag=TAG,
        )
    }

    def get(self, request: Request, case_id: str) -> Response:
        case, now = self.case_of(case_id), timezone.now()
        viewing.record_case_view(case=case, acting=self.acting, now=now)
        shown = shown_case(request, case, self.caller, steps=self.steps, now=now)
        return conditional(request, shown.body, etag=shown.tag)


FHIR_JSON, PDF = "application/fhir+json", "application/pdf"


class FhirRenderer(JsonRenderer):
    media_type, format = FHIR_JSON, "fhir"


class PdfRenderer(JsonRenderer):
    """For who asks for a document by name; a problem is JSON all the same."""

    media_type, format = PDF, "pdf"


_MESSAGE = component("FhirMessage", {"type": "object", "description": "A Bundle of FHIR R4."})
_PDF: Json = {
    "type": "string",
    "format": "binary",
    "contentMediaType": PDF,
    "description": "PDF/UA-1, to be read aloud too.",
}
_DOCUMENT = component("CaseDocument", _PDF)
_BESIDE = "worklist:read is needed beside the scope: without it the case is not there."


class OneMessage(CaseView):
    renderer_classes = (JsonRenderer, FhirRenderer, ProblemRenderer)
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-case-message",
            "The message of a case as it was received",
            Scope.PATIENTS_READ,
            {200: _MESSAGE},
            description=f"The newest that tells the whole case, in JSON, whichever way it came. {_BESIDE}",
            problems=("not-found",),
            media=FHIR_JSON,
            tag=TAG,
        )
    }

    def get(self, request: Request, case_id: str) -> HttpResponse:
        case = self.case_of(case_id)
        viewing.record_case_view(case=case, acting=self.acting, now=timezone.now(), exported=True)
        message = telling_message(case)
        try:
            told = decode(message.body) if message is not None else None
        except OutcomeError:
            told = None
        if told is None:
            raise Problem("not-found", "The message itself is not kept here.")
        return HttpResponse(orjson.dumps(told, default=write_exactly), content_type=FHIR_JSON)


class Document(CaseView):
    renderer_classes = (JsonRenderer, PdfRenderer, ProblemRenderer)
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-case-document",
            "A case on paper, as its page saves it",
            Scope.PATIENTS_READ,
            {200: _DOCUMENT},
            description=_BESIDE,
            problems=("not-found",),
            media=PDF,
            tag=TAG,
        )
    }

    def get(self, request: Request, case_id: str) -> HttpResponse:
        case, now = self.case_of(case_id), timezone.now()
        viewing.record_case_view(case=case, acting=self.acting, now=now, exported=True)
        page = received_page(case, acting=self.acting, now=now)
        paper = case_paper(page, message_of(case, now), now=now, printed_by=self.acting.actor.label)
        response = HttpResponse(paper, content_type=PDF)
        response["Content-Disposition"] = f'attachment; filename="{NAMES[case.category]}"'
        return response


_ONWARD = component(
    "OnwardContent",
    object_of(
        {
            "onward_from": text("The case.", format="uuid"),
            "use_case": text(enum=[*UseCase]),
            "patient": KNOWN_PATIENT.ref,
            "content": {
                "type": "object",
                "description": "As content of a new request. What is left to add: consent, and what the "
                "case does not say.",
            },
        }
    ),
)


class OnwardContent(CaseView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-case-onward-content",
            "What a request that carries a case on may begin with, for a person to check",
            Scope.PATIENTS_READ,
            {200: _ONWARD},
            description="As the page fills it in: what of the case goes onward, as far as the use case has a "
            f"place for it. {_BESIDE}",
            query=(Parameter("use_case", text(enum=[*UseCase]), "Of the new request.", is_required=True),),
            problems=("not-found",),
            tag=TAG,
        )
    }

    def get(self, request: Request, case_id: str) -> Response:
        case, now = self.case_of(case_id), timezone.now()
        faults = list(unknown_parameters(request, {"use_case"}))
        use_case = UseCase.lookup(request.query_params.get("use_case", ""))
        if use_case is None:
            faults.append(FieldFault("There is no such use case.", parameter="use_case"))
        if faults or use_case is None:
            raise invalid(faults)
        viewing.record_case_view(case=case, acting=self.acting, now=now)
        content = carried(case, use_case)
        told = content_json(content, context_of(use_case, now)) if content is not None else {}
        return Response(
            {
                "onward_from": str(case.pk),
                "use_case": use_case.value,
                "patient": patient_json(case.patient),
                "content": {name: each for name, each in told.items() if name not in STATED_ANEW},
            }
        )


def _cursor(row: Row) -> tuple[str | int, ...]:
    due = row.due_at.isoformat() if row.due_at else ""
    return due, urgency(row.priority), row.received_at.isoformat(), str(row.id)


def _place(after: tuple[Any, ...], faults: list[FieldFault]) -> Place | None:
    """Where the page before ended."""
    if not after:
        return None
    due, rank, created, case_id = after
    try:
        place = Place(_instant(due) if due else None, int(rank), _instant(created), UUID(case_id))
    except ValueError:
        faults.append(FieldFault("cursor must be one that the API gave.", parameter="cursor"))
        return None
    return place


def _instant(told: str) -> datetime:
    """Raises ValueError."""
    found = datetime.fromisoformat(told)
    if found.tzinfo is None:
        raise ValueError("It has no offset.")
    return found
