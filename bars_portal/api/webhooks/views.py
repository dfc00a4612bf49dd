"""Webhooks of the calling application: made, read, changed, tested, replayed; what became of deliveries."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.api import paging
from bars_portal.api.events import CursorGone
from bars_portal.api.forms import object_in, unknown_fields, unknown_parameters
from bars_portal.api.headers import check_match, conditional, etag_of
from bars_portal.api.models import OffReason, Webhook
from bars_portal.api.operations import Component, Operation, Scope
from bars_portal.api.own import cursor_in
from bars_portal.api.problems import FieldFault, Problem, Refused, invalid
from bars_portal.api.views import Act, ApiView
from bars_portal.api.webhooks import services
from bars_portal.api.webhooks.representation import (
    DELIVERY,
    DELIVERY_PAGE,
    NEW_WEBHOOK,
    REPLAY,
    REPLAYED,
    ROTATION,
    WEBHOOK,
    WEBHOOK_CHANGES,
    WEBHOOK_LIST,
    WEBHOOK_NO_BODY,
    WEBHOOK_WITH_SECRET,
    address_of,
    delivery_json,
    webhook_json,
)
from bars_portal.api.webhooks.selectors import deliveries_of, delivery_of, secrets_of, webhooks_of

_TAG, _SCOPE = "Webhooks", Scope.WEBHOOKS_MANAGE
# What a fault of the services is about, in the body.
_POINTERS = {"service_ids": "/services", "both_for": "/both_for_hours"}


class WebhookView(ApiView):
    """What is another application's is not there."""

    def webhook_of(self, webhook_id: str) -> Webhook:
        """Raises Problem."""
        found = webhooks_of(self.caller.application).filter(pk=UUID(webhook_id)).first()
        if found is None:
            raise Problem("not-found")
        return found

    @contextmanager
    def refusing(self) -> Iterator[None]:
        try:
            yield
        except services.BadWebhook as bad:
            told = ((_POINTERS.get(name, f"/{name}"), words) for name, words in bad.faults.items())
            raise invalid(FieldFault(words, pointer=pointer) for pointer, words in told) from None
        except CursorGone:
            raise Problem("cursor-gone") from None
        except PolicyRefused as refusal:
            raise Refused(refusal) from None

    def shown(self, request: Request, webhook_id: str, *, made: int = 200, secret: bool = False) -> Response:
        """As it stands now. A removed one too, to who has just removed it."""
        rows = Webhook.objects.filter(application=self.caller.application)
        webhook, now = rows.select_related("application__organisation").get(pk=webhook_id), timezone.now()
        body = webhook_json(webhook, now=now)
        headers = {"Location": address_of(request, webhook), "ETag": etag_of(body)}
        if secret:
            # Gone with the webhook, or with another SECRET_KEY.
            body["secret"] = next(iter(secrets_of(webhook, now=now)), "")
        return Response(body, status=made, headers=headers)


class WebhookList(WebhookView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation("list-webhooks", "Your webhooks", _SCOPE, {200: WEBHOOK_LIST}, tag=_TAG),
        "POST": Operation(
            "create-webhook",
            "Have events posted to an address",
            _SCOPE,
            {201: WEBHOOK_WITH_SECRET},
            description="Events from now on: each is a POST to you with the body of one Event, as "
            "GET /api/v1/events lists them, signed by Standard Webhooks with the secret in the answer. "
            "webhook-signature holds v1, and the base64 of HMAC-SHA256 over "
            "webhook-id.webhook-timestamp.body, one for each secret that is valid; the key is the base64 "
            "after whsec_. Refuse what is older than five minutes, and know webhook-id again. What is not "
            "taken with 2xx within 15 seconds is sent again for three and a half days, under the same "
            "webhook-id. Then read what data names: kind and id. The demo takes http to the machine itself.",
            body=NEW_WEBHOOK,
            example={"url": "https://hospital.example/bars/events", "types": ["booking.booked"]},
            problems=("refused",),
            is_keyed=True,
            tag=_TAG,
        ),
    }

    def get(self, request: Request) -> Response:
        faults = list(unknown_parameters(request, frozenset()))
        if faults:
            raise invalid(faults)
        rows, now = webhooks_of(self.caller.application), timezone.now()
        return Response({"items": [webhook_json(each, now=now) for each in rows]})

    def prepared(self, request: Request, **ids: str) -> Act:
        given = _fields(object_in(request.data), NEW_WEBHOOK)
        about: dict[str, Any] = {"application": self.caller.application, "actor": self.acting.actor}
        return lambda: services.create_webhook(**about, **given, now=timezone.now())[0].pk

    def written(self, request: Request, subject_id: str) -> Response:
        return self.shown(request, subject_id, made=201, secret=True)


