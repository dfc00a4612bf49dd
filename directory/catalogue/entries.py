"""What a catalogue says, in one form for every source, whose services it may speak of, and its faults."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

# Values by the names of the model's fields; what a source does not say is not there.
Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """One service. `provider` is an ODS code, or "" when the source names nobody."""

    service_id: str
    said: Said
    provider: str = ""
    provider_name: str = ""
    catalogue_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EndpointEntry:
    """One way to reach one service. Without a catalogue id a source knows one endpoint a service."""

    service_id: str
    said: Said
    managed_by: str = ""
    catalogue_id: UUID | None = None


@dataclass(frozen=True)
class Catalogue:
    """`source` is a value of `directory.models.Source`. Services of that source that it leaves out are gone.

    `organisations`: only theirs were asked for (ODS codes), so only theirs can be gone; None: everybody's.
    """

    source: str
    services: tuple[ServiceEntry, ...]
    endpoints: tuple[EndpointEntry, ...]
    organisations: frozenset[str] | None = None


@dataclass(frozen=True)
class Reach:
    """Those of one `organisation` (ODS code, "" for none), those that nobody here hosts, or all.

    What is hosted here is its provider's alone: whoever could change its provider, its callers or its
    endpoint would get its patients.
    """

    organisation: str = ""
    unhosted: bool = False
    everything: bool = False

    def covers(self, *, provider: str, hosted: bool) -> bool:
        """`provider`: ODS code of the organisation that a service has, or is to have; "" when nobody says."""
        own = bool(self.organisation) and provider == self.organisation
        return self.everything or own or (self.unhosted and not hosted)


# The command line's, where somebody has the whole database anyway, and the superusers'.
EVERYTHING = Reach(everything=True)


MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """`where` is "Line 3", "Line 3, column name", or a path such as HealthcareService/<id>.name."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class BadCatalogue(ValueError):
    """The catalogue cannot be used. `faults` holds the first of them, `count` says how many there are."""

    def __init__(self, faults: Sequence[Fault], count: int | None = None) -> None:
        self.faults = tuple(faults[:MOST_SHOWN])
        self.count = len(faults) if count is None else count
        super().__init__("; ".join(map(str, self.faults[:3])))


class Faults:
    """Collects faults, so that people need not mend a file one line at a time."""

    def __init__(self) -> None:
        self._first: list[Fault] = []
        self._count = 0

    def add(self, where: str, reason: str) -> None:
        self._count += 1
        if not self.full:
            self._first.append(Fault(where, reason))

    @property
    def full(self) -> bool:
        """Whether further faults are only counted."""
        return len(self._first) >= MOST_SHOWN

    def reasons(self) -> list[str]:
        return [fault.reason for fault in self._first]

    def raise_if_any(self) -> None:
        """Raises BadCatalogue."""
        if self._count:
            raise BadCatalogue(self._first, self._count)


def refuse(where: str, reason: str) -> BadCatalogue:
    """For what makes reading on pointless."""
    return BadCatalogue([Fault(where, reason)])


# 100,000 services with everything said about each are about 25 MB.
MOST_BYTES = 64 * 1024 * 1024
MOST_SERVICES = 250_000
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def read_text(content: bytes) -> str:
    """UTF-8, with or without a byte-order mark. Raises BadCatalogue naming the line of the first bad byte."""
    if len(content) > MOST_BYTES:
        raise refuse("File", f"it is larger than {MOST_BYTES // (1024 * 1024)} MB")
    if encoding := _OTHER_ENCODINGS.get(content[:2]):
        raise refuse("Line 1", f"the file is written in {encoding}; save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise refuse(f"Line {line}", "this is not UTF-8; save the file as UTF-8") from None
    if (place := text.find("\0")) >= 0:
        line = text.count("\n", 0, place) + 1
        raise refuse(f"Line {line}", "there is a zero byte, so this is not text")
    if not text.strip():
        raise refuse("File", "it is empty")
    return text


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
