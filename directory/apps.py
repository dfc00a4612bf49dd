"""Services and how to reach them."""

from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "directory"
    label = "directory"
    verbose_name = "Directory"

    def ready(self) -> None:
        from bars_portal.accounts.attention import register
        from bars_portal.exchange.partners import register_partners
        from bars_portal.exchange.registry import hosted_services
        from directory.attention import attention
        from directory.partners import DirectoryPartners
        from directory.selectors import hosted_service, service_ids_provided_by

        hosted_services.register(hosted_service, service_ids_provided_by)
        register(attention)
        register_partners(DirectoryPartners())
