"""The message log in the admin: read-only, decoded, masked; the log's own pages unmask for a reason."""

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bars_portal.audit.admin import ReadOnlyAdmin
from bars_portal.audit.staff_lists import DaysFilter, PastDaysFilter
from bars_portal.audit.staff_pages import acts_for, administers_everything
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.message_bytes import readable
from bars_portal.exchange.models import DeliveryAttempt, InboundMessage, OutboundMessage, PartnerCircuit
from bars_portal.exchange.registry import message_types, owner_of, services
from bars_portal.exchange.selectors import reached
from bars_portal.nhsuk.words import with_direction_marks_told
from bars_portal.sql import each_value

_EXPLAINS = "exchange.explain_message"


class KnownValues(admin.AllValuesFieldListFilter):
    """By what is known of a column beforehand, or by its index: nothing reads the messages for it.

    What a message was too broken to tell is named too: a link without words says nothing to anybody.
    """

    def __init__(self, field: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, request, *args, **kwargs)
        self.lookup_choices: Any = self.known(request)

    def known(self, request: HttpRequest) -> list[Any]:
        """Each column has its own way to know; only those of such a column are in a list."""
        raise NotImplementedError

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # stubs are narrower
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "Not known"}


class KindOfMessage(KnownValues):
    def known(self, request: HttpRequest) -> list[Any]:
        return sorted(each.key for each in message_types())


class KindReceived(KindOfMessage):
    def known(self, request: HttpRequest) -> list[Any]:
        return ["", *super().known(request)]


class AnsweredWith(KnownValues):
    def known(self, request: HttpRequest) -> list[Any]:
        """Whatever the receiver answers; 413 and 415 are those of its parsers."""
        return [*sorted({200, 413, 415, *(each.status for each in OutcomeCode)}), None]


class ServiceReached(KnownValues):
    def known(self, request: HttpRequest) -> list[Any]:
        reached_ones = each_value(InboundMessage, "service_id")
        if administers_everything(request):
            return reached_ones
        own = set(services.provider.provided_by(acts_for(request) or 0))
        return [each for each in reached_ones if each in own]


class ServiceSentTo(KnownValues):
    def known(self, request: HttpRequest) -> list[Any]:
        everything = administers_everything(request)
        senders = each_value(OutboundMessage, "organisation") if everything else [acts_for(request) or 0]
        sent_to = (each_value(OutboundMessage, "service_id", of={"organisation": each}) for each in senders)
        return sorted(set(chain.from_iterable(sent_to)))


_ID_LABELS = {
    "service_id": "For service",
    "request_id": "Request id",
    "correlation_id": "Correlation id",
    "bundle_id": "Bundle.id",
    "focus_id": "What it is about",
}
_ID_HELP = {
    "request_id": "X-Request-Id: of this message, and the same whenever it is sent again.",
    "correlation_id": "X-Correlation-Id: of all messages of the case.",
    "focus_id": "The id of the resource that MessageHeader.focus names.",
}


