"""The only writers of webhooks, for their owners; each change is on the trail. Secrets are told once.

The owner of one that switched itself off is told by mail.
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction

from bars_portal.accounts import mail
from bars_portal.accounts.permissions import need
from bars_portal.api.events import CursorGone, Sight, all_types, stream_of
from bars_portal.api.models import (
    Application,
    DeliveryState,
    Event,
    OffReason,
    Webhook,
    WebhookDelivery,
)
from bars_portal.api.webhooks.posting import BadTarget, check_target, new_secret
from bars_portal.api.webhooks.selectors import off_by_itself, sealer, sight_of
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record

MOST_OF_ONE = 20
_SERVICE_ID = re.compile(r"[0-9]{1,20}")
# Both secrets sign for so long after a rotation, unless the owner says otherwise.
BOTH_COUNT_FOR = timedelta(hours=24)
LONGEST_BOTH = timedelta(days=7)
MOST_REPLAYED = 10_000
_MOST_TESTS_WAITING = 5
_MOST_MAILS = 50
_TEXT = (
    "A webhook of the application “{name}” is switched off: {reason}.\n\n"
    "Address: {url}\n\n"
    "Nothing is lost: what happens meanwhile is kept, and is sent when it is switched on again, in the API "
    "or in the administration of the BaRS portal.\n"
)


class BadWebhook(ValueError):
    """What cannot be as it was asked for: a sentence for each field."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@transaction.atomic
def create_webhook(
    *,
    application: Application,
    url: str,
    types: Collection[str] = (),
    service_ids: Collection[str] = (),
    actor: Actor,
    now: datetime,
) -> tuple[Webhook, str]:
    """On from now, with its secret. Raises BadWebhook, and PolicyRefused when there are too many."""
    check_webhook(application, {"url": url, "types": types, "service_ids": service_ids})
    # Who else makes one waits here, and counts this one.
    held = Application.objects.select_for_update().get(pk=application.pk)
    there = held.webhooks.filter(removed_at=None).count()
    need(there < MOST_OF_ONE, f"An application has at most {MOST_OF_ONE} webhooks. Remove one first.")
    secret = new_secret()
    webhook = Webhook.objects.create(
        application=application,
        url=url,
        types=sorted(set(types)),
        service_ids=sorted(set(service_ids)),
        created_at=now,
        dealt=stream_of(application.organisation).last,
        sealed_secret=sealer.seal(secret.encode("ascii")),
    )
    _record("create_webhook", webhook, actor, now)
    return webhook, secret


@transaction.atomic
def change_webhook(*, webhook: Webhook, changes: Mapping[str, Any], actor: Actor, now: datetime) -> Webhook:
    """Of `url`, `types` and `service_ids` those that are given. Raises BadWebhook.

    What waits goes to the new address; another filter counts for what happens from now on.
    """
    check_webhook(webhook.application, changes)
    values = {name: value if name == "url" else sorted(set(value)) for name, value in changes.items()}
    # Another address has not failed yet.
    fresh = {"failures": 0, "failing_since": None, "resting_until": None} if "url" in changes else {}
    for name, value in (values | fresh).items():
        setattr(webhook, name, value)
    webhook.save(update_fields=[*values, *fresh])
    _record("change_webhook", webhook, actor, now, fields=", ".join(sorted(changes)))
    return webhook


@transaction.atomic
def rotate_secret(
    *, webhook: Webhook, both_for: timedelta = BOTH_COUNT_FOR, actor: Actor, now: datetime
) -> str:
    """A new secret; the one before signs beside it for `both_for`. Raises BadWebhook."""
    if not timedelta() <= both_for <= LONGEST_BOTH:
        raise BadWebhook(
            {"both_for": f"The old secret may count for at most {LONGEST_BOTH.days} days longer"}
        )
    held = _locked(webhook)
    secret = new_secret()
    held.sealed_before, held.before_until = held.sealed_secret, now + both_for
    held.sealed_secret = sealer.seal(secret.encode("ascii"))
    held.save(update_fields=["sealed_secret", "sealed_before", "before_until"])
    _record("rotate_webhook_secret", held, actor, now)
    return secret


@transaction.atomic
def switch_off(*, webhook: Webhook, reason: OffReason, actor: Actor, now: datetime) -> bool:
    """What waits stays. False when it was off already."""
    still = Webhook.objects.filter(pk=webhook.pk, off_at=None, removed_at=None)
    if not still.update(off_at=now, off_reason=reason, told_at=None):
        return False
    _record("switch_off_webhook", webhook, actor, now, reason=reason.value)
    return True


@transaction.atomic
def switch_on(*, webhook: Webhook, actor: Actor, now: datetime) -> bool:
    """With all that waits and all that happened meanwhile. False when it was on already."""
    off = Webhook.objects.filter(pk=webhook.pk, off_at__isnull=False, removed_at=None)
    fresh = {"failures": 0, "failing_since": None, "resting_until": None, "told_at": None}
    if not off.update(off_at=None, off_reason="", **fresh):
        return False
    waiting = WebhookDelivery.objects.filter(webhook=webhook, state=DeliveryState.PENDING)
    waiting.update(next_attempt_at=now, tries=0)
    _record("switch_on_webhook", webhook, actor, now)
    return True


