"""Admin pages of patient records: each look is an audit event (journeys: views are events too)."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from bars_portal.accounts.acting import actor_of
from bars_portal.audit.readonly import ReadOnlyAdmin
from bars_portal.audit.services import record


class AuditedReadOnlyAdmin(ReadOnlyAdmin):
    """Read-only, and records `<app>.view_<model>` for one record and `<app>.view_list` for the list."""

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        shown = self.get_object(request, object_id) if response.status_code == 200 else None
        if shown is not None:
            record(
                actor=actor_of(request),
                action=f"{self.opts.app_label}.view_{self.opts.model_name}",
                subject=shown,
                now=timezone.now(),
            )
        return response

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        record(
            actor=actor_of(request),
            action=f"{self.opts.app_label}.view_list",
            detail={"of": self.opts.model_name},
            now=timezone.now(),
        )
        return response
