"""Requests that a person began and did not send, for the home page."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import NoReverseMatch, reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from referrals.permissions import SEND
from referrals.selectors import request_drafts_of


def unsent_drafts(acting: Acting, _now: datetime) -> Iterator[AttentionItem]:
    """Nothing where the pages are not served, and for people who send nothing."""
    if not acting.may(SEND):
        return
    try:
        listed = reverse("referrals:drafts")
    except NoReverseMatch:
        return
    yield AttentionItem("requests that you have not sent yet", request_drafts_of(acting).count(), listed)
