"""Who may call the receiver in each environment: names of client certificates, and source addresses.

Read by Django's settings and by the receiver's server, which judges before Django is asked. Source of both:
the standard's pages on security and on testing and environments.
"""

from collections.abc import Mapping
from ipaddress import ip_network

from django.core.exceptions import ImproperlyConfigured

from bars_portal.settings.environment import Environment

_NAMES: Mapping[str, list[str]] = {"prod": ["bars-proxy.spineservices.nhs.uk"]}
_NAMES_ELSEWHERE = ["int.api.service.nhs.uk"]
# Where the requests of the BaRS proxy come from.
SOURCES: Mapping[str, tuple[str, ...]] = {
    "int": ("35.197.254.55", "35.246.55.143"),
    "prod": ("34.89.0.111", "34.89.69.6"),
}


def peer_names(env: Environment, environment: str) -> list[str]:
    """BARS_PEER_NAMES: the names in a certificate of which one must be there."""
    return env.listing("BARS_PEER_NAMES", _NAMES.get(environment, _NAMES_ELSEWHERE))


def peer_sources(env: Environment) -> list[str]:
    """BARS_PEER_SOURCES: addresses, networks, "int" and "prod" for the published ones; none: from anywhere.

    Raises ImproperlyConfigured.
    """
    found = [each for word in env.listing("BARS_PEER_SOURCES") for each in SOURCES.get(word.lower(), (word,))]
    try:
        for each in found:
            ip_network(each)
    except ValueError:
        raise ImproperlyConfigured(
            'BARS_PEER_SOURCES must hold IP addresses, networks, "int" or "prod".'
        ) from None
    return found
