"""Applications of organisations, and everything that all resources of the API share."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "bars_portal.api"
    label = "api"
    verbose_name = "REST API"

    def ready(self) -> None:
        from bars_portal.accounts.home import register
        from bars_portal.api.webhooks.selectors import attention
        from bars_portal.audit import presenters

        presenters.register(
            {
                "api.create_application": "Made an application of the API",
                "api.change_application": "Changed an application of the API",
                "api.revoke_application": "Revoked an application of the API",
                "api.create_secret": "Gave an application a new secret",
                "api.revoke_secret": "Took a secret from an application",
                "api.issue_token": "An application signed in",
                "api.create_webhook": "Made a webhook",
                "api.change_webhook": "Changed a webhook",
                "api.rotate_webhook_secret": "Gave a webhook a new secret",
                "api.switch_off_webhook": "Switched a webhook off",
                "api.switch_on_webhook": "Switched a webhook on",
                "api.remove_webhook": "Removed a webhook",
                "api.test_webhook": "Had a test sent to a webhook",
                "api.replay_webhook": "Had events sent to a webhook once more",
            }
        )
        register(attention)
