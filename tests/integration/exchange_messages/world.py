"""What is there before a message comes: a hub, a slot, what we sent, what came before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.apps import apps
from django.db import connection
from django.http import HttpResponse

from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.models import InboundMessage
from bookings.models import Slot
from referrals.cases.states import Category
from tests.factories.referrals import make_sent_case
from tests.integration.exchange.calling import Json, Receiver, fresh
from tests.unit.exchange_fhir.factory import Change, booking, changed
from tests.unit.exchange_fhir.samples import SAMPLES, referral_new, validation

# What MessageHeader.response of every sample names.
OUR_REQUEST = "bbbbbbbb-0000-4000-8000-00000000000b"
# What must be known before a message of the type can be taken.
FORERUNNERS: Mapping[str, Callable[[], Json]] = {
    "booking-cancelled": booking,
    "booking-entered-in-error": booking,
    "referral-update": lambda: referral_new("a6t1", "in-progress", "active"),
    "referral-revoked": referral_new,
    "referral-entered-in-error": referral_new,
    "validation-update": lambda: validation("new"),
    "validation-cancelled": lambda: validation("new"),
}


@dataclass
class World:
    """One partner and one conversation; `slot` is of the hub, which takes every use case."""

    receiver: Receiver
    slot: Slot
    conversation: str
    our_request: str = OUR_REQUEST

    def post(
        self, message: Json | bytes, sent: Format = Format.JSON, wanted: Format | None = None, **headers: str
    ) -> HttpResponse:
        body = message if isinstance(message, bytes) else sent.dumps(message)
        names = {"X_Correlation_ID": self.conversation, "Accept": (wanted or sent).value, **headers}
        return self.receiver.post(body, sent.value, **names)

    def take(self, message: Json, sent: Format = Format.JSON) -> Json:
        """Sent and accepted."""
        answer = self.post(message, sent)
        assert answer.status_code == 200, answer.content
        return sent.loads(answer.content)

    def prepare(self, key: str, *changes: Change) -> None:
        """Everything without which a sound message of the type would be refused; what came before changed.

        With "", what an answer needs: requests of ours.
        """
        if not key or "response" in SAMPLES[key]()["entry"][0]["resource"]:
            for category, use_case in ((Category.VALIDATION, "a4t1"), (Category.REFERRAL, "a6t3")):
                make_sent_case(category, bundle_id=self.our_request, use_case=use_case)
        if key in FORERUNNERS:
            self.take(changed(fresh(FORERUNNERS[key]()), *changes))

    def stored(self) -> InboundMessage:
        """What was kept of the last call."""
        return InboundMessage.objects.get(request_id=UUID(self.receiver.sent["X-Request-ID"]))

    def assert_echoed(self, answer: HttpResponse) -> None:
        for name in ("X-Request-ID", "X-Correlation-ID"):
            assert answer.headers[name] == self.receiver.sent[name]


def domain_rows() -> list[tuple[str, int, str]]:
    """Table, number of rows and a hash of every row of the domain: in one query, so that it costs little."""
    labels = ("directory", "bookings", "referrals", "patients", "accounts")
    tables = [model._meta.db_table for label in labels for model in apps.get_app_config(label).get_models()]
    rows = "coalesce(string_agg(t::text, '|' ORDER BY t::text), '')"
    each = (f"SELECT '{table}', count(*), md5({rows}) FROM {table} t" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        return sorted(cursor.fetchall())


def new_id() -> str:
    return str(uuid4())
