"""A webhook that switched itself off: its owner is told by mail, and at home who looks after such things."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from bars_portal.accounts import mail
from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from bars_portal.api.models import Webhook
from bars_portal.api.webhooks.selectors import off_by_itself
from bars_portal.nhsuk.pages import address

VIEW = "api.view_webhook"
_MOST_MAILS = 50
_TEXT = (
    "A webhook of the application “{name}” is switched off: {reason}.\n\n"
    "Address: {url}\n\n"
    "Nothing is lost: what happens meanwhile is kept, and is sent when it is switched on again, in the API "
    "or in the administration of the BaRS portal.\n"
)


def tell_owners(*, now: datetime) -> int:
    """Claimed first, so that two workers tell it once; what no server took is tried again."""
    if not settings.EMAIL_HOST:
        return 0
    told = 0
    waiting = off_by_itself().filter(told_at=None).exclude(application__owner__email="")
    for webhook in waiting.select_related("application__owner")[:_MOST_MAILS]:
        held = Webhook.objects.filter(pk=webhook.pk, told_at=None, off_at=webhook.off_at)
        if not held.update(told_at=now):
            continue
        text = _TEXT.format(
            name=webhook.application.name, reason=webhook.get_off_reason_display(), url=webhook.url
        )
        if mail.send(to=[webhook.application.owner.email], subject="A webhook is switched off", text=text):
            told += 1
        else:
            Webhook.objects.filter(pk=webhook.pk, off_at=webhook.off_at).update(told_at=None)
    return told


def attention(acting: Acting, _now: datetime) -> Iterator[AttentionItem]:
    """For whoever looks after the organisation's applications."""
    if acting.may(VIEW):
        count = off_by_itself().filter(application__organisation=acting.organisation).count()
        url = address("admin:api_webhook_changelist")
        yield AttentionItem("webhooks switched off because nothing arrived", count, url, True)