def _folded(*parts: tuple[str, str]) -> Iterator[tuple[str, Any]]:
    """What may be long stands behind its heading, and is opened by whoever wants to read it."""
    for heading, name in parts:
        yield heading, {"fields": (name,), "classes": ("collapse",)}


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
    called = "Messages received"
    purpose = "One by one. To find one by its patient or to see its case, use the message log."
    list_display = ("received_at", "message_type", "state", "status_code", "service_id", "sender_ods_code")
    sortable_by = list_display
    list_filter = (
        *(("received_at", PastDaysFilter), "state", ("message_type", KindReceived)),
        *(("service_id", ServiceReached), ("status_code", AnsweredWith)),
    )
    search_fields = ("=request_id", "=correlation_id", "=bundle_id")
    search_help_text = "Request id, correlation id or Bundle.id"
    date_hierarchy = "received_at"
    fieldsets = (
        (None, {"fields": ("conversation", "explained")}),
        ("What it was", {"fields": ("message_type", "received_at", "service_id", "starts_conversation")}),
        ("What became of it", {"fields": ("state", "status_code", "completed_at", "noticed")}),
        ("Who sent it", {"fields": ("sender_ods_code", "source_service_id", "peer")}),
        ("Ids", {"fields": ("request_id", "correlation_id", "bundle_id", "focus_id")}),
        *_folded(("The message", "received"), ("Our answer", "answered"), ("Headers", "sent_headers")),
    )
    readonly_fields = ("conversation", "explained", "noticed", "received", "answered", "sent_headers")
    labels = {
        **_ID_LABELS,
        "received_at": "Received",
        "starts_conversation": "Begins a case",
        "status_code": "Answered with HTTP status",
        "completed_at": "Answered",
        "source_service_id": "Service id of the sender",
        "peer": "Name in its certificate",
    }
    help_texts = {
        **_ID_HELP,
        "service_id": "DoS service id that the message is for.",
        "starts_conversation": "Its Bundle.id may not come a second time.",
        "state": "Only an accepted message changed anything here.",
        "sender_ods_code": "As the header NHSD-End-User-Organisation says it.",
        "source_service_id": "Where answers go (MessageHeader.source.endpoint).",
        "peer": "Of whoever connected: mostly the BaRS proxy.",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundMessage]:
        return super().get_queryset(request).defer("body", "reply")

    def seen(self, request: HttpRequest) -> Q:
        organisation_id = acts_for(request)
        return Q(pk__in=[]) if organisation_id is None else reached(organisation_id)

    def owner_of(self, row: InboundMessage) -> int | None:
        return owner_of(row.service_id)

    @admin.display(description="Noticed, and let pass")
    def noticed(self, message: InboundMessage) -> str:
        return "\n".join(str(each.get("diagnostics", "")) for each in message.warnings) or "Nothing"

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
    called = "Messages sent"
    purpose = "One by one, with every attempt. What waits for a person is on a page of its own."
    list_display = ("created_at", "message_type", "state", "reason", "next_attempt_at", "service_id")
    sortable_by = list_display
    list_select_related = ("organisation",)
    list_filter = (
        *(("created_at", PastDaysFilter), "state", ("next_attempt_at", DaysFilter)),
        *(("message_type", KindOfMessage), ("service_id", ServiceSentTo)),
    )
    search_fields = ("=request_id", "=correlation_id", "=bundle_id")
    search_help_text = "Request id, correlation id or Bundle.id"
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("conversation", "explained")}),
        (
            "What it is",
            {"fields": ("message_type", "service_id", "organisation", "actor_label", "created_at")},
        ),
        ("How far it is", {"fields": ("state", "reason", "settled_at", "repeats", "next_attempt_at")}),
        (
            "While it is under way",
            {
                "fields": ("sending_since", "lease_until", "abandon_at", "read_back_at"),
                "classes": ("collapse",),
            },
        ),
        ("Ids", {"fields": ("request_id", "correlation_id", "bundle_id", "focus_id")}),
        *_folded(("The message", "sent"), ("The last answer", "answer")),
    )
    readonly_fields = ("conversation", "explained", "sent", "answer")
    inlines = (AttemptInline,)
    labels = {
        **_ID_LABELS,
        "actor_label": "Who caused it",
        "created_at": "Made",
        "reason": "Why",
        "settled_at": "Settled",
        "repeats": "Repeated by itself",
        "next_attempt_at": "Goes out again",
        "sending_since": "Being sent since",
        "lease_until": "Its worker has until",
        "abandon_at": "Given up",
        "read_back_at": "Asked about again",
    }
    help_texts = {
        **_ID_HELP,
        "service_id": "DoS service id that the message is for.",
        "state": "Not known: it may have arrived. The same ids go out again, so nothing happens twice.",
        "reason": "In a word of the program, or the code that the receiver answered.",
        "repeats": "How often, since a person last sent it.",
        "next_attempt_at": "Only while it is not known whether it arrived.",
        "lease_until": "When that is past, another worker takes the message over.",
        "abandon_at": "When people are told that it is given up, unless its fate is known by then.",
        "read_back_at": "When the receiver is next asked whether it has a message that was given up.",
    }

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
    # One that answers again stays in the list.
    called = "Whether services answer"
    purpose = "Which services are spared for now, since when, and when they are tried again."
    list_display = ("service_id", "state", "failures", "failing_since", "retry_at")
    sortable_by = list_display
    list_filter = ("state", ("retry_at", DaysFilter))
    fieldsets = (
        (None, {"fields": ("service_id", "state", "failing_since", "failures")}),
        ("When it is tried again", {"fields": ("retry_at", "probes", "changed_at")}),
    )
    labels = {
        "service_id": "DoS service id",
        "failing_since": "Not answering since",
        "failures": "Failures since",
        "retry_at": "Tried next",
        "probes": "Tried in vain",
        "changed_at": "State since",
    }
    help_texts = {
        "service_id": "The service that messages are for.",
        "state": "What is for a service that is spared waits here.",
        "failures": "That no answer came between.",
        "probes": "How often, since it last answered.",
    }
    search_fields = ("=service_id",)
    search_help_text = "DoS service id"