class OneWebhook(WebhookView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-webhook",
            "Read one webhook",
            _SCOPE,
            {200: WEBHOOK},
            problems=("not-found",),
            is_conditional=True,
            tag=_TAG,
        )
    }

    def get(self, request: Request, webhook_id: str) -> Response:
        return conditional(request, webhook_json(self.webhook_of(webhook_id), now=timezone.now()))


class _Change(WebhookView):
    """A POST that does something with one webhook; what else it takes stands in the schema of its body."""

    def prepared(self, request: Request, **ids: str) -> Act:
        webhook, now = self.webhook_of(ids["webhook_id"]), timezone.now()
        check_match(request, etag_of(webhook_json(webhook, now=now)))
        operation = self.operations["POST"]
        body = object_in(request.data)
        faults = [] if operation.body is None else list(unknown_fields(body, operation.body.schema))
        if faults:
            raise invalid(faults)
        return lambda: self.act(webhook, body, now)

    def act(self, webhook: Webhook, body: Mapping[str, Any], now: datetime) -> str:
        """What `written` makes the answer of."""
        raise NotImplementedError

    def written(self, request: Request, subject_id: str) -> Response:
        return self.shown(request, subject_id)


def _change(id: str, summary: str, answers: Mapping[int, Component], **more: Any) -> Mapping[str, Operation]:
    told = {"body": WEBHOOK_NO_BODY, "example": {}, "problems": ("not-found", "refused"), **more}
    return {
        "POST": Operation(id, summary, _SCOPE, answers, is_keyed=True, is_conditional=True, tag=_TAG, **told)
    }


class Change(_Change):
    operations = _change(
        "change-webhook",
        "Change its address, or which events go there",
        {200: WEBHOOK},
        description="What waits goes to the new address; other filters count for what happens from now on.",
        body=WEBHOOK_CHANGES,
        example={"types": ["booking.booked", "booking.cancelled"]},
    )

    def act(self, webhook: Webhook, body: Mapping[str, Any], now: datetime) -> str:
        changes = _fields(body, WEBHOOK_CHANGES)
        services.change_webhook(webhook=webhook, changes=changes, actor=self.acting.actor, now=now)
        return str(webhook.pk)


class RotateSecret(_Change):
    operations = _change(
        "rotate-webhook-secret",
        "Make a new secret; both sign for a while",
        {200: WEBHOOK_WITH_SECRET},
        body=ROTATION,
        example={"both_for_hours": 24},
    )

    def act(self, webhook: Webhook, body: Mapping[str, Any], now: datetime) -> str:
        hours = body.get("both_for_hours", 24)
        if not isinstance(hours, int) or isinstance(hours, bool) or abs(hours) > 10_000:
            raise invalid([FieldFault("Enter a whole number of hours", pointer="/both_for_hours")])
        services.rotate_secret(
            webhook=webhook, both_for=timedelta(hours=hours), actor=self.acting.actor, now=now
        )
        return str(webhook.pk)

    def written(self, request: Request, subject_id: str) -> Response:
        return self.shown(request, subject_id, secret=True)


class SwitchOn(_Change):
    operations = _change(
        "switch-on-webhook",
        "Switch it on again",
        {200: WEBHOOK},
        description="With all that waits for it, and all that happened meanwhile.",
    )

    def act(self, webhook: Webhook, body: Mapping[str, Any], now: datetime) -> str:
        services.switch_on(webhook=webhook, actor=self.acting.actor, now=now)
        return str(webhook.pk)


