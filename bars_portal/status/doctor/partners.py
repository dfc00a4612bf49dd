"""Our place among others: our organisation and reply address, the catalogue, and who has answered lately."""

from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from uuid import uuid4

from django.conf import settings
from django.db.models import Max

from bars_portal.accounts.models import Organisation
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.gateway.client import PAGE_SECONDS, get_client
from bars_portal.exchange.gateway.senders import software_of
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.exchange.transport.auth import NoCredentials
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.headers import OutgoingContext, Party
from bars_portal.http import TransportError
from bars_portal.nhsuk.dates import format_moment
from bars_portal.status import selectors
from bars_portal.status.doctor.examination import (
    Examination,
    Finding,
    Visit,
    fine,
    skipped,
    warning,
    wrong,
)
from directory.models import HealthcareService

# Something was sent since, and nothing came back for so long.
_SILENT_FOR = timedelta(days=1)
_MOST_LINES, _MOST_ASKED = 20, 10


def _own_organisation(_visit: Visit) -> Finding:
    code = settings.BARS["ODS_CODE"]
    if Organisation.objects.filter(ods_code=code).exists():
        return fine(f"{code} is an organisation here.")
    return wrong(f"BARS_ODS_CODE is {code}, and no organisation here has that code.")


def _reply_address(_visit: Visit) -> Finding:
    service_id = settings.BARS["SERVICE_ID"]
    if HealthcareService.objects.filter(service_id=service_id, hosted=True, active=True).exists():
        return fine(f"{service_id} is a service hosted here.")
    return wrong(
        f"BARS_SERVICE_ID is {service_id}, which is no active service hosted here: replies find nobody."
    )


# -- the catalogue: not asked itself, for most environments have none that answers; the proxy reads it for us


def _catalogue(visit: Visit) -> Iterator[Finding]:
    """Each of our services, asked for through the proxy: is it known there, and does the way lead here?"""
    if not visit.environment.has_receivers:
        yield skipped(f"{visit.environment.title} sends nothing to receivers.")
        return
    hosted = (
        HealthcareService.objects.filter(hosted=True, active=True)
        .order_by("service_id")
        .select_related("provider")
    )
    services = list(hosted[: _MOST_ASKED + 1])
    client = get_client().within(PAGE_SECONDS)
    told = [fault for each in services[:_MOST_ASKED] if (fault := _fault(client, each)) is not None]
    yield from told
    if not told:
        more = f"the first {_MOST_ASKED}" if len(services) > _MOST_ASKED else f"all {len(services)}"
        yield fine(f"It knows {more} services that are hosted here, and they lead here.")


def _fault(client: BarsClient, service: HealthcareService) -> Finding | None:
    name, correlation_id = f"{service.name} ({service.service_id})", uuid4()
    context = OutgoingContext(
        request_id=uuid4(),
        correlation_id=correlation_id,
        target=ServiceID.parse(service.service_id),
        organisation=Party(service.provider.ods_code, service.provider.name),
        software=software_of(service.provider.ods_code),
    )
    try:
        answer = client.get("/metadata", context=context)
    except NoCredentials:
        # It is told as what is wrong with the organisation's connection.
        return skipped(f"{name}: {service.provider} has nothing to ask with.")
    except TransportError as error:
        return wrong(
            f"{name}: the proxy gave no answer ({error.kind}).", "Look at the network, and ask again."
        )
    if AuditEvent.objects.filter(correlation_id=correlation_id).exists():
        return None
    if answer.is_success:
        return wrong(f"{name} leads to another receiver.")
    if answer.status == HTTPStatus.NOT_FOUND:
        return wrong(f"It does not know {name}.")
    return wrong(
        f"{name}: the proxy answered {answer.status}, and nothing arrived here.",
        "Look whether the receiver can be reached from outside under the address that the catalogue has.",
    )


# -- who has answered


def _last_contact(visit: Visit) -> Iterator[Finding]:
    """Those that are spared are told by the examination of services that we send to."""
    spared = {each.service_id for each in selectors.spared_services()}
    recently = OutboundMessage.objects.filter(created_at__gt=visit.now - timedelta(days=7))
    # What waits and what was given up is told elsewhere too.
    recently = recently.exclude(state__in=(DeliveryState.QUEUED, DeliveryState.ABANDONED))
    sent = dict(recently.order_by().values_list("service_id").annotate(at=Max("created_at")))
    services = HealthcareService.objects.filter(service_id__in=[each for each in sent if each not in spared])
    silent = [
        each
        for each in services.order_by("name")
        if sent[each.service_id] > (each.last_success_at or visit.now - timedelta(days=7))
        and (each.last_success_at is None or each.last_success_at < visit.now - _SILENT_FOR)
        and sent[each.service_id] < visit.now - timedelta(minutes=5)
    ]
    for each in silent[:_MOST_LINES]:
        since = format_moment(each.last_success_at, visit.now) if each.last_success_at else "never"
        yield warning(f"{each.name} ({each.service_id}): messages were sent, the last success was {since}.")
    if not sent:
        yield fine("Nothing was sent in the last week.")
    elif not silent:
        yield fine(f"All {len(sent)} that something was sent to in the last week have answered since.")


_CATALOGUE_TODO = (
    "Have the endpoint catalogue corrected: tell its desk the receiver's address and the service ids."
)
PARTNERS = (
    Examination(
        "organisation",
        "Our organisation",
        _own_organisation,
        "Add the organisation in the administration, or correct BARS_ODS_CODE.",
        "docs/how-to/give-people-access.md",
        needs=("migrations", "identity"),
    ),
    Examination(
        "reply-address",
        "Address for replies",
        _reply_address,
        "Add the service in the administration as hosted here, or correct BARS_SERVICE_ID.",
        "docs/how-to/import-a-catalogue.md",
        needs=("migrations", "identity"),
    ),
    Examination(
        "catalogue",
        "Endpoint catalogue",
        _catalogue,
        _CATALOGUE_TODO,
        "docs/how-to/examine-an-installation.md",
        needs=("migrations", "registration"),
        asks_outside=True,
    ),
    Examination(
        "last-contact",
        "Last success of each partner",
        _last_contact,
        "Open its page under Partners: it says whether it is them or us.",
        "docs/how-to/look-after-what-waits.md",
        needs=("migrations",),
    ),
)
