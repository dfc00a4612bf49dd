"""The sending side in front of our own receiver: one database, no sockets."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.latest import Latest
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.arrival import Arrival, StoredReply
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.inbound import receive
from bars_portal.exchange.models import OutboundMessage
from bars_portal.exchange.transport.headers import IncomingHeaders, Party
from bars_portal.patients.details import PatientDetails
from directory.models import HealthcareService
from directory.remote import sender_identity
from referrals.cases.models import MODELS, Case, Referral, ValidationCase
from referrals.cases.selectors import changes_of
from referrals.cases.states import Category
from referrals.parts.content import RequestContent
from referrals.sending import outcomes, requesting, taking_back, updating
from referrals.sending.latest import read_latest
from referrals.sending.models import Rereferral
from tests.factories.accounts import make_acting
from tests.factories.contents import make_content
from tests.factories.patients import DETAILS
from tests.factories.referrals import NOW, make_hub
from tests.factories.replies import validation_reply
from tests.integration.bookings.loopback import Loopback

OWN_SERVICE_ID = "2000099090"


@dataclass
class Desk:
    """What a clinician can do; `minute` moves the clock of everybody."""

    acting: Acting
    service: HealthcareService
    network: Loopback
    own: HealthcareService
    minutes: int = field(default=0)

    @property
    def now(self) -> datetime:
        return NOW + timedelta(minutes=self.minutes)

    def tick(self) -> None:
        self.minutes += 1
        self.network.now = self.now

    def refer(
        self, use_case: UseCase = UseCase.A1T1, *, details: PatientDetails = DETAILS, **changes: Any
    ) -> Referral:
        given = {name: changes.pop(name) for name in ("booking", "journey", "draft") if name in changes}
        content = make_content(use_case, **({"booking_ids": ()} | changes))
        return requesting.request_referral(
            content=content,
            details=details,
            service=self.service,
            acting=self.acting,
            now=self.now,
            **given,
        )

    def validate(self, **changes: Any) -> ValidationCase:
        return requesting.request_validation(
            content=make_content(UseCase.A4T1, **changes),
            details=DETAILS,
            service=self.service,
            acting=self.acting,
            now=self.now,
        )

    def sent(self, category: Category = Category.REFERRAL, **changes: Any) -> Any:
        """All the way through."""
        made = self.refer(**changes) if category is Category.REFERRAL else self.validate(**changes)
        return self.arrive(made)

    def arrive(self, case: Case) -> Any:
        self.network.deliver_all()
        case.refresh_from_db()
        self.tick()
        return case

    def latest(self, case: Case) -> Latest:
        sender = sender_identity(self.acting)
        return read_latest(self.network.client, case=case, sender=sender, now=self.now)

    def update(self, case: Case, content: RequestContent, details: PatientDetails | None = None) -> Case:
        return updating.update_request(
            case=case,
            content=content,
            latest=self.latest(case),
            acting=self.acting,
            now=self.now,
            details=details,
        )

    def revoke(self, case: Case, reason: str = "The patient is better") -> Case:
        return taking_back.revoke_request(
            case=case, latest=self.latest(case), reason=reason, acting=self.acting, now=self.now
        )

    def in_error(self, case: Case) -> Case:
        return taking_back.mark_entered_in_error(
            case=case, latest=self.latest(case), reason="Wrong patient", acting=self.acting, now=self.now
        )

    def refer_again(self, referral: Referral, content: RequestContent) -> Rereferral:
        return taking_back.refer_again(
            referral=referral,
            content=content,
            service=self.service,
            latest=self.latest(referral),
            reason="Another use case",
            acting=self.acting,
            now=self.now,
        )

    def hear(self, case: Case, status: str) -> StoredReply:
        """The responder's answer to the first message of a validation, by the status of its Encounter."""
        provider = self.service.provider
        first = OutboundMessage.objects.filter(subject_id=str(case.pk)).order_by("created_at").first()
        assert first is not None
        bundle = validation_reply(
            bytes(first.body),
            status=status,
            source=self.service.service_id,
            own=OWN_SERVICE_ID,
            now=self.now,
        )
        headers = IncomingHeaders(
            request_id=uuid4(),
            correlation_id=case.correlation_id,
            target=ServiceID.parse(OWN_SERVICE_ID),
            organisation=Party(provider.ods_code, provider.name),
            practitioner=None,
            software=None,
            use_context=None,
            accept=None,
        )
        return receive(Arrival(json.dumps(bundle), {}, headers, "proxy", self.now))

    def check_again(self, case: Case) -> Case:
        return outcomes.check_again(case=case, acting=self.acting, now=self.now)


def make_desk(**service: Any) -> Desk:
    acting = make_acting()
    hub = make_hub(**{"accepted_use_cases": [each.value for each in UseCase], **service})
    own = make_hub(service_id=OWN_SERVICE_ID, provider=acting.organisation, accepted_use_cases=[])
    return Desk(acting, hub, Loopback(), own)


def theirs(case: Case) -> Any:
    """The receiver's row of the same case."""
    rows = MODELS[case.category].objects.filter(direction=Direction.RECEIVED)
    return rows.get(correlation_id=case.correlation_id, case_number=case.case_number)


def events(case: Case) -> list[str]:
    return [each.event for each in changes_of(case)]


def messages(case: Case) -> list[str]:
    rows = OutboundMessage.objects.filter(subject_id=str(case.pk)).order_by("created_at")
    return [each.message_type for each in rows]
