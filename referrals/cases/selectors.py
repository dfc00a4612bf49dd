"""Cases and what belongs to them: only what the person, or the caller, may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.bundle import KEY_LENGTH, key_of
from bars_portal.exchange.fhir.json import as_list, as_text, id_in
from bars_portal.exchange.message_bytes import decode
from bars_portal.exchange.models import InboundMessage
from bars_portal.patients.models import Journey
from bookings.models import Booking, BookingStatusChange
from bookings.states import BookingStatus
from referrals.cases.models import (
    MODELS,
    Case,
    CaseAnswer,
    CaseNote,
    CaseReply,
    CaseStatusChange,
    CaseVersion,
    Referral,
    UnmatchedReply,
    ValidationCase,
    owned_by,
)
from referrals.cases.policies import VIEW
from referrals.cases.states import CaseStatus, Category, ResponseState

RESPONSE_WITH = tuple(
    f"{owner}__{each}" for owner in ("referral", "validation") for each in ("service__provider", "journey")
)


def responses_of(case: Case) -> QuerySet[CaseAnswer]:
    """Oldest first."""
    return CaseAnswer.objects.filter(**owned_by(case)).select_related("author").order_by("created_at", "id")


def notes_of(case: Case) -> QuerySet[CaseNote]:
    return CaseNote.objects.filter(**owned_by(case)).order_by("at", "id")


def response_with_case(answer_id: UUID) -> CaseAnswer:
    """Raises CaseAnswer.DoesNotExist."""
    return CaseAnswer.objects.select_related(*RESPONSE_WITH, "author").get(pk=answer_id)


def later_responses(answer: CaseAnswer) -> QuerySet[CaseAnswer]:
    """Answers to the same case that were given after this one."""
    return CaseAnswer.objects.filter(_same_case(answer), created_at__gt=answer.created_at)


def was_sent_before(case: Case) -> bool:
    """Whether the requester may hold an answer of ours: the next one is an update."""
    held = [ResponseState.SENDING, ResponseState.DELIVERED, ResponseState.UNKNOWN]
    return CaseAnswer.objects.filter(**owned_by(case), state__in=held).exists()


def request_bundle_id(case: Case) -> str:
    """Bundle.id of the latest message of the request that we hold, as columns keep it."""
    versions = CaseVersion.objects.filter(**owned_by(case), message__isnull=False).exclude(bundle_id="")
    return versions.order_by("-number").values_list("bundle_id", flat=True).first() or ""


def bundle_id_as_sent(case: Case, key: str) -> str:
    """What a response repeats (standard section 12, "Ids"): of a long one only a digest is at hand."""
    if len(key) < KEY_LENGTH:
        return key
    named = CaseVersion.objects.filter(**owned_by(case), bundle_id=key, message__isnull=False)
    version = named.select_related("message").first()
    sent = as_text(decode(version.message.body).get("id")) if version and version.message else ""
    return sent if key_of(sent) == key else key


def _same_case(answer: CaseAnswer) -> Q:
    if answer.referral_id is not None:
        return Q(referral=answer.referral_id)
    return Q(validation=answer.validation_id)


BELONGING = ("service", "organisation", "patient", "journey")
# What came with a request may be in the reply to its message only (referrals.cases.wire).
REPLY_ONLY = ("message__body", "message__headers", "message__warnings")
AnyCase = TypeVar("AnyCase", Referral, ValidationCase)
_SHOWN_WITH = ("service__provider", "organisation", "patient", "journey", "assigned_to", "message")


def case_for(acting: Acting, case_id: UUID, direction: Direction) -> Case | None:
    """A referral or validation of the acting organisation."""
    if not acting.may(VIEW[direction]):
        return None
    known = {"pk": case_id, "direction": direction, "organisation": acting.organisation}
    return of_either_kind(known, with_=_SHOWN_WITH)


def of_either_kind(known: Mapping[str, Any], *, with_: Sequence[str] = ("service",)) -> Case | None:
    """The referral or the validation request of which this is known, with what belongs to it.

    What is known is true of one, so that no order is asked for: to write one costs as much as the rest.
    """
    for category in Category:
        rows: QuerySet[Any] = MODELS[category].objects.filter(**known).select_related(*with_).order_by()
        found: Case | None = next(iter(rows), None)
        if found is not None:
            return found
    return None


def response_for(acting: Acting, answer_id: UUID) -> CaseAnswer | None:
    """An answer to a received case of the acting organisation."""
    found = CaseAnswer.objects.filter(pk=answer_id).first()
    if found is None or not acting.may(VIEW[Direction.RECEIVED]):
        return None
    answer = response_with_case(found.pk)
    return answer if answer.case.organisation_id == acting.organisation.pk else None


def version_for(case: Case, number: int) -> CaseVersion | None:
    rows = CaseVersion.objects.filter(**owned_by(case), number=number)
    return rows.select_related("message").first()


def unmatched_reply_for(acting: Acting, reply_id: UUID) -> UnmatchedReply | None:
    if not acting.may(VIEW[Direction.SENT]):
        return None
    rows = UnmatchedReply.objects.filter(pk=reply_id, organisation=acting.organisation)
    return rows.select_related("patient", "service", "journey", "message", "handled_by").first()


def journey_for(acting: Acting, journey_id: UUID) -> Journey | None:
    return Journey.objects.filter(pk=journey_id, organisation=acting.organisation).first()


_ENDED = ("revoked", "entered-in-error")


def changes_of(case: Case) -> QuerySet[CaseStatusChange]:
    return CaseStatusChange.objects.filter(**owned_by(case)).order_by("at", "id")


def steps_of(case: Case) -> int:
    """How much has happened to the case: every decision, update and answer from outside is a step."""
    return changes_of(case).count()


def steps_known(case_id: UUID) -> int:
    """The same by the id alone: counted before the case is read, it is never more than what is read."""
    return CaseStatusChange.objects.filter(Q(referral=case_id) | Q(validation=case_id)).count()


def versions_of(case: Case) -> QuerySet[CaseVersion]:
    return CaseVersion.objects.filter(**owned_by(case)).order_by("number")


def changed_here_since(case: Case, version: int | None) -> bool:
    """Whether we made a version of the request ourselves after that one; by our numbers, not by a clock.

    Who names no version of ours knows the last one that a message made.
    """
    if version is None:
        told = versions_of(case).filter(message__isnull=False)
        version = told.order_by("-number").values_list("number", flat=True).first() or 0
    if version >= case.version:
        return False
    return versions_of(case).filter(number__gt=version, message__isnull=True).exists()


def telling_message(case: Case) -> InboundMessage | None:
    """The newest message that tells the whole case; one that only takes it back leaves most of it out."""
    versions = [each for each in versions_of(case).select_related("message") if each.message is not None]
    telling = [each for each in versions if str(each.resource.get("status", "")) not in _ENDED]
    newest = next(reversed(telling or versions), None)
    return newest.message if newest else None


def replies_of(case: Case) -> QuerySet[CaseReply]:
    return CaseReply.objects.filter(**owned_by(case)).order_by("received_at", "id")


def reply_for(case: Case, reply_id: int) -> CaseReply | None:
    return replies_of(case).filter(pk=reply_id).select_related("message").first()


def locked(model: type[Referral] | type[ValidationCase], case_id: UUID) -> Case:
    """The case with what belongs to it, its row locked until the end of the transaction.

    The lock is taken without joins: PostgreSQL drops a row from a join when what it joins was changed by
    whoever held the lock before.
    """
    rows: QuerySet[Any] = model.objects.all()
    rows.select_for_update().only("pk").get(pk=case_id)
    case: Case = rows.select_related(*BELONGING, "message").defer(*REPLY_ONLY).get(pk=case_id)
    return case


def received_case(case_id: UUID) -> Case | None:
    """A received case by our id, whatever became of it."""
    return of_either_kind({"pk": case_id, "direction": Direction.RECEIVED}, with_=BELONGING)


def received_rows(model: type[AnyCase]) -> QuerySet[AnyCase]:
    return model.objects.filter(direction=Direction.RECEIVED).select_related(*BELONGING)


def locked_case(category: Category, case_id: UUID) -> Case:
    """The case, its row locked until the end of the caller's transaction."""
    return locked(MODELS[category], case_id)


