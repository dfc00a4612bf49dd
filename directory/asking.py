"""One read from the service that holds something of ours, judged; outside any transaction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from bars_portal.exchange.fhir import json
from bars_portal.exchange.transport.answers import Delivery, judge_answer
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.errors import TransportError
from directory.identity import SenderIdentity, reading_context

Params = Sequence[tuple[str, str]]
_NOT_FOUND = 404


class Missing(Exception):
    """The service says that there is no such thing."""


class Unreachable(Exception):
    """No answer that could be used."""


def ask(
    client: BarsClient,
    *,
    sender: SenderIdentity,
    service_id: str,
    correlation_id: UUID,
    path: str,
    params: Params,
    expected: str,
) -> dict[str, Any]:
    """The resource that the service answers with. Raises Missing and Unreachable."""
    context = reading_context(sender, service_id, correlation_id)
    try:
        answer = client.get(path, params=params, context=context)
    except TransportError:
        raise Unreachable from None
    judged = judge_answer(
        answer,
        request_id=context.request_id,
        correlation_id=context.correlation_id,
        expected=expected,
    )
    if judged.delivery is Delivery.ACCEPTED:
        return json.loads(answer.body)
    raise Missing if answer.status == _NOT_FOUND else Unreachable
