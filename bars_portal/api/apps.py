"""Applications of organisations, and everything that all resources of the API share."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "bars_portal.api"
    label = "api"
    verbose_name = "REST API"

    def ready(self) -> None:
        from bars_portal.audit import presenters

        presenters.register(
            {
                "api.create_application": "Made an application of the API",
                "api.change_application": "Changed an application of the API",
                "api.revoke_application": "Revoked an application of the API",
                "api.create_secret": "Gave an application a new secret",
                "api.revoke_secret": "Took a secret from an application",
                "api.issue_token": "An application signed in",
            }
        )
