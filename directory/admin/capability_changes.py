"""How services' own words changed: when, and what they take no longer."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from bars_portal.accounts.admin import AuditedReadOnlyAdmin
from directory.change_words import staff_words
from directory.models import CapabilityChange
from directory.stated import Difference


@admin.register(CapabilityChange)
class CapabilityChangeAdmin(AuditedReadOnlyAdmin):
    list_display = ("service", "noticed_at", "what_changed")
    list_select_related = ("service",)
    list_filter = ("noticed_at",)
    search_fields = ("=service__service_id", "service__name")
    fields = ("service", "noticed_at", "what_changed", "stated")

    @admin.display(description="what changed")
    def what_changed(self, change: CapabilityChange) -> SafeString | str:
        told = staff_words(Difference(change.added, change.removed))
        return format_html_join("", "<p>{}</p>", ((each,) for each in told)) or "First heard of"