class SwitchOff(_Change):
    operations = _change(
        "switch-off-webhook", "Switch it off for a while", {200: WEBHOOK}, description="What happens waits."
    )

    def act(self, webhook: Webhook, body: Mapping[str, Any], now: datetime) -> str:
        services.switch_off(webhook=webhook, reason=OffReason.OWNER, actor=self.acting.actor, now=now)
        return str(webhook.pk)


class Remove(_Change):
    operations = _change("remove-webhook", "Remove it for good", {200: WEBHOOK})

    def act(self, webhook: Webhook, body: Mapping[str, Any], now: datetime) -> str:
        services.remove_webhook(webhook=webhook, actor=self.acting.actor, now=now)
        return str(webhook.pk)


class Test(_Change):
    operations = _change(
        "test-webhook",
        "Have a test delivered",
        {202: DELIVERY},
        description="An event of the type webhook.test, whatever it asks for. Its delivery is in the log.",
    )

    def act(self, webhook: Webhook, body: Mapping[str, Any], now: datetime) -> str:
        return str(services.send_test(webhook=webhook, actor=self.acting.actor, now=now).pk)

    def written(self, request: Request, subject_id: str) -> Response:
        delivery = delivery_of(self.caller.application, subject_id)
        return Response(delivery_json(delivery), status=202)


class Replay(_Change):
    operations = _change(
        "replay-webhook",
        "Have a range of events delivered once more",
        {202: REPLAYED},
        description="Under the ids that they always had. For what was lost on your side.",
        body=REPLAY,
        example={"after": "120", "until": "180"},
        problems=("not-found", "refused", "cursor-gone"),
    )

    def act(self, webhook: Webhook, body: Mapping[str, Any], now: datetime) -> str:
        found, faults = {}, []
        for name in ("after", "until"):
            cursor = cursor_in(body[name]) if isinstance(body.get(name), str) else None
            if cursor is None:
                faults.append(FieldFault("Enter a cursor that the API gave", pointer=f"/{name}"))
            else:
                found[name] = cursor
        if faults:
            raise invalid(faults)
        count = services.replay(webhook=webhook, **found, actor=self.acting.actor, now=now)
        # The number itself: an answer made again says the same.
        return str(count)

    def written(self, request: Request, subject_id: str) -> Response:
        return Response({"deliveries": int(subject_id)}, status=202)


class DeliveryList(WebhookView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "list-webhook-deliveries",
            "What was sent to a webhook, newest first, with every attempt",
            _SCOPE,
            {200: DELIVERY_PAGE},
            description="Kept for 30 days.",
            query=paging.PARAMETERS,
            problems=("not-found",),
            tag=_TAG,
        )
    }

    def get(self, request: Request, webhook_id: str) -> Response:
        faults = list(unknown_parameters(request, {each.name for each in paging.PARAMETERS}))
        page = paging.asked_page(request, kinds=(str, str))
        place = paging.place_of(page.after, faults)
        if faults:
            raise invalid(faults)
        rows = list(deliveries_of(self.webhook_of(webhook_id), before=place)[: page.limit + 1])
        return paging.page_by_time(request, rows, page, at=lambda each: each.created_at, show=delivery_json)


def _fields(body: Mapping[str, Any], taken: Component) -> dict[str, Any]:
    """Of the schema's, by the services' names. Raises Problem with every fault of their form."""
    faults = list(unknown_fields(body, taken.schema))
    found: dict[str, Any] = {}
    if "url" in body and not isinstance(body["url"], str):
        faults.append(FieldFault("This must be a text.", pointer="/url"))
    elif "url" in body:
        found["url"] = body["url"].strip()
    elif "url" in taken.schema["required"]:
        faults.append(FieldFault("Enter the address that events are posted to", pointer="/url"))
    for name, own in (("types", "types"), ("services", "service_ids")):
        values = body.get(name, [])
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            faults.append(FieldFault("This must be a list of texts.", pointer=f"/{name}"))
        elif name in body:
            found[own] = values
    if faults:
        raise invalid(faults)
    return found
