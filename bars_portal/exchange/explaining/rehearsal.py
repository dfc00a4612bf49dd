"""The receiver's own endpoint for a message that is only looked at: nothing of it is stored.

Who brings the message was let in before, so its certificate is taken for granted, and it counts for no limit;
all else is what partners meet: headers, formats, sizes, and what becomes of a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, ClassVar

from django.core.handlers.wsgi import WSGIRequest
from django.http.request import HttpHeaders
from rest_framework.request import Request

from bars_portal.exchange.arrival import Arrival, StoredReply
from bars_portal.exchange.fhir.outcomes import Issue
from bars_portal.exchange.receiver.authentication import Peer
from bars_portal.exchange.receiver.renderers import FhirResponse, OutcomeResponse
from bars_portal.exchange.receiver.views import ProcessMessageView

Answering = Callable[[Arrival], StoredReply]


@dataclass(frozen=True)
class Letter:
    """A message as it came or as it would come: the bytes, compressed if they were, and its headers."""

    body: bytes
    headers: Mapping[str, str]
    peer: str = ""


class Rehearsal(ProcessMessageView):
    """The endpoint of messages for one that is only looked at: who brings it was let in before."""

    authentication_classes = ()  # type: ignore[assignment]  # none of the parent's
    throttle_classes = ()  # type: ignore[assignment]  # the same
    peer_name: ClassVar[str] = ""
    refused: tuple[Issue, ...] = ()

    def perform_authentication(self, request: Request) -> None:
        request.user = Peer(self.peer_name)  # type: ignore[assignment]  # never a User here

    def note(self, response: FhirResponse) -> None:
        """It is no partner's."""

    def keep_refusal(self, refusal: OutcomeResponse, exc: Exception) -> FhirResponse:
        self.refused = refusal.issues
        return refusal


@dataclass(frozen=True)
class Rehearsed:
    """What the endpoint answers, and whether the message got past it to what stands behind."""

    answer: StoredReply
    is_past_the_edge: bool


def rehearse(letter: Letter, answering: Answering) -> Rehearsed:
    """What the endpoint answers when `answering` does what `receive` does."""
    answered: list[StoredReply] = []

    def keep(arrival: Arrival) -> StoredReply:
        answered.append(answering(arrival))
        return answered[0]

    view = Rehearsal(answer=keep, peer_name=letter.peer)
    request = _request(letter)
    view.setup(request)
    view.dispatch(request)
    answer = StoredReply.refusing(view.refused) if view.refused else answered[0]
    return Rehearsed(answer, view.handed_over)


def _request(letter: Letter) -> WSGIRequest:
    environ: dict[str, Any] = {
        **HttpHeaders.to_wsgi_names(letter.headers),
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "CONTENT_LENGTH": str(len(letter.body)),
        "wsgi.input": BytesIO(letter.body),
        "wsgi.url_scheme": "https",
    }
    return WSGIRequest(environ)
