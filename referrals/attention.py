"""What waits for a person, for the home page."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from bars_portal.exchange.fhir.codes import FlagCategory
from referrals.selectors import breached_validations, given_up_count, unclear_sent_count, worklist_counts
from referrals.states import Direction


def attention(acting: Acting, now: datetime) -> Iterator[AttentionItem]:
    """What is late or unclear first: somebody may be waiting for an ambulance."""
    counts = worklist_counts(acting, now=now)
    listed, sent = reverse("referrals:worklist"), reverse("referrals:sent")
    received = breached_validations(acting, Direction.RECEIVED, now=now).count()
    asked = breached_validations(acting, Direction.SENT, now=now).count()
    yield AttentionItem("received validations past their time", received, listed, urgent=True)
    yield AttentionItem("sent validations past their time", asked, sent, urgent=True)
    yield AttentionItem("answers that may not have arrived", counts.answers_troubled, listed, urgent=True)
    yield AttentionItem("replies that fit no request of ours", counts.unmatched, sent, urgent=True)
    yield AttentionItem("requests not known to have arrived", unclear_sent_count(acting), sent, urgent=True)
    given_up = given_up_count(acting)
    yield AttentionItem(
        "messages that we stopped sending", given_up, reverse("referrals:given-up"), urgent=True
    )
    warned = f"{listed}?flag={FlagCategory.SAFEGUARDING.value}"
    yield AttentionItem("open cases with a safeguarding concern", counts.safeguarding, warned)
    yield AttentionItem("open cases that nobody has taken", counts.unassigned, f"{listed}?held=nobody")