# Applications whose appointments are accompanied by a referral.
_ACCOMPANIED = ("a1", "a2")
_GONE = (CaseStatus.REFUSED, CaseStatus.REVOKED, CaseStatus.ENTERED_IN_ERROR, CaseStatus.REJECTED)


@dataclass(frozen=True)
class SentTogether:
    """Bookings and referrals that we sent in one journey, but for what was never taken or is over.

    `rests_on`: ids of ServiceRequests that a booking has ever been based on; a cancelled one says it no more.
    """

    bookings: list[Booking]
    referrals: list[Referral]
    rests_on: Mapping[UUID, frozenset[str]]

    def owes_referral(self, booking: Booking) -> bool:
        accompanied = booking.use_case.startswith(_ACCOMPANIED) and booking.service.takes_referrals
        return accompanied and self.referral_for(booking, booking.service_id) is None

    def referral_for(self, booking: Booking | None, service_id: UUID) -> Referral | None:
        """The newest at the service that goes with `booking`, None: with one that is still to be made.

        A referral stays with the appointment that it was linked with: when that one is rebooked it carries
        no other (guide, Application 1). One that is linked with none goes with whatever is booked.
        """
        for referral in self.referrals:
            linked = {each.pk for each in self.bookings if self._are_linked(referral, each)}
            fits = not linked or (booking is not None and booking.pk in linked)
            if fits and referral.service_id == service_id:
                return referral
        return None

    def left_behind(self, booking: Booking) -> Referral | None:
        """The newest at the same service that stands with another appointment than this one."""
        own = self.linked_with(booking)
        at_service = (each for each in self.referrals if each.service_id == booking.service_id)
        return None if own else next((each for each in at_service if each.is_current), None)

    def linked_with(self, booking: Booking) -> Referral | None:
        """The newest that names `booking`, or that it rests on."""
        return next((each for each in self.referrals if self._are_linked(each, booking)), None)

    def _are_linked(self, referral: Referral, booking: Booking) -> bool:
        named = booking.remote_id in {str(each) for each in referral.booking_ids}
        return named or referral.remote_id in self.rests_on.get(booking.pk, frozenset())


def sent_in(journey: Journey) -> SentTogether:
    ours = {"journey": journey, "direction": Direction.SENT}
    bookings = Booking.objects.filter(**ours).exclude(status=BookingStatus.REFUSED)
    referrals = Referral.objects.filter(**ours).exclude(status__in=_GONE).order_by("-created_at")
    found = list(bookings.select_related("service", "organisation", "journey"))
    rests: dict[UUID, set[str]] = {}
    steps = BookingStatusChange.objects.filter(booking__in=[each.pk for each in found])
    for booking_id, based in steps.filter(resource__has_key="basedOn").values_list(
        "booking_id", "resource__basedOn"
    ):
        named = (id_in(each, "ServiceRequest") for each in as_list(based))
        rests.setdefault(booking_id, set()).update(filter(None, named))
    columns = ("pk", "status", "service_id", "remote_id", "booking_ids", "created_at")
    together = {key: frozenset(ids) for key, ids in rests.items()}
    return SentTogether(found, list(referrals.only(*columns)), together)
