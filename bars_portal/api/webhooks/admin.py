"""Webhooks in the administration: made, changed, switched, tested, and what became of their deliveries."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.postgres.forms import SimpleArrayField
from django.core.validators import RegexValidator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator

from bars_portal.accounts.acting import actor_of
from bars_portal.accounts.admin import JudgedAgain
from bars_portal.accounts.decorators import requires_step_up
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.api.events import all_types
from bars_portal.api.models import Application, OffReason, Webhook, WebhookAttempt, WebhookDelivery
from bars_portal.api.webhooks import services
from bars_portal.api.webhooks.delivery import TEST
from bars_portal.api.webhooks.selectors import off_by_itself
from bars_portal.audit.admin import ReadOnlyAdmin
from bars_portal.audit.staff_lists import DaysFilter, DoneFilter, PastDaysFilter, ThereFilter, confirmed
from bars_portal.audit.staff_pages import StaffAdmin, acts_for, administers_everything
from bars_portal.nhsuk.dates import format_datetime

_SERVICE_ID = RegexValidator(r"^[0-9]{1,20}\Z", "DoS service ids are up to 20 digits.")
_TYPED = ("url", "types", "service_ids")


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]  # no generics at run time
    """The services say what cannot be, in the same words as the API."""

    types = forms.MultipleChoiceField(
        choices=lambda: [(each, each) for each in all_types()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Event types",
        help_text="None: every event that the application may see.",
    )
    service_ids = SimpleArrayField(
        forms.CharField(validators=[_SERVICE_ID]),
        required=False,
        label="Services",
        help_text="DoS service ids with commas between. None: all that the application may act for.",
    )

    class Meta:
        model = Webhook
        fields = ("application", *_TYPED)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        application = cleaned.get("application") or getattr(self.instance, "application", None)
        if application is not None:
            given = {name: cleaned[name] for name in _TYPED if name in cleaned}
            try:
                services.check_webhook(application, given)
            except services.BadWebhook as bad:
                for name, sentence in bad.faults.items():
                    self.add_error(name, sentence)
        return cleaned


class OffFilter(admin.SimpleListFilter):
    """Those that nobody switched off, as home counts them."""

    title, parameter_name = "switched off", "off"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("itself", "Because nothing arrived")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> QuerySet[Webhook]:
        if self.value() != "itself":
            return queryset
        return queryset.filter(pk__in=off_by_itself().values("pk"))


def _will(words: str) -> Callable[[Any, HttpRequest, Webhook], str]:
    return lambda _page, _request, webhook: words if webhook.removed_at is None else "stays removed"


@admin.register(Webhook)
class WebhookAdmin(JudgedAgain, StaffAdmin):
    owner = "application__organisation"
    purpose = "Addresses of applications that are told what happens."
    form = WebhookForm
    list_display = ("url", "application", "standing", "created_at")
    sortable_by = ("url", "created_at")
    list_filter = (OffFilter, ("removed_at", DoneFilter), ("created_at", PastDaysFilter))
    list_select_related = ("application",)
    search_fields = ("url", "application__name")
    search_help_text = "Part of the address, or of the application's name"
    labels = {"created_at": "Made", "removed_at": "Removed", "failing_since": "Not answering since"}
    help_texts = {
        "application": "What it may see decides which events go out. It cannot be changed later.",
        "url": "Begins with https:// and is reached from the internet.",
        "failing_since": "Empty: it answers.",
    }
    readonly_fields: ClassVar[tuple[str, ...]] = ("standing", "failing_since", "created_at", "removed_at")
    actions = ("send_tests", "switch_on", "switch_off", "new_secret", "remove")

    @admin.display(description="state")
    def standing(self, webhook: Webhook) -> str:
        if webhook.removed_at is not None:
            return "Removed"
        if webhook.off_at is not None:
            return f"Off since {format_datetime(webhook.off_at)}: {webhook.get_off_reason_display()}"
        return "On, and not answering" if webhook.failures else "On"

    def get_fieldsets(self, request: HttpRequest, obj: Webhook | None = None) -> Any:
        typed = [
            ("Where to", {"fields": ("application", "url")}),
            ("Which events", {"fields": ("types", "service_ids")}),
        ]
        return typed if obj is None else [*typed, ("How it goes", {"fields": self.readonly_fields})]

    def get_readonly_fields(self, request: HttpRequest, obj: Webhook | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else ("application", *self.readonly_fields)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Applications of the organisation that still stand."""
        if db_field.name == "application":
            standing = Application.objects.filter(revoked_at=None)
            if not administers_everything(request):
                standing = standing.filter(organisation=acts_for(request))
            kwargs["queryset"] = standing
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Webhook | None = None) -> bool:
        """What is removed stays as it was."""
        return super().has_change_permission(request, obj) and (obj is None or obj.removed_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        show = self._add if request.method == "POST" else super().add_view
        return show(request, form_url, extra_context)

    @method_decorator(requires_step_up)  # type: ignore[arg-type]  # its types know of no ParamSpec
    def _add(self, request: HttpRequest, form_url: str, extra_context: Any) -> HttpResponse:
        return super().add_view(request, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        actor, now = actor_of(request), timezone.now()
        typed = {name: form.cleaned_data[name] for name in _TYPED}
        if change:
            changes = {name: value for name, value in typed.items() if name in form.changed_data}
            if changes:
                services.change_webhook(webhook=obj, changes=changes, actor=actor, now=now)
            return
        made, secret = services.create_webhook(application=obj.application, **typed, actor=actor, now=now)
        obj.pk = made.pk
        # For the answer to this request, and nowhere else.
        obj.new_secret = secret  # type: ignore[attr-defined]  # read in response_add

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: Any = None) -> HttpResponse:
        return self._with_secret(request, obj, obj.new_secret)  # type: ignore[attr-defined]  # of save_model

    @admin.action(description="Send a test", permissions=["change"])
    @confirmed(_will("is sent a test, with nothing about a patient"))
    def send_tests(self, request: HttpRequest, chosen: QuerySet[Webhook]) -> None:
        self._each(request, chosen, services.send_test, "A test is on its way: see its deliveries")

    @admin.action(description="Switch on", permissions=["change"])
    @confirmed(_will("is on, and gets what waits for it"))
    def switch_on(self, request: HttpRequest, chosen: QuerySet[Webhook]) -> None:
        self._each(request, chosen, services.switch_on, "On")

    @admin.action(description="Switch off; what happens waits", permissions=["change"])
    @confirmed(_will("is off; what happens waits for it"))
    def switch_off(self, request: HttpRequest, chosen: QuerySet[Webhook]) -> None:
        def off(**given: Any) -> bool:
            return services.switch_off(reason=OffReason.OWNER, **given)

        self._each(request, chosen, off, "Off")

    @admin.action(description="Remove for good", permissions=["change"])
    @confirmed(_will("is removed with all that waits for it, and cannot be brought back"))
    def remove(self, request: HttpRequest, chosen: QuerySet[Webhook]) -> None:
        self._each(request, chosen, services.remove_webhook, "Removed")

    @admin.action(description="Make a new secret for one webhook", permissions=["change"])
    @method_decorator(requires_step_up)  # type: ignore[arg-type]  # its types know of no ParamSpec
    @confirmed(_will("gets a new secret; the one it has signs beside it for 24 hours"))
    def new_secret(self, request: HttpRequest, chosen: QuerySet[Webhook]) -> HttpResponse | None:
        found = list(chosen.select_related("application").filter(removed_at=None)[:2])
        if len(found) != 1:
            messages.error(request, "Choose one webhook: its secret is shown once.")
            return None
        secret = services.rotate_secret(webhook=found[0], actor=actor_of(request), now=timezone.now())
        return self._with_secret(request, found[0], secret)

    def _each(
        self, request: HttpRequest, chosen: QuerySet[Webhook], act: Callable[..., Any], done: str
    ) -> None:
        for each in chosen.select_related("application"):
            try:
                act(webhook=each, actor=actor_of(request), now=timezone.now())
                messages.success(request, f"{done}: {each.url}")
            except PolicyRefused as refusal:
                messages.error(request, f"{each.url}: {refusal.sentence}")

    def _with_secret(self, request: HttpRequest, webhook: Webhook, secret: str) -> HttpResponse:
        """Shown in the answer itself: kept in no session, cookie or address."""
        context = {
            **self.admin_site.each_context(request),
            "title": "The secret of a webhook",
            "webhook": webhook,
            "secret": secret,
            "opts": self.opts,
        }
        return render(request, "admin/api/webhook_secret.html", context, using="django")


if TYPE_CHECKING:
    _TabularInline = admin.TabularInline[WebhookAttempt, WebhookDelivery]
else:
    _TabularInline = admin.TabularInline


class AttemptInline(_TabularInline):
    model = WebhookAttempt
    template = "admin/read_only_rows.html"
    verbose_name_plural = "attempts"
    extra = 0
    can_delete = False
    fields = readonly_fields = ("at", "status", "problem", "elapsed_ms")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """The log: neither bodies nor headers, and of answers only the status."""

    owner = "webhook__application__organisation"
    purpose = "What went to each address, and whether it was taken."
    list_display = ("created_at", "kind", "webhook", "state", "tries", "next_attempt_at")
    sortable_by = ("created_at", "state", "next_attempt_at")
    list_select_related = ("webhook", "event")
    list_filter = (
        *(("created_at", PastDaysFilter), "state", ("next_attempt_at", DaysFilter)),
        ("webhook", ThereFilter),
    )
    date_hierarchy = "created_at"
    search_fields = ("=id", "=event__uid", "webhook__url")
    search_help_text = "A webhook-id, or part of the address"
    fieldsets = (
        (None, {"fields": ("kind", "webhook", "created_at", "message_id")}),
        ("What became of it", {"fields": ("state", "tries", "next_attempt_at", "settled_at")}),
    )
    readonly_fields = flatten_fieldsets(fieldsets)
    labels = {"created_at": "Made", "next_attempt_at": "Tried again", "settled_at": "Settled"}
    help_texts = {
        "tries": "How often it was sent: the body and the id are the same each time.",
        "settled_at": "When it was taken, or given up.",
    }
    inlines = (AttemptInline,)

    @admin.display(description="event")
    def kind(self, delivery: WebhookDelivery) -> str:
        return TEST if delivery.event is None else delivery.event.type

    @admin.display(description="webhook-id")
    def message_id(self, delivery: WebhookDelivery) -> str:
        return str(delivery.message_id)
