"""What happened to a case, oldest first."""

from django.db.models import QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.exchange.models import InboundMessage
from referrals.models import Case, CaseReply, CaseStatusChange, CaseVersion, UnmatchedReply, owned_by
from referrals.permissions import VIEW
from referrals.states import Direction

_ENDED = ("revoked", "entered-in-error")


def changes_of(case: Case) -> QuerySet[CaseStatusChange]:
    return CaseStatusChange.objects.filter(**owned_by(case)).order_by("at", "id")


def steps_of(case: Case) -> int:
    """How much has happened to the case: every decision, update and answer from outside is a step."""
    return changes_of(case).count()


def versions_of(case: Case) -> QuerySet[CaseVersion]:
    return CaseVersion.objects.filter(**owned_by(case)).order_by("number")


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


def open_unmatched_replies(acting: Acting) -> QuerySet[UnmatchedReply]:
    """Replies that nobody has dealt with yet, of the acting organisation; none for who may not see them."""
    if not acting.may(VIEW[Direction.SENT]):
        return UnmatchedReply.objects.none()
    waiting = UnmatchedReply.objects.filter(organisation=acting.organisation, handled_at__isnull=True)
    return waiting.select_related("patient", "service").order_by("-received_at")
