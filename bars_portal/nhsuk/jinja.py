"""The portal's Jinja environment: our templates first, then the NHS.UK components."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader

from bars_portal.nhsuk import banner, dates, navigation, words
from bars_portal.nhsuk.forms.component import field_params


def _url(name: str, *args: Any, **kwargs: Any) -> str:
    return reverse(name, args=args, kwargs=kwargs)


FILTERS = {
    "date": dates.format_date,
    "day": dates.format_day,
    "time": dates.format_time,
    "datetime": dates.format_datetime,
    "relative": dates.format_relative,
    "clock_change": dates.clock_change,
    "age": dates.format_age,
    "nhs_number": words.format_nhs_number,
    "phone": words.format_phone,
}
GLOBALS = {
    "static": static,
    "url": _url,
    "address": navigation.address,
    "banner_name": banner.banner_name,
    "banner_items": banner.banner_items,
    "field_params": field_params,
}


def environment(**options: Any) -> Environment:
    """Called by Django's Jinja2 backend with its own `loader`; the components need ChainableUndefined."""
    components = PackageLoader("nhsuk_frontend_jinja")
    options["loader"] = ChoiceLoader([options["loader"], components])
    options["undefined"] = ChainableUndefined
    options["autoescape"] = True
    env = Environment(**options, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - escaping is on
    env.filters.update(FILTERS)
    env.globals.update(GLOBALS)
    return env
