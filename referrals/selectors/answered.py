"""The case of ours that a reply answers: by the Bundle.id of the request, or of an earlier reply."""

from uuid import UUID

from django.db.models import Case as Ranked
from django.db.models import Value, When

from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.models import OutboundMessage
from referrals.models import MODELS, Case, CaseReply, CaseVersion
from referrals.selectors.received import locked
from referrals.states import Category, Direction


def lock_answered_case(*, category: Category, bundle_id: str, correlation_id: UUID) -> Case | None:
    """The sent case, its row locked; None when nothing that we sent, nor an answer to it, has this Bundle.id.

    The correlation id only helps to choose: many conversations may share one, and a reply needs an anchor.
    """
    rows = MODELS[category].objects.filter(direction=Direction.SENT)
    same = Ranked(When(correlation_id=correlation_id, then=Value(0)), default=Value(1))
    for ids in _candidates(category, bundle_id, correlation_id):
        found = rows.filter(pk__in=ids).order_by(same, "-created_at").values_list("pk", flat=True).first()
        if found is not None:
            return locked(MODELS[category], found)
    return None


def _candidates(category: Category, bundle_id: str, correlation_id: UUID) -> list[list[UUID]]:
    owner = "referral_id" if category is Category.REFERRAL else "validation_id"
    named = {"bundle_id": bundle_id, f"{owner}__isnull": False}
    ours = CaseVersion.objects.filter(**named).values_list(owner, flat=True)
    theirs = CaseReply.objects.filter(**named).values_list(owner, flat=True)
    return [list(ours), list(theirs), _sent(category, bundle_id, correlation_id)]


def _sent(category: Category, bundle_id: str, correlation_id: UUID) -> list[UUID]:
    """Messages of the outbox, such as our updates; within the conversation, which is indexed."""
    if not is_uuid(bundle_id):
        return []
    label = MODELS[category]._meta.label_lower
    found = OutboundMessage.objects.filter(
        correlation_id=correlation_id, bundle_id=bundle_id, subject_type=label
    )
    return [UUID(each) for each in found.values_list("subject_id", flat=True)]
