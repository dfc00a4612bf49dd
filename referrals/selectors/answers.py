"""Our answers to received cases, and the notes beside them."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from bars_portal.accounts.acting import Acting
from referrals.answer_states import TROUBLED, AnswerState
from referrals.models import Case, CaseAnswer, CaseNote, CaseVersion, owned_by
from referrals.permissions import VIEW
from referrals.states import Direction, ReplyKind

_RELATED = tuple(
    f"{owner}__{each}" for owner in ("referral", "validation") for each in ("service__provider", "journey")
)


def answers_of(case: Case) -> QuerySet[CaseAnswer]:
    """Oldest first."""
    return CaseAnswer.objects.filter(**owned_by(case)).select_related("author").order_by("created_at", "id")


def latest_answer(case: Case, kind: ReplyKind) -> CaseAnswer | None:
    """The one of this kind that counts."""
    return answers_of(case).filter(kind=kind).last()


def notes_of(case: Case) -> QuerySet[CaseNote]:
    return CaseNote.objects.filter(**owned_by(case)).order_by("at", "id")


def answer_with_case(answer_id: UUID) -> CaseAnswer:
    """Raises CaseAnswer.DoesNotExist."""
    return CaseAnswer.objects.select_related(*_RELATED, "author").get(pk=answer_id)


def later_answers(answer: CaseAnswer) -> QuerySet[CaseAnswer]:
    """Answers to the same case that were given after this one."""
    return CaseAnswer.objects.filter(_same_case(answer), created_at__gt=answer.created_at)


def was_sent_before(case: Case) -> bool:
    """Whether the requester may hold an answer of ours: the next one is an update."""
    held = [AnswerState.SENDING, AnswerState.DELIVERED, AnswerState.UNKNOWN]
    return CaseAnswer.objects.filter(**owned_by(case), state__in=held).exists()


def request_bundle_id(case: Case) -> str:
    """Bundle.id of the latest message of the request that we hold."""
    versions = CaseVersion.objects.filter(**owned_by(case), message__isnull=False).exclude(bundle_id="")
    return versions.order_by("-number").values_list("bundle_id", flat=True).first() or ""


def troubled_answers(acting: Acting) -> QuerySet[CaseAnswer]:
    """Answers that the requester may not have, of the acting organisation, unless a later one was taken."""
    if not acting.may(VIEW[Direction.RECEIVED]):
        return CaseAnswer.objects.none()
    ours = Q(referral__organisation=acting.organisation) | Q(validation__organisation=acting.organisation)
    same = Q(referral=OuterRef("referral_id")) | Q(validation=OuterRef("validation_id"))
    later = CaseAnswer.objects.filter(
        same, created_at__gt=OuterRef("created_at"), state=AnswerState.DELIVERED
    )
    rows = CaseAnswer.objects.filter(ours, ~Exists(later), state__in=TROUBLED)
    return rows.select_related(*_RELATED).order_by("created_at")


def _same_case(answer: CaseAnswer) -> Q:
    if answer.referral_id is not None:
        return Q(referral=answer.referral_id)
    return Q(validation=answer.validation_id)
