"""Name, address and share of a caller: what is answered, and what the trail says of it."""

from typing import Any

import pytest

from bars_portal import correlation
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.models import InboundMessage
from bars_portal.exchange.receiver import authentication
from bars_portal.shares import Shares
from bookings.models import Slot
from tests.integration.exchange.calling import WRONG_NAME, Receiver, fresh, organisation, outcome

pytestmark = pytest.mark.django_db

FORBIDDEN = (403, "REC_FORBIDDEN", "forbidden")
PUBLISHED = ["35.197.254.55", "35.246.55.143"]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [("35.197.254.55", True), ("::ffff:35.246.55.143", True), ("35.197.254.56", False), ("", False)],
)
def test_only_listed_addresses_are_answered(
    receiver: Receiver, settings: Any, address: str, allowed: bool
) -> None:
    settings.BARS_PEER_SOURCES = PUBLISHED
    answer = receiver.get("/metadata", X_Real_IP=address)
    assert (answer.status_code == 200) is allowed
    if not allowed:
        assert outcome(answer) == FORBIDDEN
        assert AuditEvent.objects.get().detail["address"] == (address or None)


def test_an_address_in_a_header_counts_from_a_trusted_proxy_only(receiver: Receiver, settings: Any) -> None:
    settings.BARS_PEER_SOURCES, settings.BARS_TRUSTED_PROXIES = PUBLISHED, ["10.0.0.1"]
    assert outcome(receiver.get("/metadata", X_Real_IP=PUBLISHED[0])) == FORBIDDEN
    assert AuditEvent.objects.get().detail["address"] == "127.0.0.1"


def test_a_wrong_name_is_on_the_trail_with_its_fingerprint(receiver: Receiver, slot: Slot) -> None:
    answer = receiver.send(fresh(), peer=WRONG_NAME, X_Real_IP="192.0.2.7")
    assert outcome(answer) == FORBIDDEN
    event = AuditEvent.objects.get()
    assert event.outcome == "refused"
    assert (len(event.detail["fingerprint"]), event.detail["address"]) == (64, "192.0.2.7")
    assert not InboundMessage.objects.exists(), "nothing of a stranger's message is kept"


def test_who_asks_too_much_is_asked_to_wait(
    receiver: Receiver, slot: Slot, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "SHARES", Shares())
    settings.BARS_PEER_REQUESTS_A_MINUTE = 2
    ours = {"NHSD_End_User_Organisation": organisation("RX111")}
    for _ in range(2):
        assert receiver.get("/metadata", **ours).status_code == 200
    refused = receiver.send(fresh(), **ours)
    assert outcome(refused) == (429, "REC_TOO_MANY_REQUESTS", "throttled")
    assert 1 <= int(refused["Retry-After"]) <= 30
    assert refused["X-Request-ID"] == receiver.sent["X-Request-ID"]
    assert not InboundMessage.objects.exists()
    assert AuditEvent.objects.filter(outcome="refused").count() == 1
    others = receiver.get("/metadata", NHSD_End_User_Organisation=organisation("RX222"))
    assert others.status_code == 200, "another organisation behind the same proxy has a share of its own"


def test_who_is_turned_away_is_logged_under_the_id_of_the_request(receiver: Receiver, settings: Any) -> None:
    """Else nobody finds the line of a partner who says: this call was refused."""
    settings.BARS_PEER_SOURCES = PUBLISHED
    correlation.forget()
    assert outcome(receiver.get("/metadata")) == FORBIDDEN
    assert correlation.current() == receiver.sent["X-Correlation-ID"]
    correlation.forget()
    assert outcome(receiver.get("/metadata", X_Correlation_ID="Quillfeather")) == FORBIDDEN
    assert correlation.current() == ""


def test_a_share_refills_and_the_quiet_are_forgotten() -> None:
    shares = Shares()
    assert [shares.take("a", a_minute=60, now=0.0).waits for _ in range(61)][-1] == pytest.approx(1.0)
    assert shares.take("a", a_minute=60, now=0.5).waits == pytest.approx(0.5)
    assert shares.take("a", a_minute=60, now=1.0).waits == 0
    for number in range(3000):
        shares.take(number, a_minute=60, now=1.0)
    assert len(shares._kept) == 2000
