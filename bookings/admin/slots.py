"""Slots: blocked and freed in bulk; only a booking makes one busy, and only its cancellation frees it."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from bars_portal.accounts.acting import actor_of
from bars_portal.correspondence.admin import changeable, of_own_services
from bookings.models import Slot
from bookings.services import block_slots, free_slots

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Slot]
else:
    _Admin = admin.ModelAdmin


@admin.register(Slot)
class SlotAdmin(_Admin):
    list_display = ("start", "end", "service", "schedule", "status", "updated_at")
    list_filter = ("status", ("service", admin.RelatedOnlyFieldListFilter), "start")
    date_hierarchy = "start"
    list_select_related = ("service", "schedule__service")
    readonly_fields = ("schedule", "service", "start", "end", "status", "updated_at")
    actions = ("block", "free")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Slot]:
        return of_own_services(request, super().get_queryset(request))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Block the chosen slots", permissions=["change"])
    def block(self, request: HttpRequest, chosen: QuerySet[Slot]) -> None:
        self._move(request, chosen, block_slots, "blocked")

    @admin.action(description="Free the chosen slots", permissions=["change"])
    def free(self, request: HttpRequest, chosen: QuerySet[Slot]) -> None:
        self._move(request, chosen, free_slots, "freed")

    def _move(
        self, request: HttpRequest, chosen: QuerySet[Slot], service: Callable[..., int], word: str
    ) -> None:
        now: datetime = timezone.now()
        ids = list(changeable(request, chosen).values_list("pk", flat=True))
        changed = service(slot_ids=ids, actor=actor_of(request), now=now)
        messages.success(request, f"{changed} {'slot' if changed == 1 else 'slots'} {word}.")
        if left := len(ids) - changed:
            messages.warning(request, f"{left} left as they were: booked, or {word} already.")
