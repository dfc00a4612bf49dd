"""Peer certificate -> Peer, never a User; and how much one partner may ask of one process.

The chain was checked by TLS; here the name and the address are. The BaRS proxy calls for everybody, so for
the limit the organisation in the header counts, not the certificate alone: one whose program runs wild must
not cost the others their answers. Beyond it 429, and when to ask again; each process counts for itself.
"""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.models import SeenCertificate
from bars_portal.exchange.receiver.server.peer import (
    BUNDLED,
    Admission,
    PeerCertificate,
    Refused,
    Trust,
    peer_address,
    peer_certificate,
)
from bars_portal.shares import Shares


@dataclass(frozen=True)
class Peer:
    """Who is at the other end of the connection: the name in its certificate that we allow."""

    name: str


class PeerAuthentication(BaseAuthentication):
    """`request.user` becomes the Peer, `request.auth` its certificate."""

    def authenticate(self, request: Request) -> tuple[Peer, PeerCertificate]:
        """Raises AuthenticationFailed without a certificate or with another name, 403 for an address."""
        certificate = peer_certificate(request.META, _trust())
        admission = _admission(tuple(settings.BARS_PEER_NAMES), tuple(settings.BARS_PEER_SOURCES))
        refusal = admission.judge(certificate, peer_address(request.META, _trust()))
        if refusal is Refused.SOURCE:
            raise fault(OutcomeCode.FORBIDDEN, "Calls from this address are not taken.")
        if certificate is None or refusal:
            raise AuthenticationFailed
        return Peer(admission.name_of(certificate)), certificate


# Each process writes down what it sees so often.
_NOTED_EVERY = timedelta(hours=1)
_noted: dict[str, datetime] = {}


def note_certificate(certificate: PeerCertificate, *, now: datetime) -> None:
    """For the page of partners: which one is in use, and until when. Never a reason not to answer."""
    noted = _noted.get(certificate.fingerprint)
    if noted is not None and noted <= now < noted + _NOTED_EVERY:
        return
    _noted[certificate.fingerprint] = now
    seen = SeenCertificate(
        fingerprint=certificate.fingerprint,
        name=(certificate.common_name or ", ".join(certificate.dns_names))[:200],
        issuer=certificate.issuer[:300],
        expires_at=certificate.expires_at,
        first_seen_at=now,
        last_seen_at=now,
    )
    with suppress(DatabaseError):
        SeenCertificate.objects.bulk_create(
            [seen],
            update_conflicts=True,
            unique_fields=["fingerprint"],
            update_fields=["last_seen_at"],
        )


def who_came(environ: Mapping[str, Any]) -> dict[str, str | int | None]:
    """For the trail, of a caller that is not let in: fingerprint of the certificate, and address."""
    certificate = peer_certificate(environ, _trust())
    return {
        "fingerprint": certificate.fingerprint if certificate else None,
        "address": peer_address(environ, _trust()) or None,
    }


@lru_cache
def _admission(names: tuple[str, ...], sources: tuple[str, ...]) -> Admission:
    return Admission.of(names, sources)


def _trust() -> Trust:
    """Where the certificate may come from: our own TLS server, or the headers of a proxy that we trust."""
    return _proxies(*settings.BARS_TRUSTED_PROXIES) if settings.BARS_PEER_SOURCE == "proxy" else BUNDLED


@lru_cache
def _proxies(*addresses: str) -> Trust:
    return Trust.proxy(addresses)


SHARES = Shares()


class PartnerThrottle(BaseThrottle):
    """DRF's throttle, after the certificate is known; BARS_PEER_REQUESTS_A_MINUTE 0 is without a limit."""

    seconds = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        limit = settings.BARS_PEER_REQUESTS_A_MINUTE
        if limit:
            # As it was sent: a header that does not decode has a share as well.
            key = (request.user, request.headers.get("NHSD-End-User-Organisation", ""))
            self.seconds = SHARES.take(hash(key), a_minute=limit, now=monotonic()).waits
        return self.seconds == 0

    def wait(self) -> float:
        return max(1.0, math.ceil(self.seconds))
