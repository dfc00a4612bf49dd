"""Endpoints: engineers change where messages go, others look."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from bars_portal.accounts.acting import Acting, actor_of
from directory.admin.base import DirectoryAdmin, acting_in, administers_everything
from directory.admin.forms import EndpointForm
from directory.models import Endpoint
from directory.policies import can_change_endpoint
from directory.selectors import endpoints_seen_by
from directory.services import create_endpoint, save_endpoint


@admin.register(Endpoint)
class EndpointAdmin(DirectoryAdmin):
    form = EndpointForm
    fixed_fields = ("service", "managing_organisation", "payload_type")
    list_display = ["name", "service", "status", "address", "managing_organisation"]
    list_filter = ["status", "connection_type"]
    list_select_related = ["service", "managing_organisation"]
    search_fields = ["name", "address", "service__name", "service__service_id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        return endpoints_seen_by(acting_in(request), everything=administers_everything(request))

    def may_change(self, row: Endpoint, acting: Acting | None) -> bool:
        return can_change_endpoint(row, acting)

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        actor, now = actor_of(request), timezone.now()
        if change:
            save_endpoint(endpoint=obj, changed=form.changed_data, actor=actor, now=now)
        else:
            create_endpoint(endpoint=obj, actor=actor, now=now)
