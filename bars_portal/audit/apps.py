"""The audit trail."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "bars_portal.audit"
    label = "audit"
    verbose_name = "Audit"
