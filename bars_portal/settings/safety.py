"""What production refuses, each with the variable to change."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from bars_portal.credentials.environments import ENVIRONMENTS

_BROKERS = frozenset({"redis", "rediss", "sentinel", "amqp", "amqps", "pyamqp"})
# All of them or none: then each organisation has an application of its own.
_APPLICATION = {
    # pragma: allowlist nextline secret - the name of a variable
    "API_KEY": "BARS_API_KEY",
    "KEY_ID": "BARS_KEY_ID",
    # pragma: allowlist nextline secret - the name of a variable
    "PRIVATE_KEY_FILE": "BARS_PRIVATE_KEY_FILE",
}
_REQUIRED = {
    "ODS_CODE": "BARS_ODS_CODE",
    "ORGANISATION_NAME": "BARS_ORGANISATION_NAME",
    "SERVICE_ID": "BARS_SERVICE_ID",
}


def require_safe_production(
    *,
    secret_key: str,
    debug: bool,
    allowed_hosts: Sequence[str],
    bars: Mapping[str, str],
    shared_credentials: bool,
    broker_url: str,
    trusted_proxies: Sequence[str],
    portal_proxies: Sequence[str],
    cis2: Mapping[str, Any],
    audit: Mapping[str, str],
    process: str,
    var: Path,
) -> None:
    """Raise ImproperlyConfigured listing everything unsafe; values never appear in the text."""
    problems = [
        *_django_problems(secret_key, debug, allowed_hosts),
        *_bars_problems(bars, var, shared=shared_credentials),
        *_proxy_problems("BARS_TRUSTED_PROXIES", [each for each in trusted_proxies if each != "unix"]),
        *_proxy_problems("FORWARDED_ALLOW_IPS", portal_proxies),
        *_cis2_problems(cis2, var),
        *_audit_problems(audit, process, var),
        *([] if urlsplit(broker_url).scheme in _BROKERS else ["BROKER_URL must name Redis or RabbitMQ."]),
    ]
    if problems:
        raise ImproperlyConfigured("Production refuses to start:\n- " + "\n- ".join(problems))


def _django_problems(secret_key: str, debug: bool, allowed_hosts: Sequence[str]) -> Iterator[str]:
    if debug:
        yield "DJANGO_DEBUG must be off."
    if len(secret_key) < 50 or len(set(secret_key)) < 10 or "not-a-secret" in secret_key:
        yield "DJANGO_SECRET_KEY must be a random value of at least 50 characters."
    if not allowed_hosts or "*" in allowed_hosts:
        yield "ALLOWED_HOSTS must list the host names, without *."


def _proxy_problems(variable: str, trusted: Sequence[str]) -> Iterator[str]:
    """Whoever is trusted says whose certificate a caller has (receiver.server.peer), or where people are."""
    try:
        networks = [ip_network(each) for each in trusted]
    except ValueError:
        yield f"{variable} must hold IP addresses or networks (for the receiver also unix), no names."
        return
    if any(each.prefixlen == 0 for each in networks):
        yield f"{variable} must not trust everybody."


def _cis2_problems(cis2: Mapping[str, Any], var: Path) -> Iterator[str]:
    if cis2["ISSUER"] and urlsplit(cis2["ISSUER"]).scheme != "https":
        yield "CIS2_ISSUER must be an https address."
    if _is_below(cis2["PRIVATE_KEY_FILE"], var):
        yield "CIS2_PRIVATE_KEY_FILE points into var/: that is a demo key."


def _audit_problems(audit: Mapping[str, str], process: str, var: Path) -> Iterator[str]:
    """The worker signs where the chain over the trail ends, and keeps that outside the database."""
    if process == "worker" and not audit["SIGNING_KEY_FILE"]:
        yield "AUDIT_SIGNING_KEY_FILE must be set for the worker."
    if process == "worker" and not audit["HEADS_FOLDER"]:
        yield "AUDIT_HEADS_FOLDER must be set for the worker."
    if _is_below(audit["SIGNING_KEY_FILE"], var):
        yield "AUDIT_SIGNING_KEY_FILE points into var/: that is a demo key."


def _is_below(file: str, var: Path) -> bool:
    return bool(file) and Path(file).resolve().is_relative_to(var.resolve())


def _bars_problems(bars: Mapping[str, str], var: Path, *, shared: bool) -> Iterator[str]:
    if ENVIRONMENTS[bars["ENVIRONMENT"]].is_simulated:
        yield "BARS_ENVIRONMENT must be sandbox, dev, int or prod: the simulator is for demos."
    has_application = any(bars[key] for key in _APPLICATION)
    required = {**_APPLICATION, **_REQUIRED} if has_application else _REQUIRED
    yield from (f"{variable} must be set." for key, variable in required.items() if not bars[key])
    if shared and bars["ENVIRONMENT"] == "prod":
        yield "BARS_SHARED_CREDENTIALS must be off: in production each organisation has its own application."
    if "-SIMULATOR-" in bars["KEY_ID"].upper():
        yield "BARS_KEY_ID is the demo's."
    if _is_below(bars["PRIVATE_KEY_FILE"], var):
        yield "BARS_PRIVATE_KEY_FILE points into var/: that is a demo key."
    if _is_below(bars.get("NEXT_PRIVATE_KEY_FILE", ""), var):
        yield "BARS_NEXT_PRIVATE_KEY_FILE points into var/: that is a demo key."
