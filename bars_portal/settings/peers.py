"""Who may call the receiver in each environment: names of client certificates, and source addresses.

Read by Django's settings and by the receiver's server, which judges before Django is asked.
"""

from ipaddress import ip_network

from django.core.exceptions import ImproperlyConfigured

from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.settings.environment import Environment


def peer_names(env: Environment, environment: str) -> list[str]:
    """BARS_PEER_NAMES: the names in a certificate of which one must be there."""
    known = ENVIRONMENTS.get(environment)
    return env.listing("BARS_PEER_NAMES", known.peer_names if known else ())


def peer_sources(env: Environment) -> list[str]:
    """BARS_PEER_SOURCES: addresses, networks, "int" and "prod" for the published ones; none: from anywhere.

    Raises ImproperlyConfigured.
    """
    words = env.listing("BARS_PEER_SOURCES")
    found = [each for word in words for each in _published(word.lower()) or (word,)]
    try:
        for each in found:
            ip_network(each)
    except ValueError:
        raise ImproperlyConfigured(
            'BARS_PEER_SOURCES must hold IP addresses, networks, "int" or "prod".'
        ) from None
    return found


def _published(name: str) -> tuple[str, ...]:
    return ENVIRONMENTS[name].addresses if name in ENVIRONMENTS else ()
