"""What is done with a received case: decided by the forms and policies of its page, once, as it was read."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.accounts.acting import memberships_of, user_called
from bars_portal.accounts.models import User
from bars_portal.api.callers import ACTING_USER
from bars_portal.api.forms import schema_of, unknown_fields, valid
from bars_portal.api.headers import applied, matches, turn_to_wait
from bars_portal.api.operations import Component, Json, Operation, Scope, component, object_of, optional, text
from bars_portal.api.problems import FieldFault, Problem, invalid
from bars_portal.api.views import Act, ChangeView
from bars_portal.nhsuk.forms import NHSForm
from bookings.api.base import is_uuid_text, nothing_in, refusals
from bookings.api.representation import NO_BODY
from referrals.api.cases import TAG, CaseView
from referrals.api.cases_content import (
    address_of,
    holder_mark,
    is_open_answer,
    shown_case,
)
from referrals.api.cases_schema import CASE
from referrals.cases import links, viewing
from referrals.cases.models import Case, CaseAnswer, Referral
from referrals.cases.selectors import responses_of
from referrals.permissions import ANSWER, WORK
from referrals.responding import contacting, decisions, delivery, plotting, sharing
from referrals.responding.contacting import attempts_of
from referrals.responding.forms import (
    NoteForm,
)
from referrals.responding.local_forms import AttemptForm, OwnPlaceForm
from referrals.responding.response_view import wait_for_response

_PROBLEMS = ("not-found", "not-allowed", "acting-user-missing", "refused", "changed-meanwhile")
_WORDS = {ANSWER: "Only clinicians answer received cases.", WORK: "You are not allowed to work on cases."}


def body_of(name: str, form: type[NHSForm], **changed: Json) -> Component:
    """What the form takes; `changed`: fields whose options only a case knows."""
    told = schema_of(form)
    fields = {field: {**each, **changed.get(field, {})} for field, each in told["properties"].items()}
    return component(name, {**told, "properties": fields})


NOTE = body_of("CaseNote", NoteForm)
ATTEMPT = body_of("CaseAttempt", AttemptForm)
PLACE = body_of("CasePlace", OwnPlaceForm)
_ME = "me"
ASSIGNMENT = component(
    "CaseAssignment",
    object_of(
        {
            "to": optional(
                text(
                    "me: this application, for whom it states. Or a colleague's username in the portal. "
                    "Null: nobody, by who has it."
                )
            )
        }
    ),
)

LINK = component("CaseLink", object_of({"booking": text("The id of an appointment.", format="uuid")}))
_SEES_BOOKINGS = "worklist:read is needed beside the scope: without it there are no bookings."


def operation_of_case(
    name: str, summary: str, body: Component, example: Json, *, description: str = "", decides: bool = True
) -> Mapping[str, Operation]:
    open_too = {202: CASE} if decides else {}
    return {
        "POST": Operation(
            name,
            summary,
            Scope.WORKLIST_WRITE,
            {200: CASE, **open_too},
            description=description,
            body=body,
            example=example,
            problems=_PROBLEMS,
            is_keyed=True,
            is_conditional=True,
            takes_wait=decides,
            needs_match=decides,
            tag=TAG,
        )
    }


class CaseChange(CaseView, ChangeView[Case]):
    """For a stated person."""

    permission = WORK

    def subject_of(self, request: Request, ids: Mapping[str, str]) -> Case:
        self._need_person()
        case = self.case_of(ids["case_id"])
        self.check_seen(request, case)
        return case

    @contextmanager
    def refusing(self) -> Iterator[None]:
        try:
            with refusals():
                yield
        except decisions.ChangedMeanwhile:
            raise Problem("precondition-failed") from None

    def _need_person(self) -> None:
        """Raises Problem: who is not named answers for nothing."""
        if self.acting.stated is None:
            raise Problem("acting-user-missing", f"Send {ACTING_USER}: a person has to answer for this.")
        if not self.acting.may(self.permission):
            raise Problem("not-allowed", _WORDS[self.permission])

    def check_seen(self, request: Request, case: Case) -> None:
        """If-Match, where it is there. Raises Problem."""
        if "If-Match" in request.headers:
            self.seen(request, case)

    def seen(self, request: Request, case: Case) -> int:
        """The steps of the case that If-Match tells of. Raises Problem when there are others by now."""
        tags = [each.split(".") for each in matches(request)]
        if ["*"] not in tags and not any(self.is_same(each, case) for each in tags):
            raise Problem("precondition-failed")
        return self.steps

    def is_same(self, tag: list[str], case: Case) -> bool:
        return tag[0] == str(self.steps)

    def written(self, request: Request, subject_id: str) -> Response:
        return self.answered(request, subject_id, answer=None)

    def answered(
        self, request: Request, case_id: str, *, answer: CaseAnswer | None, waited: float = 0.0
    ) -> Response:
        case, now = self.case_of(case_id), timezone.now()
        viewing.record_case_view(case=case, acting=self.acting, now=now)
        shown = shown_case(request, case, self.caller, steps=self.steps, now=now)
        headers = {"Location": address_of(request, case.pk), "ETag": shown.tag, **applied(waited)}
        return Response(shown.body, status=202 if is_open_answer(answer) else 200, headers=headers)


class ToldChange(CaseChange):
    """One that the requester may hear of: the answer waits as long as was asked for."""

    permission = ANSWER

    def written(self, request: Request, subject_id: str) -> Response:
        answer = responses_of(self.case_of(subject_id)).last()
        with turn_to_wait(request) as patience:
            if patience:
                wait_for_response(answer, patience=patience)
        return self.answered(request, subject_id, answer=answer, waited=patience)


class Assign(CaseChange):
    operations = operation_of_case(
        "assign-case",
        "Take a case, give it to a colleague, or give it back",
        ASSIGNMENT,
        {"to": _ME},
        decides=False,
        description="With If-Match only from who had it then.",
    )

    def is_same(self, tag: list[str], case: Case) -> bool:
        return tag[1:2] == [holder_mark(case)]

    def changing(self, request: Request, subject: Case, body: Mapping[str, Any], now: datetime) -> Act:
        faults = list(unknown_fields(body, ASSIGNMENT.schema))
        to = self._colleague(body, faults)
        if faults:
            raise invalid(faults)
        acting, seen = self.acting, subject.assigned_to
        if to is None:
            return lambda: sharing.unassign_case(case=subject, seen=acting.user, acting=acting, now=now)
        return lambda: sharing.assign_case(case=subject, to=to, seen=seen, acting=acting, now=now)

    def _colleague(self, body: Mapping[str, Any], faults: list[FieldFault]) -> User | None:
        named = body.get("to", "")
        if named is None or named == _ME:
            return self.acting.user if named else None
        found = user_called(named) if isinstance(named, str) else None
        if found is None or not memberships_of(found).filter(organisation=self.acting.organisation).exists():
            faults.append(FieldFault("Nobody who works here is called this.", pointer="/to"))
        return found


class AddNote(CaseChange):
    operations = operation_of_case(
        "add-case-note", "Write a note for colleagues", NOTE, {"text": "Rang the surgery."}, decides=False
    )

    def changing(self, request: Request, subject: Case, body: Mapping[str, Any], now: datetime) -> Act:
        words = valid(NoteForm, body).cleaned_data["text"]
        return lambda: sharing.add_note(case=subject, text=words, acting=self.acting, now=now)


class RecordAttempt(CaseChange):
    operations = operation_of_case(
        "record-contact-attempt",
        "Write down a call to the patient of a pharmacy",
        ATTEMPT,
        {"reached": "no", "text": "No answer."},
        decides=False,
    )

    def changing(self, request: Request, subject: Case, body: Mapping[str, Any], now: datetime) -> Act:
        told, seen = valid(AttemptForm, body).cleaned_data, len(attempts_of(subject))
        return lambda: contacting.record_attempt(
            case=subject,
            seen=seen,
            reached=told["reached"] == "yes",
            text=told["text"],
            acting=self.acting,
            now=now,
        )


class RecordPlace(CaseChange):
    operations = operation_of_case(
        "record-case-place",
        "Write down where a case was plotted here",
        PLACE,
        {"uprn": "100012345678"},
        decides=False,
    )

    def changing(self, request: Request, subject: Case, body: Mapping[str, Any], now: datetime) -> Act:
        own = plotting.OwnPlace(**valid(OwnPlaceForm, body).cleaned_data)
        return lambda: plotting.record_place(case=subject, own=own, acting=self.acting, now=now)


class LinkBooking(CaseChange):
    """As on the page: of the same patient, received here too."""

    operations = operation_of_case(
        "link-case-booking",
        "Say that an appointment goes with a referral",
        LINK,
        {"booking": "5b0f6a52-0c51-4e0b-9d6f-6f0d3f3a7c11"},
        decides=False,
        description=f"One of linkable_bookings. {_SEES_BOOKINGS}",
    )

    def changing(self, request: Request, subject: Case, body: Mapping[str, Any], now: datetime) -> Act:
        about = self.about(subject, body)
        return lambda: links.link_booking(**about, acting=self.acting, now=now)

    def about(self, case: Case, body: Mapping[str, Any]) -> dict[str, Any]:
        """Raises Problem."""
        if not isinstance(case, Referral):
            raise Problem("refused", "Only a referral has appointments that go with it.")
        faults, named = list(unknown_fields(body, LINK.schema)), body.get("booking")
        known = isinstance(named, str) and is_uuid_text(named)
        booking = links.received_booking(self.acting, UUID(named)) if known else None
        if booking is None or not self.caller.application.may_act_for(booking.service.service_id):
            faults.append(FieldFault("There is no such booking.", pointer="/booking"))
        if faults:
            raise invalid(faults)
        return {"referral": case, "booking": booking}


class UnlinkBooking(LinkBooking):
    operations = operation_of_case(
        "unlink-case-booking",
        "Undo that an appointment goes with a referral",
        LINK,
        {"booking": "5b0f6a52-0c51-4e0b-9d6f-6f0d3f3a7c11"},
        decides=False,
        description=f"What was linked by hand; what messages say stays. {_SEES_BOOKINGS}",
    )

    def changing(self, request: Request, subject: Case, body: Mapping[str, Any], now: datetime) -> Act:
        about = self.about(subject, body)

        def unlink() -> None:
            if not links.unlink_booking(**about, acting=self.acting, now=now):
                raise Problem("refused", "They are not linked by hand.")

        return unlink


class _Repeat(ToldChange):
    """Of the newest answer, when the requester may not have it."""

    again: ClassVar[Callable[..., CaseAnswer]]

    def changing(self, request: Request, subject: Case, body: Mapping[str, Any], now: datetime) -> Act:
        nothing_in(body)
        answer, again = responses_of(subject).last(), type(self).again
        if answer is None:
            raise Problem("refused", "Nothing was answered to this case.")
        return lambda: again(answer=answer, acting=self.acting, now=now)


def _repeating(name: str, summary: str) -> Mapping[str, Operation]:
    (operation,) = operation_of_case(name, summary, NO_BODY, {}, decides=False).values()
    answers = {200: CASE, 202: CASE}
    return {"POST": Operation(**{**vars(operation), "answers": answers, "takes_wait": True})}


class CheckAnswerAgain(_Repeat):
    again = staticmethod(delivery.check_response_again)
    operations = _repeating("check-answer-again", "Send the very same answer once more, to find out")


class SendAnswerAgain(_Repeat):
    again = staticmethod(delivery.send_response_again)
    operations = _repeating("send-answer-again", "Send an answer that was not taken as a new message")
