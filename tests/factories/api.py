"""Applications of the API and their callers for tests."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

from bars_portal.accounts.models import Organisation
from bars_portal.api.models import Application, Event, Webhook
from bars_portal.api.operations import STATABLE, Scope
from bars_portal.api.services import create_application, issue_token, new_application
from bars_portal.api.webhooks.services import create_webhook
from bars_portal.audit.actor import Actor
from tests.factories.accounts import make_organisation, make_user

_numbers = count(1)
SETUP = Actor(label="Set-up of a test")


def make_application(
    *, organisation: Organisation | None = None, scopes: Iterable[Scope] = tuple(Scope), **fields: Any
) -> Application:
    """An application with every scope and role, with `fields` of its model."""
    number = next(_numbers)
    where = organisation or make_organisation()
    named = {"name": f"Ward system {number}", "owner": None, **fields}
    wanted = new_application(
        where,
        named.pop("owner") or make_user(role=None),
        named.pop("name"),
        **{
            "scopes": [each.value for each in scopes],
            "roles": [each.value for each in STATABLE],
            **named,
        },
    )
    return create_application(application=wanted, actor=SETUP, now=datetime.now(UTC))


def bearer(application: Application, scopes: Iterable[Scope] | None = None) -> dict[str, str]:
    """Headers of a test client's request, with a new token."""
    token = f"token-of-a-test-{next(_numbers)}"
    wanted = application.scopes if scopes is None else [each.value for each in scopes]
    issue_token(application=application, scopes=wanted, token=token, actor=SETUP, now=datetime.now(UTC))
    return {"Authorization": f"Bearer {token}"}


def make_webhook(*, url: str, application: Application | None = None, **filters: Any) -> tuple[Webhook, str]:
    """With its secret; of a new application unless one is given."""
    return create_webhook(
        application=application or make_application(), url=url, **filters, actor=SETUP, now=datetime.now(UTC)
    )


def happen(organisation: Organisation, times: int = 1, **fields: Any) -> list[Event]:
    """Events as the services of bookings write them, not yet numbered."""
    given = {
        "type": "booking.booked",
        "service_id": "2000099999",
        "status": "booked",
        "needs": "bookings.view_sent_bookings",
        "direction": "sent",
        "at": datetime(2026, 11, 21, 9, 0, tzinfo=UTC),
        **fields,
    }
    return Event.objects.bulk_create(
        Event(organisation=organisation, subject_id=uuid4(), journey_id=uuid4(), **given)
        for _ in range(times)
    )
