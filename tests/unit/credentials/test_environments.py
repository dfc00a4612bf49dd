"""The environments' data against the published documents and certificates; names by their patterns."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.x509.oid import NameOID

from bars_portal.credentials.environments import (
    ENVIRONMENTS,
    Environment,
    Hosting,
    InvalidName,
    check_fqdn,
    fqdn_of,
)

SEEDS = Path(__file__).resolve().parents[4] / "shared" / "seeds"
published = pytest.mark.skipif(not SEEDS.is_dir(), reason="the published documents are not here")
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
LINKS = {
    link.sha1: link.common_name
    for each in ENVIRONMENTS.values()
    for chain in (each.inbound, each.outbound)
    if chain
    for link in (chain.leaf, *chain.authorities)
    if link.sha1
}


def seeds() -> str:
    return "\n".join(file.read_text() for file in sorted(SEEDS.glob("*.txt")))


def name_of(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


@published
def test_thumbprints_are_those_of_the_published_table_and_of_the_certificates_in_it() -> None:
    text = seeds()
    assert LINKS.items() <= dict(_pairs(text)).items()
    certificates = [x509.load_pem_x509_certificate(each.encode()) for each in PEM.findall(text)]
    assert len(certificates) == 5
    issuers = {
        chain.leaf.sha1: chain.issuer.common_name
        for each in ENVIRONMENTS.values()
        for chain in (each.inbound, each.outbound)
        if chain
    }
    for each in certificates:
        sha1 = each.fingerprint(SHA1()).hex()
        assert LINKS[sha1] == name_of(each.subject), sha1
        assert issuers[sha1] == name_of(each.issuer), sha1
        # All that was published has expired since: the chains are known by name, the leaves by nothing.
        assert each.not_valid_after_utc < datetime(2024, 11, 1, tzinfo=UTC)


def _pairs(text: str) -> set[tuple[str, str]]:
    rows = re.findall(r"^(\S.*?) ([0-9a-f]{40}) (.*?) ([0-9a-f]{40}|N/A) ", text, re.MULTILINE)
    return {(sha1, name) for name, sha1, _parent, _parents in rows}


@published
def test_addresses_names_mailboxes_and_patterns_are_the_published_ones() -> None:
    text = seeds()
    for each in ENVIRONMENTS.values():
        if each.is_simulated:
            continue
        assert f"{each.host}/oauth2" in text
        for name in (*each.peer_names, *(address for found in each.sources for address in found.addresses)):
            assert name in text
        for desk in (each.key_desk, each.certificate_desk, each.dns_desk, each.catalogue_desk):
            assert desk is None or desk.mailbox in text
        for pattern in each.patterns.values():
            end = pattern.partition("{name}")[2]
            assert re.search(
                rf"BaRS-{each.word}-<ODS Code>\.<(Supplier|Provider) name>{re.escape(end)}", text
            )
    newest = (SEEDS / "onboarding-v1.8.2.txt").read_text()
    assert "INT on 35.197.254.55 & 35.246.55.143 and PROD on 34.89.0.111 & 34.89.69.6" in newest
    assert ENVIRONMENTS["int"].addresses == ("35.197.254.55", "35.246.55.143")
    assert ENVIRONMENTS["prod"].addresses == ("34.89.0.111", "34.89.69.6")


def test_addresses_of_api_and_token() -> None:
    assert ENVIRONMENTS["prod"].base_url() == "https://api.service.nhs.uk/booking-and-referral/FHIR/R4"
    assert ENVIRONMENTS["dev"].token_url() == "https://dev.api.service.nhs.uk/oauth2/token"
    simulated = ENVIRONMENTS["simulated-int"].token_url("http://127.0.0.1:8010")
    assert simulated == "http://127.0.0.1:8010/simulated-int/oauth2/token"
    assert not ENVIRONMENTS["sandbox"].needs_token


WITH_RECEIVERS = [each for each in ENVIRONMENTS.values() if each.has_receivers]


@pytest.mark.parametrize("hosting", Hosting)
@pytest.mark.parametrize("environment", WITH_RECEIVERS, ids=lambda each: each.name)
def test_a_name_made_by_the_pattern_passes_its_own_check(environment: Environment, hosting: Hosting) -> None:
    for suffix in ("", "UTC"):
        made = fqdn_of(environment, hosting, ods="X26", name="My-Supplier", suffix=suffix)
        check_fqdn(made, environment, hosting, ods="X26")


WRONG_NAMES = {
    "BaRS-PROD-X26.Supplier.thirdparty.nhs.uk": "That is a name of PROD, and this is INT.",
    "BaRS-INT-x26.Supplier.thirdparty.nhs.uk": "The ODS code in it is written in capitals.",
    "BaRS-INT-Y99.Supplier.thirdparty.nhs.uk": "It holds another ODS code.",
    "BaRS-INT-X26.Supplier.nhs.uk": "A solution that a supplier hosts is named under thirdparty.nhs.uk.",
    "BaRS-INT-X26.Supplier.thirdparty.nhs.uk.ac.com": "Certificates are issued for names under nhs.uk only.",
    "*.Supplier.thirdparty.nhs.uk": "A wildcard is not issued: each receiver has a name of its own.",
    "bars.Supplier.thirdparty.nhs.uk": "It does not follow the pattern of Integration test (INT).",
    "BaRS-INT-X26.Sup plier.thirdparty.nhs.uk": "This is no host name.",
    f"BaRS-INT-X26.{'a' * 60}.thirdparty.nhs.uk": "It is longer than the 64 characters",
}


@pytest.mark.parametrize(("fqdn", "said"), WRONG_NAMES.items())
def test_a_wrong_name_is_told_what_is_wrong(fqdn: str, said: str) -> None:
    with pytest.raises(InvalidName) as refused:
        check_fqdn(fqdn, ENVIRONMENTS["int"], Hosting.SUPPLIER, ods="X26")
    assert str(refused.value).startswith(said)
    assert fqdn not in str(refused.value)
