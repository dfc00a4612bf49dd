"""What webhooks there are, what they may tell, and what became of each delivery."""

from collections.abc import Collection, Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from bars_portal.api.events import Sight
from bars_portal.api.models import Application, DeliveryState, EventStream, Webhook, WebhookDelivery
from bars_portal.api.operations import Scope, known_scopes, permissions_for
from bars_portal.nhsuk.pages import address
from bars_portal.sealing import Sealer

sealer = Sealer("api.webhooks")


def webhooks_of(application: Application) -> QuerySet[Webhook]:
    """Oldest first, without those that were removed."""
    related = "application__organisation"
    return Webhook.objects.filter(application=application, removed_at=None).select_related(related)


def deliveries_of(
    webhook: Webhook, *, before: tuple[datetime, UUID] | None = None
) -> QuerySet[WebhookDelivery]:
    """Newest first, with their attempts; `before`: created_at and id of where to go on."""
    rows = WebhookDelivery.objects.filter(webhook=webhook).select_related("event")
    if before is not None:
        rows = rows.filter(Q(created_at__lt=before[0]) | Q(created_at=before[0], pk__lt=before[1]))
    return rows.prefetch_related("attempts").order_by("-created_at", "-id")


def delivery_of(application: Application, delivery_id: str) -> WebhookDelivery:
    """Of one of its webhooks. Raises DoesNotExist."""
    rows = WebhookDelivery.objects.filter(webhook__application=application).select_related("event")
    return rows.get(pk=delivery_id)


def sight_of(webhook: Webhook) -> Sight:
    """What the application may see now, narrowed by what the webhook asks for."""
    application = webhook.application
    return Sight(
        permissions=permissions_for(known_scopes(application.scopes), None),
        service_ids=_both(application.service_ids, webhook.service_ids),
        types=webhook.types or None,
    )


def _both(one: Collection[str], other: Collection[str]) -> Collection[str] | None:
    """What is in both, where nothing named means all; None: all."""
    if one and other:
        return set(one) & set(other)
    return one or other or None


def secrets_of(webhook: Webhook, *, now: datetime) -> list[str]:
    """The current one, and the one before for as long as it counts. Empty: SECRET_KEY is another one now."""
    sealed = [webhook.sealed_secret]
    if webhook.sealed_before is not None and webhook.before_until is not None and now < webhook.before_until:
        sealed.append(webhook.sealed_before)
    opened = [sealer.unseal(bytes(each)) for each in sealed]
    return [each.decode("ascii") for each in opened if each is not None]


def delivering(*, now: datetime) -> QuerySet[Webhook]:
    """Those that are on, of applications that are and may have webhooks."""
    return Webhook.objects.filter(_delivers(now))


def _delivers(now: datetime, webhook: str = "") -> Q:
    """`webhook` is the way to it: "webhook__" of a delivery."""
    application = f"{webhook}application__"
    not_over = Q(**{f"{application}expires_at": None}) | Q(**{f"{application}expires_at__gt": now})
    return not_over & Q(
        **{
            f"{webhook}off_at": None,
            f"{webhook}removed_at": None,
            f"{application}revoked_at": None,
            f"{application}scopes__contains": [Scope.WEBHOOKS_MANAGE.value],
        }
    )


def with_news(*, now: datetime) -> QuerySet[Webhook]:
    """Events were numbered of which no deliveries were made yet."""
    further = EventStream.objects.filter(
        organisation_id=OuterRef("application__organisation_id"), last__gt=OuterRef("dealt")
    )
    return delivering(now=now).filter(Exists(further))


def pending(*, now: datetime) -> QuerySet[WebhookDelivery]:
    """Due, whichever webhook it is for."""
    return WebhookDelivery.objects.filter(state=DeliveryState.PENDING, next_attempt_at__lte=now)


def with_due(*, now: datetime) -> QuerySet[Webhook]:
    """Something is to be sent there, and it does not rest."""
    awake = Q(resting_until=None) | Q(resting_until__lte=now)
    return delivering(now=now).filter(awake, Exists(pending(now=now).filter(webhook=OuterRef("pk"))))


def waiting(*, now: datetime) -> tuple[int, datetime | None]:
    """How many deliveries wait, and when the first attempt was due that has not been made.

    That is at webhooks that do not fail. All is counted in one look at what waits, which may be much.
    """
    awake = Q(webhook__resting_until=None) | Q(webhook__resting_until__lte=now)
    late = awake & Q(next_attempt_at__lte=now, webhook__failures=0)
    rows = WebhookDelivery.objects.filter(_delivers(now, "webhook__"), state=DeliveryState.PENDING)
    found = rows.aggregate(count=Count("pk"), late_since=Min("next_attempt_at", filter=late))
    return found["count"], found["late_since"]


def delivering_and_failing(*, now: datetime) -> tuple[int, int]:
    """How many deliver, and how many of these take nothing at the moment."""
    fails = Count("pk", filter=Q(failing_since__isnull=False))
    found = delivering(now=now).aggregate(on=Count("pk"), failing=fails)
    return found["on"], found["failing"]


def off_by_itself() -> QuerySet[Webhook]:
    """Nobody switched it off; its owner is to look."""
    rows = Webhook.objects.filter(removed_at=None, off_at__isnull=False, application__revoked_at=None)
    return rows.exclude(off_reason="owner")


def attention(acting: Acting, _now: datetime) -> Iterator[AttentionItem]:
    """At home, for whoever looks after the organisation's applications."""
    if acting.may("api.view_webhook"):
        count = off_by_itself().filter(application__organisation=acting.organisation).count()
        url = f"{address('admin:api_webhook_changelist')}?off=itself"
        yield AttentionItem("webhooks switched off because nothing arrived", count, url, True)
