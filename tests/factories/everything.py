"""One row of everything that the administration shows, all of it of one organisation."""

from uuid import uuid4

from django.db.models import Model

from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.api.webhooks.services import send_test
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.models import (
    DeliveryAttempt,
    InboundMessage,
    InboundState,
    OutboundMessage,
    PartnerCircuit,
)
from directory.models import AccessRule, CapabilityChange, CatalogueImport, ServiceCapability, Source
from referrals.cases.models import UnmatchedReply
from referrals.cases.settings import BreachRule
from referrals.cases.states import Category
from tests.factories.accounts import make_user
from tests.factories.api import make_application, make_webhook
from tests.factories.bookings import NOW, make_booking, make_schedule, make_slot
from tests.factories.directory import make_endpoint, make_service
from tests.factories.patients import make_patient
from tests.factories.referrals import make_case

# In every row that has words of its own: where it is read, something was given away.
MARK = "Zanzibar"


def make_everything(organisation: Organisation) -> list[Model]:
    """Rows that belong to the organisation, one of each kind at least; its people are named by MARK too."""
    service = make_service(provider=organisation, name=f"{MARK} centre", allowed_callers=["ZZZ99"])
    endpoint = make_endpoint(service=service, name=f"{MARK} way", address="https://zanzibar.example/FHIR/R4")
    schedule = make_schedule(service=service, name=f"{MARK} room")
    slot = make_slot(schedule=schedule)
    patient = make_patient(organisation=organisation)
    sent = make_booking(organisation=organisation, service=service, patient=patient, reference=f"{MARK}-1")
    received = make_booking(service=service, direction=Direction.RECEIVED, slot=slot, reference=f"{MARK}-2")
    person = make_user(role=Role.CLINICIAN, organisation=organisation, last_name=MARK)
    referral = make_case(Category.REFERRAL, service=service, patient=patient, reference=f"{MARK}-3")
    validation = make_case(
        Category.VALIDATION, service=service, patient=patient, reference=f"{MARK}-4", use_case="a4t1"
    )
    inbound = InboundMessage.objects.create(
        request_id=uuid4(),
        correlation_id=uuid4(),
        bundle_id=str(uuid4()),
        message_type="booking-new",
        service_id=service.service_id,
        peer="proxy",
        headers={"X-Request-Id": MARK},
        body=MARK.encode(),
        received_at=NOW,
        state=InboundState.ACCEPTED,
        sender_ods_code="ZZZ99",
    )
    outbound = OutboundMessage.objects.create(
        message_type="booking-new",
        subject_type="bookings.booking",
        subject_id=str(sent.pk),
        organisation=organisation,
        actor_label=MARK,
        correlation_id=uuid4(),
        bundle_id=uuid4(),
        service_id=service.service_id,
        headers={"X-Request-Id": MARK},
        body=MARK.encode(),
        created_at=NOW,
    )
    DeliveryAttempt.objects.create(message=outbound, number=1, started_at=NOW, reply=MARK.encode())
    reply = UnmatchedReply.objects.create(
        organisation=organisation,
        service=service,
        patient=patient,
        journey=patient.journey,
        kind="did-not-attend",
        bundle_id=str(uuid4()),
        answers_bundle_id=str(uuid4()),
        message=inbound,
        received_at=NOW,
        sender_name=MARK,
    )
    catalogue = CatalogueImport.objects.create(
        source=Source.CSV,
        name=f"{MARK}.csv",
        content=f"service_id,name,provider_ods\n{service.service_id},Taken,{organisation.ods_code}\n".encode(),
        organisation=organisation,
        read_at=NOW,
        actor_label=MARK,
    )
    said = ServiceCapability.objects.create(service=service, read_at=NOW, version="1.0.0")
    change = CapabilityChange.objects.create(service=service, noticed_at=NOW, removed={"use_cases": ["a1t2"]})
    access = AccessRule.objects.create(service=service, name=f"{MARK} practices", software=MARK)
    rule = BreachRule.objects.create(service=service, minutes=77)
    circuit = PartnerCircuit.objects.create(service_id=service.service_id, failures=1, failing_since=NOW)
    event = record(
        actor=Actor(label=MARK, user_id=person.pk, organisation_id=organisation.pk),
        action="bookings.view_booking",
        subject=sent,
        now=NOW,
    )
    application = make_application(organisation=organisation, name=f"{MARK} system", owner=person)
    webhook, _ = make_webhook(url=f"https://{MARK.lower()}.example/in", application=application)
    test = send_test(webhook=webhook, actor=Actor(label=MARK), now=NOW)
    return [
        *(application, webhook, test),
        *(organisation, person, service, endpoint, schedule, slot, patient, patient.journey, sent, received),
        *(
            referral,
            validation,
            inbound,
            outbound,
            reply,
            catalogue,
            said,
            change,
            access,
            rule,
            circuit,
            event,
        ),
    ]
