"""The environments of BaRS as data: addresses, chains, names, source addresses, patterns, who does what.

Read by the settings, the receiver's server, the onboarding desk and the doctor alike. Sources: the standard's
pages on onboarding (guide 1.8.2), on testing and environments (1.8.1, and 1.0.0-beta where they differ) and
on security (1.7.0).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bars_portal.credentials.mailboxes import CATALOGUE, DIR, DNS, ITOC, KEYS, LIVE_KEYS, Desk, simulated

FHIR_PATH = "/booking-and-referral/FHIR/R4"
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path, no secret


class Hosting(StrEnum):
    """Whose machine answers: one supplier's for many organisations, or the provider's own."""

    SUPPLIER = "supplier"
    PROVIDER = "provider"


@dataclass(frozen=True)
class Link:
    """A certificate of a published chain. `sha1` is its thumbprint in hex; "" where none is published."""

    common_name: str
    sha1: str


@dataclass(frozen=True)
class Chain:
    """From the leaf that is presented up to the root."""

    leaf: Link
    authorities: tuple[Link, ...]

    @property
    def root(self) -> Link:
        return self.authorities[-1]

    @property
    def issuer(self) -> Link:
        """Whoever signs leaves."""
        return self.authorities[0]


@dataclass(frozen=True)
class Sources:
    """Where requests of the proxy come from, as one version of the documents says."""

    document: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Environment:
    """One environment. `host` "" is the simulator's own address, wherever it runs.

    `prefix` goes before both paths. `inbound` is the chain that the proxy shows to senders, `outbound` the
    one of what it shows to receivers, and of the receivers themselves. `word` stands in names (KID, FQDN).
    """

    name: str
    title: str
    word: str
    host: str
    needs_token: bool
    has_receivers: bool
    for_patients: bool = False
    prefix: str = ""
    inbound: Chain | None = None
    outbound: Chain | None = None
    peer_names: tuple[str, ...] = ()
    # Newest first.
    sources: tuple[Sources, ...] = ()
    # Of receivers' names; none where nothing is sent to receivers.
    patterns: Mapping[Hosting, str] = field(default_factory=dict)
    key_desk: Desk | None = None
    certificate_desk: Desk | None = None
    dns_desk: Desk | None = None
    catalogue_desk: Desk | None = None
    catalogue_api: bool = False
    # Whether the published test services (TKW) answer there: for those who send, and never for patients.
    has_test_services: bool = False

    @property
    def is_simulated(self) -> bool:
        return not self.host

    @property
    def has_desks(self) -> bool:
        """Whether one is led into it: the simulator's own has its keys in files from the start."""
        return self.key_desk is not None or not self.needs_token

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where requests of the proxy come from, by the newest documents."""
        return self.sources[0].addresses if self.sources else ()

    @property
    def chain(self) -> Chain:
        """What receivers and the proxy show one another. Raises ValueError where there are no receivers."""
        if self.outbound is None:
            raise ValueError(f"nothing is sent to receivers in {self.name}")
        return self.outbound

    def base_url(self, simulator: str = "") -> str:
        """Of the BaRS API; `simulator` is where that runs."""
        return f"{self.host or simulator}{self.prefix}{FHIR_PATH}"

    def token_url(self, simulator: str = "") -> str:
        """The full address, which is also the audience of assertions."""
        return f"{self.host or simulator}{self.prefix}{TOKEN_PATH}"


_DIGICERT = (
    Link("DigiCert TLS RSA SHA256 2020 CA1", "1c58a3a8518e8759bf075b76b750d4f2df264fcd"),
    Link("DigiCert Global Root CA", "a8985d3a65e5e5c4b2d7d66d40c6dd2fb19c5436"),
)
_PTL = Chain(
    Link("int.api.service.nhs.uk", "ce7808839f72ea8ed4548b4de37546bed5d6dc9f"),
    (
        Link("NHS INT Level 1C", "5007daf3aeea1c1360ec0d1e9e5bedccc7182b79"),
        Link("NHS PTL Root Authority", "6287fa6e10a7dd90e62556f7c2814a6abf04590c"),
    ),
)
_LIVE = Chain(
    Link("bars-proxy.spineservices.nhs.uk", "57c911af253c2f8c362654f78f13e73051eeede3"),
    (
        Link("NHS Level 1C", "da3cf9d13a705704f2cba274c79794963c36ff94"),
        Link("NHS Root Authority", "ec7a3b3cb795ece956c5a7bec4204a298feb236c"),
    ),
)
_LOCAL = Chain(
    Link("int.api.service.nhs.uk", ""),
    (Link("BaRS local test Level 1C", ""), Link("BaRS local test Root Authority", "")),
)
_SIMULATED_INT = Chain(
    Link("int.api.service.nhs.uk", ""),
    (Link("Simulated NHS INT Level 1C", ""), Link("Simulated NHS PTL Root Authority", "")),
)

_BETA = "Testing and environments, guide 1.0.0-beta"
_NEWEST = "Onboarding, guide 1.8.2; testing and environments, guide 1.8.1"
_LIVE_ADDRESSES = ("34.89.0.111", "34.89.69.6")
_INT_PATTERNS = {
    Hosting.SUPPLIER: "BaRS-INT-{ods}.{name}.thirdparty.nhs.uk",
    Hosting.PROVIDER: "BaRS-INT-{ods}.{name}.nhs.uk",
}
_PROD_PATTERNS = {
    Hosting.SUPPLIER: "BaRS-PROD-{ods}.{name}.thirdparty.nhs.uk",
    Hosting.PROVIDER: "BaRS-PROD-{ods}.{name}.nhs.uk",
}

_INT_SOURCES = (Sources(_NEWEST, ("35.197.254.55", "35.246.55.143")), Sources(_BETA, _LIVE_ADDRESSES))
_PROD_SOURCES = (Sources(_NEWEST, _LIVE_ADDRESSES), Sources(_BETA, _LIVE_ADDRESSES))

ENVIRONMENTS: Mapping[str, Environment] = {
    each.name: each
    for each in (
        Environment(
            name="simulator",
            title="Simulator on this machine",
            word="SIMULATOR",
            host="",
            needs_token=True,
            has_receivers=True,
            outbound=_LOCAL,
            peer_names=(_LOCAL.leaf.common_name,),
            patterns=_INT_PATTERNS,
            catalogue_api=True,
            has_test_services=True,
        ),
        Environment(
            name="simulated-int",
            title="Simulated integration test, with a chain of its own",
            word="INT",
            host="",
            prefix="/simulated-int",
            needs_token=True,
            has_receivers=True,
            outbound=_SIMULATED_INT,
            peer_names=(_SIMULATED_INT.leaf.common_name,),
            sources=(Sources("the simulator: loopback", ("127.0.0.1", "::1")),),
            patterns=_INT_PATTERNS,
            key_desk=simulated(KEYS),
            certificate_desk=simulated(ITOC),
            dns_desk=simulated(DNS),
            catalogue_desk=simulated(CATALOGUE),
            catalogue_api=True,
            has_test_services=True,
        ),
        Environment(
            name="sandbox",
            title="Sandbox",
            word="SANDBOX",
            host="https://sandbox.api.service.nhs.uk",
            needs_token=False,
            has_receivers=False,
            # Nobody calls; whoever runs a receiver there all the same lets in nobody else.
            peer_names=(_PTL.leaf.common_name,),
            # The page's table has it under the name of dev, whose certificate names it too.
            inbound=Chain(
                Link("dev.api.service.nhs.uk", "8c41b2d0080ff4f83ef4164078d17bab5ed53cbb"), _DIGICERT
            ),
        ),
        Environment(
            name="dev",
            title="Development",
            word="DEV",
            host="https://dev.api.service.nhs.uk",
            needs_token=True,
            has_receivers=False,
            inbound=Chain(
                Link("dev.api.service.nhs.uk", "8c41b2d0080ff4f83ef4164078d17bab5ed53cbb"), _DIGICERT
            ),
            outbound=_PTL,
            peer_names=(_PTL.leaf.common_name,),
            key_desk=KEYS,
        ),
        Environment(
            name="int",
            title="Integration test (INT)",
            word="INT",
            host="https://int.api.service.nhs.uk",
            needs_token=True,
            has_receivers=True,
            inbound=Chain(
                Link("int.api.service.nhs.uk", "634680dfafcf3a6e229741ae7ad5b98dbe70d822"), _DIGICERT
            ),
            outbound=_PTL,
            peer_names=(_PTL.leaf.common_name,),
            sources=_INT_SOURCES,
            patterns=_INT_PATTERNS,
            key_desk=KEYS,
            certificate_desk=ITOC,
            dns_desk=DNS,
            catalogue_desk=CATALOGUE,
            has_test_services=True,
        ),
        Environment(
            name="prod",
            title="Production (Live)",
            word="PROD",
            host="https://api.service.nhs.uk",
            needs_token=True,
            has_receivers=True,
            for_patients=True,
            inbound=Chain(Link("api.service.nhs.uk", "2673f9045ba6f8ff8b7b82a9046f9b599af27cab"), _DIGICERT),
            outbound=_LIVE,
            peer_names=(_LIVE.leaf.common_name,),
            sources=_PROD_SOURCES,
            patterns=_PROD_PATTERNS,
            key_desk=LIVE_KEYS,
            certificate_desk=DIR,
            dns_desk=DNS,
            catalogue_desk=CATALOGUE,
        ),
    )
}
# In a key id: the words of the environments.
KEY_ID_WORDS = tuple(dict.fromkeys(each.word for each in ENVIRONMENTS.values()))


def environment(name: str) -> Environment:
    """Raises KeyError."""
    return ENVIRONMENTS[name]


def of_authority(common_name: str) -> tuple[Environment, ...]:
    """The environments whose receivers and proxy have certificates of this authority."""
    return tuple(
        each
        for each in ENVIRONMENTS.values()
        if each.outbound and common_name in {link.common_name for link in each.outbound.authorities}
    )


class InvalidName(ValueError):
    """A name that breaks its pattern; the text says how it should read and never carries it."""


_ODS_CODE = re.compile(r"[A-Z0-9]{3,12}")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_SUFFIX = re.compile(r"[A-Za-z0-9]{0,20}")


def fqdn_of(environment: Environment, hosting: Hosting, *, ods: str, name: str, suffix: str = "") -> str:
    """By the pattern. `suffix` tells several endpoints of one provider apart: it follows the ODS code.

    Raises InvalidName.
    """
    if not environment.has_receivers:
        raise InvalidName(f"{environment.title} sends nothing to receivers: there is no name to choose.")
    if not _ODS_CODE.fullmatch(ods):
        raise InvalidName("An ODS code has capital letters and digits only, such as X26.")
    if not _LABEL.fullmatch(name):
        raise InvalidName("The name in it has letters, digits and hyphens only, such as MySupplier.")
    if not _SUFFIX.fullmatch(suffix):
        raise InvalidName("What tells the settings apart has letters and digits only, such as UTC.")
    return environment.patterns[hosting].format(ods=f"{ods}{suffix}", name=name)


def check_fqdn(fqdn: str, environment: Environment, hosting: Hosting, *, ods: str) -> None:
    """That it is a host name under nhs.uk, of this environment, with this ODS code. Raises InvalidName."""
    pattern = environment.patterns[hosting]
    shape = f"It reads {pattern.format(ods=ods, name='<Name>')}."
    if "*" in fqdn:
        raise InvalidName(f"A wildcard is not issued: each receiver has a name of its own. {shape}")
    if len(fqdn) > 64:
        raise InvalidName("It is longer than the 64 characters that a common name may have.")
    if not all(_LABEL.fullmatch(each) for each in fqdn.split(".")):
        raise InvalidName(f"This is no host name. {shape}")
    if not fqdn.lower().endswith(".nhs.uk"):
        raise InvalidName(f"Certificates are issued for names under nhs.uk only. {shape}")
    others = {_in_names(each) for each in ENVIRONMENTS.values() if each.patterns} - {_in_names(environment)}
    begins = fqdn.upper()
    if wrong := next((word for word in sorted(others) if begins.startswith(f"BARS-{word}-")), None):
        raise InvalidName(f"That is a name of {wrong}, and this is {_in_names(environment)}. {shape}")
    code = re.match(rf"BaRS-{_in_names(environment)}-([A-Za-z0-9]+)\.", fqdn, re.IGNORECASE)
    if code is None:
        raise InvalidName(f"It does not follow the pattern of {environment.title}. {shape}")
    if not code[1].startswith(ods):
        capital = code[1].upper().startswith(ods)
        said = "The ODS code in it is written in capitals." if capital else "It holds another ODS code."
        raise InvalidName(f"{said} {shape}")
    end, labels = pattern.partition("{name}")[2], fqdn.lower().split(".")
    if hosting is Hosting.SUPPLIER and (not fqdn.lower().endswith(end) or len(labels) != 5):
        raise InvalidName(f"A solution that a supplier hosts is named under thirdparty.nhs.uk. {shape}")
    if hosting is Hosting.PROVIDER and "thirdparty" in labels:
        raise InvalidName(f"A provider's own solution is not named under thirdparty.nhs.uk. {shape}")


def _in_names(environment: Environment) -> str:
    """The word of its FQDN pattern: the simulator follows int's."""
    return environment.patterns[Hosting.SUPPLIER].split("-")[1]
