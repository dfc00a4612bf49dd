"""People, organisations, roles and sign-in."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "bars_portal.accounts"
    label = "accounts"
    verbose_name = "Accounts"
