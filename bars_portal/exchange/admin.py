"""The message log in the admin: read-only, decoded, masked for those who may not see patients."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bars_portal.accounts.acting import actor_of
from bars_portal.audit.admin import ReadOnlyAdmin
from bars_portal.audit.services import record
from bars_portal.exchange.message_bytes import readable
from bars_portal.exchange.models import DeliveryAttempt, InboundMessage, OutboundMessage
from bars_portal.exchange.selectors import inbound_log, outbound_log

_SEES_PATIENTS = "patients.view_patient"


class KnownValues(admin.AllValuesFieldListFilter):
    """What a message was too broken to tell is named too: a link without words says nothing to anybody."""

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # stubs are narrower
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "Not known"}


class MessageAdmin(ReadOnlyAdmin):
    """A stored message: looking at one is an event of the trail."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        message = super().get_object(request, object_id, from_field)
        if message is not None:
            # On the row, not on self: one admin object serves every thread.
            message.masked = not request.user.has_perm(_SEES_PATIENTS)  # type: ignore[attr-defined]  # read by _decoded
            record(
                actor=actor_of(request), action="exchange.view_message", subject=message, now=timezone.now()
            )
        return message


def _decoded(message: Model, body: bytes | memoryview | None, *, ours: bool = False) -> SafeString:
    masked = getattr(message, "masked", True)
    note = "Patient values are masked." if masked else ""
    return format_html(
        '<p>{}</p><pre class="message" tabindex="0">{}</pre>', note, readable(body, masked=masked, ours=ours)
    )


@admin.register(InboundMessage)
class InboundMessageAdmin(MessageAdmin):
    list_display = ("received_at", "message_type", "state", "status_code", "service_id", "sender_ods_code")
    list_filter = ("state", ("message_type", KnownValues), ("service_id", KnownValues), "status_code")
    search_fields = ("=request_id", "=correlation_id", "=bundle_id")
    search_help_text = "Request id, correlation id or Bundle.id"
    date_hierarchy = "received_at"
    exclude: ClassVar[list[str]] = ["body", "reply", "headers"]
    readonly_fields = ("received", "answered", "sent_headers")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundMessage]:
        return inbound_log(_organisation_id(request))

    @admin.display(description="Message, decoded")
    def received(self, message: InboundMessage) -> SafeString:
        return _decoded(message, message.body)

    @admin.display(description="Our answer")
    def answered(self, message: InboundMessage) -> SafeString:
        return _decoded(message, message.reply, ours=True)

    @admin.display(description="Headers")
    def sent_headers(self, message: InboundMessage) -> SafeString:
        lines = "\n".join(f"{name}: {value}" for name, value in sorted(message.headers.items()))
        return format_html('<pre class="message" tabindex="0">{}</pre>', lines)


if TYPE_CHECKING:
    _TabularInline = admin.TabularInline[DeliveryAttempt, OutboundMessage]
else:
    _TabularInline = admin.TabularInline


class AttemptInline(_TabularInline):
    model = DeliveryAttempt
    template = "admin/read_only_rows.html"
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        "number",
        "started_at",
        "finished_at",
        "outcome",
        "reason",
        "status_code",
        "elapsed_ms",
    )

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(OutboundMessage)
class OutboundMessageAdmin(MessageAdmin):
    list_display = (
        *("created_at", "message_type", "state", "reason", "repeats", "next_attempt_at"),
        *("service_id", "organisation"),
    )
    list_filter = ("state", ("next_attempt_at", admin.EmptyFieldListFilter), "message_type", "service_id")
    search_fields = ("=request_id", "=correlation_id", "=bundle_id")
    search_help_text = "Request id, correlation id or Bundle.id"
    date_hierarchy = "created_at"
    exclude: ClassVar[list[str]] = ["body", "headers"]
    readonly_fields = ("sent", "answer")
    inlines = (AttemptInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboundMessage]:
        return outbound_log(_organisation_id(request))

    @admin.display(description="Message, decoded")
    def sent(self, message: OutboundMessage) -> SafeString:
        return _decoded(message, message.body)

    @admin.display(description="Last answer")
    def answer(self, message: OutboundMessage) -> SafeString:
        last = message.attempts.order_by("-number").first()
        return _decoded(message, last.reply if last else None)


def _organisation_id(request: HttpRequest) -> int | None:
    """None for a superuser: everything."""
    acting = getattr(request, "acting", None)
    return acting.organisation.pk if acting is not None else None
