"""The people and the services that the drill works with, and waiting for what a message brings."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import models

from bars_portal.accounts.acting import Acting, resolve_acting
from bars_portal.accounts.models import User
from bars_portal.exchange import outbox
from bars_portal.exchange.delivery import deliver
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.exchange.transport.client import BarsClient
from directory.identity import SenderIdentity, sender_identity
from directory.models import HealthcareService

# Longer than the proxy waits, and than the simulator's later replies take.
PATIENCE_SECONDS = 45.0
_STEP_SECONDS = 0.2
_ON_ITS_WAY = (DeliveryState.QUEUED, DeliveryState.SENDING)
# The service that takes everything: others of the published world that our directory lacks are made like it.
MODEL_SERVICE = "2000072489"


class DrillError(Exception):
    """Something that the drill stands on is missing; the text says what."""


@dataclass(frozen=True)
class Desk:
    """A clinician who sends, and one who answers what the hosted services receive."""

    sending: Acting
    answering: Acting
    client: BarsClient
    clock: Callable[[], datetime]

    @property
    def sender(self) -> SenderIdentity:
        return sender_identity(self.sending)


def person(username: str) -> Acting:
    """Raises DrillError when there is nobody of that name, or they act for nobody."""
    user = User.objects.filter(username=username).first()
    acting = resolve_acting(user, {}) if user else None
    if acting is None:
        raise DrillError(f"There is no {username} who acts for an organisation: run seed_demo first.")
    return acting


def service(service_id: str) -> HealthcareService:
    """As the directory has it. Raises DrillError when not even the model of all test services is there."""
    found = HealthcareService.objects.select_related("provider")
    known = found.filter(service_id=service_id).first()
    if known is not None:
        return known
    model = found.filter(service_id=MODEL_SERVICE).first()
    if model is None:
        raise DrillError("The directory has no test services: run seed_demo first.")
    model.pk, model.service_id = None, service_id
    model._state.adding = True
    model.save()
    return model


def settle(subject: models.Model, desk: Desk) -> None:
    """Send the newest message about the subject, here or by a quicker worker, and wait for its end."""
    message = outbox.latest_for(subject)
    if message is not None:
        deliver(message.pk, client=desk.client, clock=desk.clock)
        wait_until(lambda: _has_ended(message))
    subject.refresh_from_db()


def wait_until(done: Callable[[], bool]) -> bool:
    """False when the patience ends first."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(_STEP_SECONDS)
    return True


def _has_ended(message: OutboundMessage) -> bool:
    message.refresh_from_db(fields=["state"])
    return message.state not in _ON_ITS_WAY
