"""Whom the receiver lets in: by the name in the certificate, and by the address that the call comes from.

Asked twice of every caller: by the TLS server before a request thread is taken, and by the application, which
answers 403 and says so on the trail, behind nginx as well.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

from bars_portal.exchange.receiver.server.peer import PeerCertificate


class Refused(Enum):
    """Why somebody of the right chain is not let in."""

    NAME = "no name in the certificate is allowed"
    SOURCE = "the address is not allowed"


@dataclass(frozen=True)
class Admission:
    """`networks` empty: from anywhere."""

    names: frozenset[str]
    networks: tuple[IPv4Network | IPv6Network, ...]

    @classmethod
    def of(cls, names: Collection[str], sources: Collection[str]) -> Self:
        """Raises ValueError when a source is neither an address nor a network."""
        return cls(frozenset(names), tuple(ip_network(each) for each in sources))

    def judge(self, certificate: PeerCertificate | None, address: str) -> Refused | None:
        """None lets in. Without a certificate there is no name."""
        if not self.name_of(certificate):
            return Refused.NAME
        return None if self._is_allowed(address) else Refused.SOURCE

    def name_of(self, certificate: PeerCertificate | None) -> str:
        """The name that lets it in, or nothing."""
        if certificate is None:
            return ""
        return min({certificate.common_name, *certificate.dns_names} & self.names, default="")

    def _is_allowed(self, address: str) -> bool:
        return not self.networks or _is_in(address, self.networks)


# All calls come from a few addresses.
@lru_cache(maxsize=256)
def _is_in(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in network for network in networks)
