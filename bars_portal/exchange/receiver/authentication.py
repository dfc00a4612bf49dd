"""Peer certificate -> Peer, never a User. The chain was checked by TLS; here the name is."""

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from bars_portal.exchange.receiver.server.peer import BUNDLED, PeerCertificate, Trust, peer_certificate


@dataclass(frozen=True)
class Peer:
    """Who is at the other end of the connection: the name in its certificate that we allow."""

    name: str


class PeerAuthentication(BaseAuthentication):
    """`request.user` becomes the Peer, `request.auth` its certificate."""

    def authenticate(self, request: Request) -> tuple[Peer, PeerCertificate]:
        """Raises AuthenticationFailed when there is no certificate, or one with another name."""
        certificate = peer_certificate(request.META, _trust())
        if certificate is None:
            raise AuthenticationFailed
        allowed = {certificate.common_name, *certificate.dns_names} & set(settings.BARS_PEER_NAMES)
        if not allowed:
            raise AuthenticationFailed
        return Peer(min(allowed)), certificate


def _trust() -> Trust:
    """Where the certificate may come from: our own TLS server, or the headers of a proxy that we trust."""
    return _proxies(*settings.BARS_TRUSTED_PROXIES) if settings.BARS_PEER_SOURCE == "proxy" else BUNDLED


@lru_cache
def _proxies(*addresses: str) -> Trust:
    return Trust.proxy(addresses)
