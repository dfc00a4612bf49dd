"""What is done with a received case: decided by the forms and policies of its page, once, as it was read."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.accounts.acting import memberships_of, user_called
from bars_portal.accounts.models import User
from bars_portal.api.callers import ACTING_USER
from bars_portal.api.forms import filled, object_in, schema_of
from bars_portal.api.headers import applied, matches, turn_to_wait
from bars_portal.api.idempotency import Attempt
from bars_portal.api.operations import Component, Json, Operation, component, object_of, optional, text
from bars_portal.api.problems import FieldFault, Problem, invalid
from bars_portal.api.scopes import Scope
from bars_portal.nhsuk.forms import NHSForm
from bookings.api.base import refusals, unknown_fields
from bookings.api.representation import NO_BODY
from referrals.api.cases import TAG, CaseView
from referrals.api.cases_content import (
    address_of,
    holder_mark,
    is_open_answer,
    shown_case,
)
from referrals.api.cases_schema import CASE
from referrals.cases import viewing
from referrals.cases.models import Case, CaseAnswer
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
Act = Callable[[], object]


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


class CaseChange(CaseView):
    """A POST that changes one case, for a stated person."""

    permission = WORK

    def write(self, request: Request, attempt: Attempt, **kwargs: Any) -> Response:
        self._need_person()
        case = self.case_of(kwargs["case_id"])
        self.check_seen(request, case)
        act = self.prepared(request, case, object_in(request.data), timezone.now())
        try:
            with refusals(), attempt.writing() as written:
                act()
                written.subject_id = str(case.pk)
        except decisions.ChangedMeanwhile:
            raise Problem("precondition-failed") from None
        return self.written(request, str(case.pk))

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

    def prepared(self, request: Request, case: Case, body: Mapping[str, Any], now: datetime) -> Act:
        """What to do once; everything that was sent is judged by then. Raises Problem."""
        raise NotImplementedError

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


def nothing_in(body: Mapping[str, Any]) -> None:
    """Raises Problem."""
    faults = list(unknown_fields(body, NO_BODY.schema))
    if faults:
        raise invalid(faults)


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

    def prepared(self, request: Request, case: Case, body: Mapping[str, Any], now: datetime) -> Act:
        faults = list(unknown_fields(body, ASSIGNMENT.schema))
        to = self._colleague(body, faults)
        if faults:
            raise invalid(faults)
        acting, seen = self.acting, case.assigned_to
        if to is None:
            return lambda: sharing.unassign_case(case=case, seen=acting.user, acting=acting, now=now)
        return lambda: sharing.assign_case(case=case, to=to, seen=seen, acting=acting, now=now)

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

    def prepared(self, request: Request, case: Case, body: Mapping[str, Any], now: datetime) -> Act:
        words = _read(NoteForm, body)["text"]
        return lambda: sharing.add_note(case=case, text=words, acting=self.acting, now=now)


class RecordAttempt(CaseChange):
    operations = operation_of_case(
        "record-contact-attempt",
        "Write down a call to the patient of a pharmacy",
        ATTEMPT,
        {"reached": "no", "text": "No answer."},
        decides=False,
    )

    def prepared(self, request: Request, case: Case, body: Mapping[str, Any], now: datetime) -> Act:
        told, seen = _read(AttemptForm, body), len(attempts_of(case))
        return lambda: contacting.record_attempt(
            case=case,
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

    def prepared(self, request: Request, case: Case, body: Mapping[str, Any], now: datetime) -> Act:
        own = plotting.OwnPlace(**_read(OwnPlaceForm, body))
        return lambda: plotting.record_place(case=case, own=own, acting=self.acting, now=now)


class _Repeat(ToldChange):
    """Of the newest answer, when the requester may not have it."""

    again: ClassVar[Callable[..., CaseAnswer]]

    def prepared(self, request: Request, case: Case, body: Mapping[str, Any], now: datetime) -> Act:
        nothing_in(body)
        answer, again = responses_of(case).last(), type(self).again
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


def _read(form: type[NHSForm], body: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Problem."""
    bound, faults = filled(form, body)
    if faults:
        raise invalid(faults)
    told: dict[str, Any] = bound.cleaned_data
    return told
