"""Every write of the API, on something that it can be done with."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from bars_portal.api.events import number_events
from bars_portal.api.schema import document
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.codes import UseCase
from bookings.models import Booking
from referrals.cases.duties import Duty, DutyKind
from referrals.cases.models import MODELS, Case
from referrals.parts.applications import application_of
from tests.factories.api import happen, make_application, make_webhook
from tests.factories.bookings import TOMORROW, make_booking
from tests.factories.patients import make_patient
from tests.factories.referrals import make_case
from tests.integration.api.conftest import DOCTOR, PATIENT, Calls, Diary, Hub, stated
from tests.integration.bookings.loopback import refusing, timeout
from tests.integration.wire import connected
from tests.worlds import Kept, Worlds


class Write(NamedTuple):
    """A POST that is allowed now, by these calls."""

    calls: Calls
    path: str
    body: dict[str, Any]

    def send(self, key: str, *, calls: Calls | None = None, **changes: Any) -> Any:
        """For a person who has read what it is about."""
        headers = {"x_acting_user": DOCTOR, "if_match": "*"}
        return (calls or self.calls).post(self.path, {**self.body, **changes}, key=key, **headers)


def example_of(operation_id: str) -> dict[str, Any]:
    """As the document shows it."""
    for verbs in document()["paths"].values():
        for operation in verbs.values():
            if operation["operationId"] == operation_id:
                found: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["example"]
                return found
    raise KeyError(operation_id)


@dataclass
class Before:
    """What most writes are about, as it stands once the services have answered."""

    booked: Any
    sent: dict[UseCase, Any]


def what_went_before(diary: Diary) -> Before:
    with connected() as network:
        hub = replace(diary.hub, network=network)
        sent = {each: hub.sent(each) for each in (UseCase.A1T1, UseCase.A3T1, UseCase.A4T1)}
        return Before(replace(diary, hub=hub).booked(), sent)


@dataclass
class Writes:
    """Of two organisations: one books and refers, the other receives and answers."""

    hub: Hub
    diary: Diary
    before: Before

    def of(self, operation_id: str) -> Write:
        return OPERATIONS[operation_id](self, operation_id)

    # -- what is sent

    def booking(self, _: str) -> Write:
        return Write(self.hub.calls, "bookings", self._new_booking())

    def _new_booking(self) -> dict[str, Any]:
        return {"slot": self.diary.times()[0], "use_case": "a1t1", "patient": PATIENT}

    def of_booking(self, operation_id: str) -> Write:
        what, body = PATHS[operation_id], example_of(operation_id)
        booked = self.before.booked
        slot = {"slot": self.diary.times()[0]} if "slot" in body else {}
        return Write(self.hub.calls, f"bookings/{booked['id']}/{what}", {**body, **slot})

    def unknown_booking(self, operation_id: str) -> Write:
        made = self.hub.calls.post("bookings", self._new_booking())
        self.hub.network.before.append(timeout)
        unknown = self.hub.arrived(made)
        return Write(self.hub.calls, f"bookings/{unknown['id']}/check-again", {})

    def request(self, operation_id: str) -> Write:
        kind, use_case = _about(operation_id)
        return Write(self.hub.calls, f"{kind}s", self.hub.body(use_case))

    def of_request(self, operation_id: str) -> Write:
        kind, use_case = _about(operation_id)
        sent, body = self.before.sent[use_case], example_of(operation_id)
        content = {"content": stated(use_case)} if "content" in body else {}
        return Write(self.hub.calls, f"{kind}s/{sent['id']}/{PATHS[operation_id]}", {**body, **content})

    def unknown_request(self, operation_id: str) -> Write:
        kind, use_case = _about(operation_id)
        made = self.hub.post(f"{kind}s", self.hub.body(use_case))
        self.hub.network.before.append(timeout)
        return Write(self.hub.calls, f"{kind}s/{self.hub.arrived(made)['id']}/check-again", {})

    # -- what is received

    def of_case(self, operation_id: str) -> Write:
        case = self._received(CASES.get(operation_id, UseCase.A1T1))
        body = example_of(operation_id)
        if "day" in body:
            body = {**body, "day": (datetime.now(UTC).date() - timedelta(days=1)).isoformat()}
        write = Write(self._there(case), f"cases/{case.pk}/{PATHS[operation_id]}", body)
        for earlier in BEFORE.get(operation_id, ()):
            answer = Write(write.calls, f"cases/{case.pk}/{earlier}", {}).send(earlier)
            assert answer.status_code in (200, 202), answer.content
        return write

    def of_link(self, operation_id: str) -> Write:
        service = self.hub.service
        patient = make_patient(organisation=service.provider)
        booking = make_booking(direction=Direction.RECEIVED, service=service, patient=patient, start=TOMORROW)
        case, body = make_case(service=service, patient=patient), {"booking": str(booking.pk)}
        link = Write(self._there(case), f"cases/{case.pk}/link-booking", body)
        if operation_id == "link-case-booking":
            return link
        assert link.send("link").status_code == 200
        return Write(link.calls, f"cases/{case.pk}/unlink-booking", body)

    def of_answer(self, operation_id: str) -> Write:
        """One that it is not known of whether it arrived, or that was refused."""
        case = self._received(UseCase.A4T1)
        start = Write(self._there(case), f"cases/{case.pk}/start", {})
        assert start.send("start").status_code == 202
        self.hub.network.before.append(UNTAKEN[operation_id])
        self.hub.network.deliver_all()
        return Write(start.calls, f"cases/{case.pk}/{PATHS[operation_id]}", {})

    def _received(self, use_case: UseCase) -> Case:
        if use_case not in self.before.sent:
            self.hub.sent(use_case)
        model = MODELS[application_of(use_case).category]
        found: Case = model.objects.get(direction=Direction.RECEIVED, use_case=use_case.value)
        return found

    def _there(self, case: Case) -> Calls:
        return Calls(make_application(organisation=case.organisation))

    # -- what is the organisation's own

    def of_task(self, operation_id: str) -> Write:
        booking: Booking = make_booking(
            organisation=self.hub.calls.application.organisation, service=self.hub.service
        )
        duty = Duty.objects.create(
            kind=DutyKind.REFERRAL,
            organisation=booking.organisation,
            booking=booking,
            raised_at=datetime.now(UTC),
        )
        if operation_id == "give-back-task":
            assert Write(self.hub.calls, f"tasks/{duty.pk}/take", {}).send("take").status_code == 200
        return Write(self.hub.calls, f"tasks/{duty.pk}/{PATHS[operation_id]}", example_of(operation_id))

    def webhook(self, operation_id: str) -> Write:
        return Write(self.hub.calls, "webhooks", example_of(operation_id))

    def of_webhook(self, operation_id: str) -> Write:
        application, body = self.hub.calls.application, example_of(operation_id)
        webhook, _ = make_webhook(url="https://hospital.example/in", application=application)
        path = f"webhooks/{webhook.pk}"
        if operation_id == "switch-on-webhook":
            assert Write(self.hub.calls, f"{path}/switch-off", {}).send("off").status_code == 200
        if operation_id == "replay-webhook":
            happen(application.organisation, 3)
            number_events()
            body = {"after": "1", "until": "9"}
        return Write(self.hub.calls, f"{path}/{PATHS[operation_id]}", body)


@pytest.fixture(scope="module")
def kept_before(worlds: Worlds, kept_diary: Kept[Diary]) -> Kept[Before]:
    return worlds.keep("kept_before", lambda: what_went_before(kept_diary.original()))


@pytest.fixture
def writes(kept_before: Kept[Before], hub: Hub, diary: Diary) -> Writes:
    return Writes(hub, diary, kept_before.copy())


def _about(operation_id: str) -> tuple[str, UseCase]:
    kind = "validation" if "validation" in operation_id else "referral"
    updated = UseCase.A3T1 if operation_id == "update-referral" else UseCase.A1T1
    return kind, UseCase.A4T1 if kind == "validation" else updated


# The last part of the address of each POST.
PATHS = {
    operation["operationId"]: path.partition("}/")[2]
    for path, verbs in document()["paths"].items()
    for operation in verbs.values()
}
CASES = {
    "give-case-outcome": UseCase.A4T1,
    "record-contact-attempt": UseCase.A5T1,
    "tell-cad-status": UseCase.A6T1,
}
# What has happened to a case before it can be done.
BEFORE = {"complete-case": ("accept",), "record-non-attendance": ("accept",)}
UNTAKEN: dict[str, Any] = {
    "check-answer-again": timeout,
    "send-answer-again": refusing(422, "REC_UNPROCESSABLE_ENTITY"),
}

Make = Callable[[Writes, str], Write]
OPERATIONS: dict[str, Make] = {
    "create-booking": Writes.booking,
    **dict.fromkeys(("cancel-booking", "rebook-booking"), Writes.of_booking),
    "check-booking-again": Writes.unknown_booking,
    **dict.fromkeys(("create-referral", "create-validation"), Writes.request),
    **dict.fromkeys(("update-referral", "revoke-referral", "refer-again"), Writes.of_request),
    **dict.fromkeys(("update-validation", "revoke-validation"), Writes.of_request),
    **dict.fromkeys(("check-referral-again", "check-validation-again"), Writes.unknown_request),
    **dict.fromkeys(("accept-case", "start-case", "reject-case", "complete-case"), Writes.of_case),
    **dict.fromkeys(("give-case-outcome", "record-non-attendance", "tell-cad-status"), Writes.of_case),
    **dict.fromkeys(("assign-case", "add-case-note", "record-contact-attempt"), Writes.of_case),
    "record-case-place": Writes.of_case,
    **dict.fromkeys(("link-case-booking", "unlink-case-booking"), Writes.of_link),
    **dict.fromkeys(("check-answer-again", "send-answer-again"), Writes.of_answer),
    **dict.fromkeys(("take-task", "give-back-task", "close-task"), Writes.of_task),
    "create-webhook": Writes.webhook,
    **dict.fromkeys(("change-webhook", "rotate-webhook-secret", "remove-webhook"), Writes.of_webhook),
    **dict.fromkeys(("switch-on-webhook", "switch-off-webhook", "test-webhook"), Writes.of_webhook),
    "replay-webhook": Writes.of_webhook,
}
