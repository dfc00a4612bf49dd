"""Peer certificate -> Peer, never a User. The chain was checked by TLS; here the name is."""

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.receiver.server.peer import BUNDLED, Trust, peer_certificate


@dataclass(frozen=True)
class Peer:
    """Who is at the other end of the connection: the name in its certificate that we allow."""

    name: str


def trust() -> Trust:
    """Where the certificate may come from: our own TLS server, or the headers of a proxy that we trust."""
    return _proxies(*settings.BARS_TRUSTED_PROXIES) if settings.BARS_PEER_SOURCE == "proxy" else BUNDLED


@lru_cache
def _proxies(*addresses: str) -> Trust:
    return Trust.proxy(addresses)


def authenticate_peer(request: HttpRequest) -> Peer:
    """Raises OutcomeError 403 REC_FORBIDDEN when there is no certificate, or one with another name."""
    certificate = peer_certificate(request.META, trust())
    names = {certificate.common_name, *certificate.dns_names} if certificate else set()
    allowed = names & set(settings.BARS_PEER_NAMES)
    if not allowed:
        raise fault(OutcomeCode.FORBIDDEN, "The client certificate may not use this service.")
    return Peer(sorted(allowed)[0])
