"""What every message of ours says around its content: from whom, to whom, and under which reference."""

import re
from datetime import datetime
from secrets import randbelow

from django.conf import settings

from bars_portal.accounts.models import Organisation
from bars_portal.correspondence.entries import Parties
from bars_portal.exchange.fhir.bundle import HeaderFacts, triage_tool
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.gateway.senders import own_software, reply_address_of
from directory.mapping import healthcare_service_to_fhir, organisation_to_fhir
from directory.models import HealthcareService
from directory.selectors.services import facts_of


def header_to(
    service: HealthcareService, *, sender: Organisation, tool: str = "", tool_version: str = ""
) -> HeaderFacts:
    """`source` is the sender's own reply address, so that answers and later messages find them.

    `tool`: the decision support of the assessment, where it is another than this installation's.
    """
    used = (tool, tool_version) if tool else own_triage_tool()
    return header_between(
        destination=ServiceID.parse(service.service_id),
        source=ServiceID.parse(reply_address_of(sender.ods_code)),
        triage_tools=triage_tool("Requester", *used),
    )


def header_between(
    *, destination: ServiceID, source: ServiceID, triage_tools: tuple[tuple[str, str], ...]
) -> HeaderFacts:
    """With what this system says of itself in every message."""
    software = own_software()
    return HeaderFacts(
        destination=destination,
        source=source,
        source_name=settings.BARS["SUPPLIER_NAME"] or software.name,
        software=software.name,
        version=software.version,
        contact=settings.BARS["SUPPORT_CONTACT"],
        triage_tools=triage_tools,
    )


def own_triage_tool() -> tuple[str, str]:
    """Name and version of the decision support of this installation, "" where it has none."""
    return settings.BARS["TRIAGE_TOOL"], settings.BARS["TRIAGE_TOOL_VERSION"]


# Who asks whom, as resources of a message.


def parties_of(service: HealthcareService, sender: Organisation, now: datetime) -> Parties:
    """Both organisations, and the service as our directory knows it; `service.provider` is read."""
    provider = service.provider
    return Parties(
        sender=organisation_to_fhir(name=sender.name, ods_code=sender.ods_code, now=now),
        receiver=organisation_to_fhir(name=provider.name, ods_code=provider.ods_code, now=now),
        service=healthcare_service_to_fhir(facts_of(service), now=now),
    )


# Human-readable booking references: short, random, and hard to misread or to mishear.


# Without vowels (no words by accident) and without what looks or sounds alike.
ALPHABET = "2347CDFGHJKMNPQRTVWXY"
_LETTERS = re.compile(r"[^A-Z]")


def new_reference(organisation_name: str) -> str:
    """Such as RIV-7K3M-Q2; the first part is from the organisation's name. The database makes it unique."""
    prefix = _LETTERS.sub("", organisation_name.upper())[:3] or "BKG"
    return f"{prefix}-{_random(4)}-{_random(2)}"


def _random(length: int) -> str:
    """Drawn at once: each draw asks the operating system, and lets another thread go first."""
    drawn, letters = randbelow(len(ALPHABET) ** length), ""
    for _ in range(length):
        drawn, place = divmod(drawn, len(ALPHABET))
        letters += ALPHABET[place]
    return letters
