"""Two organisations in one database: one asked, the other answers, over a network of one."""

import json
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import SYSTEM
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.arrival import Arrival, StoredReply
from bars_portal.exchange.fhir.codes import ARPPriority
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.inbound import receive
from bars_portal.exchange.transport.headers import IncomingHeaders, Party
from bars_portal.patients.services import create_patient, open_journey
from directory.models import HealthcareService
from referrals.cases.history import write_version
from referrals.cases.models import Case, Referral, ValidationCase
from referrals.cases.states import Category
from referrals.responding.content import Disposition, Outcome, TriageCode
from tests.factories.accounts import make_acting, make_organisation
from tests.factories.directory import make_service
from tests.factories.patients import DETAILS
from tests.factories.referrals import NOW, make_hub
from tests.factories.sent_requests import register_sent_request
from tests.integration.bookings.loopback import Loopback
from tests.integration.referrals.official import Bundle, adapted, answer_of, example, of_type

OWN_SERVICE_ID = "2000099090"
ASKED = {"VALREQ01": Category.VALIDATION, "VALREQ03": Category.VALIDATION}


def own_address(settings: Any) -> None:
    """Messages are delivered by the tests themselves, and replies come to our own address."""
    settings.BARS = {**settings.BARS, "SERVICE_ID": OWN_SERVICE_ID}
    settings.CELERY_TASK_ALWAYS_EAGER = False


@dataclass
class AnsweringDesk:
    """A request of ours, as the other side holds it, and a clinician there."""

    shared: Path
    hub: HealthcareService = field(default_factory=make_hub)
    network: Loopback = field(default_factory=lambda: Loopback(now=NOW))
    now: datetime = NOW
    asking: Organisation = field(default_factory=make_organisation)

    def __post_init__(self) -> None:
        known = HealthcareService.objects.filter(service_id=OWN_SERVICE_ID).first()
        self.replies = known or make_service(
            provider=self.asking, service_id=OWN_SERVICE_ID, accepted_use_cases=[], takes_bookings=False
        )
        self.asking = self.replies.provider
        self.clinician: Acting = make_acting(organisation=self.hub.provider)
        self.bundle_id = str(uuid4())

    def ask(self, name: str, *, change: Any = None) -> Case:
        """Send a published request, as ours, and register it; gives the received case."""
        conversation = uuid4()
        bundle = self.request(name)
        if change is not None:
            change(bundle)
        category = ASKED.get(name, Category.REFERRAL)
        use_case = of_type(bundle, "ServiceRequest")["category"][0]["coding"][1]["code"]
        self.sent = self._register(category, conversation, use_case)
        answer_of(
            bundle, correlation_id=conversation, organisation=Party(self.asking.ods_code, self.asking.name)
        )
        self.bundle, self.conversation = bundle, conversation
        return self.received()

    def request(self, name: str) -> Bundle:
        bundle = adapted(example(self.shared, name), self.hub, bundle_id=self.bundle_id)
        of_type(bundle, "MessageHeader")["source"]["endpoint"] = ServiceID(OWN_SERVICE_ID).token
        return deepcopy(bundle)

    def tell(self, bundle: Bundle) -> StoredReply:
        """A later message of ours about the request, which we remember when it was taken."""
        party = Party(self.asking.ods_code, self.asking.name)
        headers = IncomingHeaders(uuid4(), self.conversation, None, party, None, None, None, None)
        reply = receive(Arrival(json.dumps(bundle).encode(), {}, headers, "proxy", self.now))
        if reply.status == 200:
            self.sent.version += 1
            self.sent.save(update_fields=["version"])
            write_version(case=self.sent, bundle_id=bundle["id"], message_id=None, now=self.now)
        return reply

    def received(self) -> Case:
        found = [
            case
            for model in (Referral, ValidationCase)
            for case in model.objects.filter(direction=Direction.RECEIVED, service=self.hub)
        ]
        case: Case = found[0]
        return case

    def deliver(self) -> None:
        """What waits goes out; both sides are read anew."""
        self.network.now = self.now
        self.network.deliver_all()
        self.sent.refresh_from_db()

    def later(self, minutes: int = 1) -> datetime:
        self.now += timedelta(minutes=minutes)
        return self.now

    def _register(self, category: Category, conversation: UUID, use_case: str) -> Case:
        journey = open_journey(organisation=self.asking, correlation_id=conversation, now=NOW)
        patient = create_patient(
            details=DETAILS, organisation=self.asking, journey=journey, now=NOW, declared_by=SYSTEM
        )
        return register_sent_request(
            kind=category,
            bundle_id=self.bundle_id,
            correlation_id=conversation,
            journey=journey,
            patient=patient,
            service=self.hub,
            organisation=self.asking,
            use_case=use_case,
            now=NOW,
        )


def outcome(**changes: Any) -> Outcome:
    """No ambulance: advice by telephone, category 5."""
    fields: dict[str, Any] = {
        "disposition": Disposition.HEAR_AND_TREAT,
        "clock_start": NOW,
        "narrative": "Spoke to the caller; no red flags.",
        "priority": ARPPriority.C5,
        "codes": (TriageCode("https://fhir.nhs.uk/CodeSystem/pathways-dx-codes", "Dx335"),),
        **changes,
    }
    return Outcome(**fields)
