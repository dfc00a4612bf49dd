"""Base addresses of receivers, as a catalogue may hold them."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from directory.catalogue.faults import Faults

_LONGEST = 300
# The proxy itself, in every environment: a service must not be reached through what is looking for it.
PROXY_HOSTS = frozenset(
    f"{name}api.service.nhs.uk" for name in ("", "int.", "dev.", "sandbox.", "ref.", "internal-dev.")
)


class BadAddress(ValueError):
    """The address cannot be used; the message says why."""


@dataclass(frozen=True)
class AddressRules:
    """`proxies`: base addresses of further BaRS proxies. `played`: the simulator may be named."""

    proxies: Collection[str] = ()
    played: bool = False

    def read(self, address: object) -> str:
        """The address without its trailing slash. Raises BadAddress."""
        if not isinstance(address, str) or not address.strip():
            raise BadAddress("an address is missing")
        if address != address.strip() or len(address) > _LONGEST:
            raise BadAddress(f"an address has no blanks around it and at most {_LONGEST} characters")
        if self.played and address.startswith("simulator:"):
            return address
        parts = _split(address)
        if self._goes_round(parts, address):
            raise BadAddress("the address leads back to the BaRS proxy: messages would go round in a circle")
        return address.removesuffix("/")

    def note(self, address: object, where: str, faults: Faults) -> str:
        """As `read`, but a bad address becomes a fault and ""."""
        try:
            return self.read(address)
        except BadAddress as problem:
            faults.add(where, str(problem))
            return ""

    def _goes_round(self, parts: SplitResult, address: str) -> bool:
        return parts.hostname in PROXY_HOSTS or any(
            f"{address.rstrip('/')}/".startswith(f"{proxy.rstrip('/')}/") for proxy in self.proxies if proxy
        )


def _split(address: str) -> SplitResult:
    if not address.isprintable() or " " in address:
        raise BadAddress("an address has no blanks in it")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise BadAddress("this is no address") from None
    if parts.scheme != "https":
        raise BadAddress("an address starts with https://")
    if not parts.hostname or port == 0:
        raise BadAddress("the address names no host")
    if parts.username is not None or parts.query or parts.fragment or "?" in address or "#" in address:
        raise BadAddress("an address has no user name, no ? and no #")
    return parts
