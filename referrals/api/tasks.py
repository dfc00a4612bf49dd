"""Tasks of people: what follows from an answer or a booking of ours, until somebody has closed it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from bars_portal.api import paging
from bars_portal.api.callers import ACTING_USER
from bars_portal.api.forms import schema_of, unknown_parameters, valid
from bars_portal.api.headers import check_match, conditional, etag_of, need_match
from bars_portal.api.operations import (
    Component,
    Json,
    Operation,
    Scope,
    component,
    moment,
    object_of,
    optional,
    text,
)
from bars_portal.api.problems import Problem, invalid
from bars_portal.api.views import Act, ChangeView
from bars_portal.audit.services import record
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk.dates import in_london
from bookings.api.base import DomainView, is_uuid_text, nothing_in
from bookings.api.representation import KNOWN_PATIENT, NO_BODY, patient_json
from bookings.models import Booking
from bookings.services.history import record_view
from referrals.api.journeys import ABOUT, about_json
from referrals.cases.duties import Duty, DutyKind
from referrals.cases.viewing import record_case_view
from referrals.duties import services
from referrals.duties.presenters import line
from referrals.duties.selectors import duty_for, open_duties
from referrals.duties.views import CloseForm
from referrals.permissions import SEND

_TAG = "Tasks"
TASK = component(
    "Task",
    object_of(
        {
            "id": text(format="uuid"),
            "url": text(format="uri"),
            "kind": object_of({"code": text(enum=[*DutyKind]), "name": text("What there is to see to.")}),
            "advice": text("What to do, in a sentence."),
            "about": ABOUT,
            "service": object_of({"id": text(), "name": text()}),
            "journey": text(format="uuid"),
            "raised_at": moment("Again when there is news of it."),
            "is_open": {"type": "boolean"},
            "holder": object_of({"name": text('"" for nobody.'), "is_caller": {"type": "boolean"}}),
            "closed_at": optional(moment()),
            "closed_by": text('"" while it is open.'),
            "outcome": text("What was done."),
            "can": {"type": "array", "items": text(enum=["take", "give-back", "close"])},
            "patient": {
                **optional(KNOWN_PATIENT.ref),
                "description": "Null without the scope patients:read.",
            },
        }
    ),
)
TASK_PAGE = component("TaskPage", paging.page_schema(TASK.ref))
CLOSING = component("TaskClosing", schema_of(CloseForm))


class TaskView(DomainView):
    """What is of another organisation, or at a service that the application may not act for, is not there."""

    def task_of(self, task_id: str) -> Duty:
        """Raises Problem."""
        found = duty_for(self.acting, UUID(task_id)) if is_uuid_text(task_id) else None
        if found is None or not self.caller.application.may_act_for(found.subject.service.service_id):
            raise Problem("not-found")
        return found

    def shown(self, request: Request, duty: Duty) -> Json:
        told, subject = line(duty, acting=self.acting), duty.subject
        key = (subject._meta.label_lower, str(subject.pk))
        may = {
            "take": told.can_see_to and not told.is_mine,
            "give-back": told.can_see_to and told.is_mine,
            "close": told.can_see_to,
        }
        return {
            "id": str(duty.pk),
            "url": str(reverse("api-task", args=[duty.pk], request=request)),
            "kind": {"code": duty.kind, "name": told.what},
            "advice": told.advice,
            "about": about_json(request, key, Direction(subject.direction)),
            "service": {"id": subject.service.service_id, "name": subject.service.name},
            "journey": str(subject.journey_id),
            "raised_at": _at(duty.raised_at),
            "is_open": told.is_open,
            "holder": {"name": told.holder, "is_caller": told.is_mine},
            "closed_at": _at(duty.closed_at) if duty.closed_at else None,
            "closed_by": "" if told.is_open else told.closed_by,
            "outcome": duty.outcome,
            "can": [name for name, allowed in may.items() if allowed],
            "patient": patient_json(subject.patient) if self.caller.sees_patients else None,
        }


class TaskList(TaskView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "list-tasks",
            "What waits for a person, the longest waiting first",
            Scope.REFERRALS_READ,
            {200: TASK_PAGE},
            description="Those about bookings with bookings:read alone.",
            query=paging.PARAMETERS,
            tag=_TAG,
        )
    }

    def get(self, request: Request) -> Response:
        page = paging.asked_page(request, kinds=(str, str))
        faults = list(unknown_parameters(request, {each.name for each in paging.PARAMETERS}))
        rows, own = open_duties(self.acting), self.caller.application.service_ids
        place = paging.place_of(page.after, faults)
        if faults:
            raise invalid(faults)
        if place is not None:
            raised, pk = place
            rows = rows.filter(Q(raised_at__gt=raised) | Q(raised_at=raised, pk__gt=pk))
        if own:
            owners = ("referral", "validation", "booking")
            at = [Q(**{f"{each}__service__service_id__in": own}) for each in owners]
            rows = rows.filter(at[0] | at[1] | at[2])
        found = list(rows[: page.limit + 1])
        record(actor=self.acting.actor, action="referrals.view_duties", now=timezone.now())
        return paging.page_by_time(
            request,
            found,
            page,
            at=lambda each: each.raised_at,
            show=lambda each: self.shown(request, each),
        )


class OneTask(TaskView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-task",
            "Read one task",
            Scope.REFERRALS_READ,
            {200: TASK},
            problems=("not-found",),
            is_conditional=True,
            tag=_TAG,
        )
    }

    def get(self, request: Request, task_id: str) -> Response:
        duty = self.task_of(task_id)
        subject, now = duty.subject, timezone.now()
        if isinstance(subject, Booking):
            record_view(booking=subject, acting=self.acting, now=now)
        else:
            record_case_view(case=subject, acting=self.acting, now=now)
        return conditional(request, self.shown(request, duty))


def _operation(name: str, summary: str, body: Component, example: Json) -> Mapping[str, Operation]:
    return {
        "POST": Operation(
            name,
            summary,
            Scope.REFERRALS_WRITE,
            {200: TASK},
            body=body,
            example=example,
            problems=("not-found", "not-allowed", "acting-user-missing", "refused", "changed-meanwhile"),
            is_keyed=True,
            is_conditional=True,
            needs_match=True,
            tag=_TAG,
        )
    }


class _Change(TaskView, ChangeView[Duty]):
    """On one task, as it was read, for a stated person."""

    def subject_of(self, request: Request, ids: Mapping[str, str]) -> Duty:
        if self.acting.stated is None:
            raise Problem("acting-user-missing", f"Send {ACTING_USER}: a person has to answer for this.")
        if not self.acting.may(SEND):
            raise Problem("not-allowed", "You are not allowed to see to tasks of what was sent.")
        duty = self.task_of(ids["task_id"])
        need_match(request)
        check_match(request, etag_of(self.shown(request, duty)))
        return duty

    def written(self, request: Request, subject_id: str) -> Response:
        body = self.shown(request, self.task_of(subject_id))
        return Response(body, headers={"Location": body["url"], "ETag": etag_of(body)})


class Take(_Change):
    operations = _operation("take-task", "Take a task", NO_BODY, {})

    def changing(self, request: Request, subject: Duty, body: Mapping[str, Any], now: datetime) -> Act:
        nothing_in(body)
        return lambda: services.take_duty(duty=subject, acting=self.acting, now=now)


class GiveBack(_Change):
    operations = _operation("give-back-task", "Give a task back", NO_BODY, {})

    def changing(self, request: Request, subject: Duty, body: Mapping[str, Any], now: datetime) -> Act:
        nothing_in(body)
        return lambda: services.give_back_duty(duty=subject, acting=self.acting, now=now)


class Close(_Change):
    operations = _operation(
        "close-task", "Close a task, saying what was done", CLOSING, {"outcome": "The GP sees her today."}
    )

    def changing(self, request: Request, subject: Duty, body: Mapping[str, Any], now: datetime) -> Act:
        said, read = valid(CloseForm, body).cleaned_data["outcome"], subject.raised_at
        return lambda: services.close_duty(
            duty=subject, raised_at=read, outcome=said, acting=self.acting, now=now
        )


def _at(when: datetime) -> str:
    return in_london(when).isoformat()
