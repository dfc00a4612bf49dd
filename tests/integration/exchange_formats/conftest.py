"""The receiver's own URLs, called by a partner whose certificate a proxy vouches for."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import trustme
from django.test import Client

from bars_portal.exchange.transport.headers import Party, encode_json, organisation_json
from bookings.models import Slot
from tests.factories.bookings import make_schedule, make_slot

BASE = "/FHIR/R4"
JSON, XML = "application/fhir+json", "application/fhir+xml"


@dataclass
class Partner:
    """Sends what it is told, with ids, a name and the right certificate unless told otherwise."""

    certificate: str

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, b"", "", **headers)

    def post(
        self, body: bytes, content_type: str = JSON, path: str = "/$process-message", **headers: str
    ) -> Any:
        return self.send("POST", path, body, content_type, **headers)

    def send(self, verb: str, path: str, body: bytes = b"", content_type: str = "", **headers: str) -> Any:
        """`headers` by name with underscores; an empty one is not sent."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        all_headers = {**self._usual(), **named}
        return Client().generic(
            verb,
            BASE + path,
            body,
            content_type=content_type,
            headers={name: value for name, value in all_headers.items() if value},
        )

    def _usual(self) -> dict[str, str]:
        return {
            "X-Request-ID": str(uuid4()),
            "X-Correlation-ID": str(uuid4()),
            "NHSD-End-User-Organisation": encode_json(organisation_json(Party("RX111", "A 111 provider"))),
            "X-SSL-Client-Verify": "SUCCESS",
            "X-SSL-Client-Cert": self.certificate,
        }


@pytest.fixture(scope="session")
def certificate() -> str:
    issued = trustme.CA().issue_cert("int.api.service.nhs.uk")
    return quote(issued.cert_chain_pems[0].bytes().decode())


@pytest.fixture
def partner(settings: Any, db: None, certificate: str) -> Partner:
    settings.ROOT_URLCONF = "bars_portal.exchange.receiver.urls"
    settings.MIDDLEWARE = []
    return Partner(certificate)


@pytest.fixture
def slot(db: None) -> Slot:
    """Tomorrow by the real clock: the receiver's edge has no other."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    return make_slot(schedule=make_schedule(practitioner_family="Bloggs"), start=start, updated_at=start)
