"""Access rules of services, each with what it would have done to the messages that came lately."""

from typing import Any

from django.contrib import admin
from django.db.models import ForeignKey
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from bars_portal.accounts.acting import Acting
from bars_portal.audit.staff_pages import acts_for, administers_everything
from directory.admin.forms import AccessRuleForm
from directory.admin.services import DirectoryAdmin
from directory.models import AccessRule, HealthcareService
from directory.policies import can_change_access_rule
from directory.selectors.access import DRY_RUN_OVER, dry_run

_MOST_SHOWN = 50


@admin.register(AccessRule)
class AccessRuleAdmin(DirectoryAdmin):
    """Switched off, a rule stays: what it was is on the trail and in its row."""

    owner = "service__provider"
    purpose = "Who may use a service, tried on what came lately before it counts."
    form = AccessRuleForm
    fixed_fields = ("service", "would_refuse")
    list_display = ("name", "service", "software", "version_from", "version_to", "in_force")
    sortable_by = list_display
    list_filter = ["in_force"]
    list_select_related = ["service"]
    search_fields = ["name", "software", "service__name", "=service__service_id"]
    search_help_text = "Part of the name, the software or the service's name, or a DoS service id"
    help_texts = {"service": "It cannot be changed later."}

    def get_fieldsets(self, request: HttpRequest, obj: AccessRule | None = None) -> Any:
        who = ["organisations", "roles", "software", "version_from", "version_to"]
        return [
            (None, {"fields": ["service", "name", "in_force"]}),
            ("Who may use the service by this rule: all of it must fit", {"fields": who}),
            *([("Tried on what came lately", {"fields": ["would_refuse"]})] if obj else []),
        ]

    def may_change(self, row: AccessRule, acting: Acting | None) -> bool:
        return can_change_access_rule(row, acting)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        services = HealthcareService.objects.filter(hosted=True).order_by("name")
        everything = administers_everything(request)
        kwargs["queryset"] = services if everything else services.filter(provider=acts_for(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="as if it were in force")
    def would_refuse(self, rule: AccessRule) -> SafeString:
        found = dry_run(rule)
        shown, rest = found.refused[:_MOST_SHOWN], found.refused[_MOST_SHOWN:]
        context = {"found": found, "shown": shown, "more": len(rest), "over": DRY_RUN_OVER}
        return render_to_string("admin/directory/accessrule/dry_run.html", context, using="django")
