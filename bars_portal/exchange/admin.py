"""The message log in the admin: read-only, decoded, masked; the log's own pages unmask for a reason."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bars_portal.audit.admin import ReadOnlyAdmin
from bars_portal.audit.staff_pages import acts_for
from bars_portal.exchange.message_bytes import readable
from bars_portal.exchange.models import DeliveryAttempt, InboundMessage, OutboundMessage, PartnerCircuit
from bars_portal.exchange.registry import owner_of
from bars_portal.exchange.selectors import reached
from bars_portal.nhsuk.words import with_direction_marks_told

_EXPLAINS = "exchange.explain_message"


class KnownValues(admin.AllValuesFieldListFilter):
    """What a message was too broken to tell is named too: a link without words says nothing to anybody."""

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # stubs are narrower
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "Not known"}


class MessageAdmin(ReadOnlyAdmin):
    """A stored message: looking at one is an event of the trail, whichever way it went."""

    view_action = "exchange.view_message"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        message = super().get_object(request, object_id, from_field)
        if message is not None:
            # On the row, not on self: one admin object serves every thread.
            message.may_be_explained = request.user.has_perm(_EXPLAINS)
        return message

    @admin.display(description="Conversation")
    def conversation(self, message: InboundMessage | OutboundMessage) -> SafeString:
        address = reverse("messages:conversation", args=[message.correlation_id or message.pk])
        return format_html('<a href="{}">Open it in the message log</a>', address)

    @admin.display(description="Rule by rule")
    def explained(self, message: Model) -> SafeString | str:
        if not getattr(message, "may_be_explained", False):
            return "For integration engineers"
        return format_html(
            '<a href="{}">Explain this message</a>', reverse("explain:message", args=[message.pk])
        )


def _decoded(body: bytes | memoryview | None, *, ours: bool = False) -> SafeString:
    shown = with_direction_marks_told(readable(body, masked=True, ours=ours))
    return format_html('<p>Patient values are masked.</p><pre class="message" tabindex="0">{}</pre>', shown)


@admin.register(InboundMessage)
class InboundMessageAdmin(MessageAdmin):
    owner = ""
    whose = "to services of the organisation acted for"
    list_display = ("received_at", "message_type", "state", "status_code", "service_id", "sender_ods_code")
    sortable_by = list_display
    list_filter = ("state", ("message_type", KnownValues), ("service_id", KnownValues), "status_code")
    search_fields = ("=request_id", "=correlation_id", "=bundle_id")
    search_help_text = "Request id, correlation id or Bundle.id"
    date_hierarchy = "received_at"
    exclude: ClassVar[list[str]] = ["body", "reply", "headers"]
    readonly_fields = ("conversation", "explained", "received", "answered", "sent_headers")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundMessage]:
        return super().get_queryset(request).defer("body", "reply")

    def seen(self, request: HttpRequest) -> Q:
        organisation_id = acts_for(request)
        return Q(pk__in=[]) if organisation_id is None else reached(organisation_id)

    def owner_of(self, row: InboundMessage) -> int | None:
        return owner_of(row.service_id)

    @admin.display(description="Message, decoded")
    def received(self, message: InboundMessage) -> SafeString:
        return _decoded(message.body)

    @admin.display(description="Our answer")
    def answered(self, message: InboundMessage) -> SafeString:
        return _decoded(message.reply, ours=True)

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
    owner = "organisation"
    list_display = (
        *("created_at", "message_type", "state", "reason", "repeats", "next_attempt_at"),
        *("service_id", "organisation"),
    )
    sortable_by = list_display
    list_select_related = ("organisation",)
    list_filter = ("state", ("next_attempt_at", admin.EmptyFieldListFilter), "message_type", "service_id")
    search_fields = ("=request_id", "=correlation_id", "=bundle_id")
    search_help_text = "Request id, correlation id or Bundle.id"
    date_hierarchy = "created_at"
    exclude: ClassVar[list[str]] = ["body", "headers"]
    readonly_fields = ("conversation", "explained", "sent", "answer")
    inlines = (AttemptInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboundMessage]:
        return super().get_queryset(request).defer("body")

    @admin.display(description="Message, decoded")
    def sent(self, message: OutboundMessage) -> SafeString:
        return _decoded(message.body)

    @admin.display(description="Last answer")
    def answer(self, message: OutboundMessage) -> SafeString:
        last = message.attempts.order_by("-number").first()
        return _decoded(last.reply if last else None)


@admin.register(PartnerCircuit)
class PartnerCircuitAdmin(ReadOnlyAdmin):
    """Which services are spared, since when they do not answer, and when they are tried next."""

    # Whether a service answers is everybody's business, and says nothing of anybody.
    owner = None
    whose = "of the installation"
    list_display = ("service_id", "state", "failures", "failing_since", "retry_at")
    sortable_by = list_display
    list_filter = ("state",)
    search_fields = ("=service_id",)
    search_help_text = "DoS service id"
