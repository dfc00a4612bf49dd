"""The Django app of the NHS.UK pages."""

from django.apps import AppConfig


class NhsukConfig(AppConfig):
    """The house's pages: NHS.UK design system for Django forms and Jinja templates. Holds no models."""

    name = "bars_portal.nhsuk"
    label = "nhsuk"