@transaction.atomic
def remove_webhook(*, webhook: Webhook, actor: Actor, now: datetime) -> None:
    """For good, and at once; its secrets go with it, its log stays for its time."""
    still = Webhook.objects.filter(pk=webhook.pk, removed_at=None)
    if still.update(removed_at=now, sealed_secret=b"", sealed_before=None, before_until=None):
        waiting = WebhookDelivery.objects.filter(webhook=webhook, state=DeliveryState.PENDING)
        waiting.update(state=DeliveryState.FAILED, next_attempt_at=None, settled_at=now)
        _record("remove_webhook", webhook, actor, now)


@transaction.atomic
def send_test(*, webhook: Webhook, actor: Actor, now: datetime) -> WebhookDelivery:
    """A delivery of the type webhook.test. Raises PolicyRefused when it is off, or some wait already."""
    need(_locked(webhook).is_on, "This webhook is off. Switch it on first.")
    waiting = WebhookDelivery.objects.filter(webhook=webhook, event=None, state=DeliveryState.PENDING)
    need(waiting.count() < _MOST_TESTS_WAITING, "Tests are waiting to be sent already.")
    delivery = WebhookDelivery.objects.create(webhook=webhook, created_at=now, next_attempt_at=now)
    _record("test_webhook", webhook, actor, now)
    return delivery


@transaction.atomic
def replay(*, webhook: Webhook, after: int, until: int, actor: Actor, now: datetime) -> int:
    """Send once more what happened after one cursor, up to and with another; how many deliveries that are.

    Of what the webhook would get today; under the ids that the events always had. Raises BadWebhook,
    CursorGone, and PolicyRefused when it is off.
    """
    held = _locked(webhook)
    need(held.is_on, "This webhook is off. Switch it on first.")
    stream = stream_of(webhook.application.organisation)
    if after < stream.forgotten:
        raise CursorGone
    # What is further on is delivered by itself.
    until = min(until, held.dealt)
    if until - after > MOST_REPLAYED:
        raise BadWebhook({"until": f"At most {MOST_REPLAYED} events are sent once more at a time"})
    count = make_deliveries(
        webhook=webhook, after=after, until=until, sight=sight_of(webhook), now=now, again=True
    )
    _record("replay_webhook", webhook, actor, now, after=after, until=until, count=count)
    return count


def make_deliveries(
    *, webhook: Webhook, after: int, until: int, sight: Sight, now: datetime, again: bool = False
) -> int:
    """One for each event in between, each once; with `again` those that are settled wait anew."""
    within = Event.objects.filter(
        organisation_id=webhook.application.organisation_id, position__gt=after, position__lte=until
    )
    events = list(within.filter(**sight.lookup()).order_by("position").values_list("pk", flat=True))
    if again:
        settled = WebhookDelivery.objects.filter(
            webhook=webhook, event_id__in=events, settled_at__isnull=False
        )
        settled.update(state=DeliveryState.PENDING, tries=0, next_attempt_at=now, settled_at=None)
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(id=uuid4(), webhook=webhook, event_id=each, created_at=now, next_attempt_at=now)
            for each in events
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )
    return len(events)


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


def check_webhook(application: Application, given: Mapping[str, Any]) -> None:
    """What is given of `url`, `types` and `service_ids`. Raises BadWebhook with every fault."""
    faults = {}
    if "url" in given:
        try:
            check_target(given["url"], loopback=settings.API_WEBHOOKS_TO_LOOPBACK)
        except BadTarget as bad:
            faults["url"] = bad.sentence
    unknown = sorted(set(given.get("types", ())) - set(all_types()))
    if unknown:
        faults["types"] = f"There is no event type {unknown[0][:50]}"
    service_ids = given.get("service_ids", ())
    beyond = [each for each in service_ids if not application.may_act_for(each)]
    if not all(_SERVICE_ID.fullmatch(each) for each in service_ids):
        faults["service_ids"] = "DoS service ids are up to 20 digits each"
    elif beyond:
        faults["service_ids"] = f"This application may not act for service {beyond[0][:20]}"
    if faults:
        raise BadWebhook(faults)


def _locked(webhook: Webhook) -> Webhook:
    """As it stands now, and stays until the transaction ends."""
    return Webhook.objects.select_for_update(of=("self",)).get(pk=webhook.pk)


def _record(verb: str, webhook: Webhook, actor: Actor, now: datetime, **detail: str | int | None) -> None:
    record(
        actor=actor,
        action=f"api.{verb}",
        subject=webhook,
        detail={"application_id": str(webhook.application_id), **detail},
        now=now,
    )
