"""The BaRS API proxy: the live one's checks in its order, then the receiver. Source: api.md section 7."""

from collections.abc import Mapping
from dataclasses import dataclass

from bars_portal.simulator.catalogue.api import CatalogueApi
from bars_portal.simulator.catalogue.resources import Catalogue, CatalogueRefused
from bars_portal.simulator.config import FHIR_BASE, Clock, Sleep
from bars_portal.simulator.drills import Fault, FaultBoard, meet
from bars_portal.simulator.fhir import FHIR_JSON
from bars_portal.simulator.forwarding import Call, Receiver, ReceiverTimedOut, ReceiverUnreachable
from bars_portal.simulator.headers import (
    DOCUMENT_REFERENCE_VERSION,
    TARGET_HEADER,
    accepted_version,
    decode_target,
)
from bars_portal.simulator.oauth import EXAMPLE_TOKEN, ClientRegistry, TokenStore
from bars_portal.simulator.outcomes import ProxyError, Refused, error_answer, rewrite
from bars_portal.simulator.tkw.definitions import proxy_capability
from bars_portal.simulator.wire import ECHOED_IDS, Answer, Request, json_answer

HTTPS = "https"
PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, PUT, POST, DELETE, PATCH"),
    ("Access-Control-Max-Age", "3628800"),
)


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """Answers everything under /booking-and-referral/FHIR/R4.

    `receivers` says who answers: by the catalogue's whole entry (`simulator:tkw`), else under `https`; under
    a certificate fault's name, who connects with that wrong certificate.
    """

    registry: ClientRegistry
    tokens: TokenStore
    catalogue: Catalogue
    catalogue_api: CatalogueApi
    receivers: Mapping[str, Receiver]
    faults: FaultBoard
    fhir_url: str
    clock: Clock
    sleep: Sleep

    def answer(self, request: Request) -> Answer:
        """The receiver's answer, or the proxy's own. Raises ConnectionCut in a drill."""
        suffix = request.raw_path.removeprefix(FHIR_BASE)
        try:
            return self._own_answer(request, suffix) or self._checked(request, suffix)
        except (Refused, CatalogueRefused) as refusal:
            return refusal.answer(request)

    def carry(self, request: Request) -> Answer:
        """As `answer`, for TKW's own replies: they carry no token. Raises ConnectionCut in a drill."""
        try:
            return self._forwarded(request, request.raw_path.removeprefix(FHIR_BASE))
        except (Refused, CatalogueRefused) as refusal:
            return refusal.answer(request)

    def _own_answer(self, request: Request, suffix: str) -> Answer | None:
        """What the proxy says without asking for a token."""
        if request.method == "OPTIONS":
            return Answer(200, PREFLIGHT)
        if suffix == "/_ping" and request.method == "GET":
            return json_answer(200, {"status": "pass"})
        if suffix == "/metadata" and request.method == "GET" and not request.header(TARGET_HEADER):
            statement = proxy_capability(self.fhir_url)
            return json_answer(200, statement, *request.sent_ids(), media=FHIR_JSON)
        return None

    def _checked(self, request: Request, suffix: str) -> Answer:
        token = _token(request)
        if token != EXAMPLE_TOKEN:
            self._check_token(token)
        return self._forwarded(request, suffix, only_played=token == EXAMPLE_TOKEN)

    def _forwarded(self, request: Request, suffix: str, *, only_played: bool = False) -> Answer:
        _check_ids(request)
        if not only_played and self.catalogue_api.serves(suffix):
            return self.catalogue_api.answer(request, suffix)
        _check_document_reference(request, suffix)
        target = decode_target(request.header(TARGET_HEADER))
        call = Call(request, suffix, target.value, self.catalogue.base_url(target))
        if only_played and call.base_url not in self.receivers:
            raise Refused(ProxyError.BAD_TOKEN)
        drill = self.faults.take(service=target.value, method=request.method)
        return meet(drill, request, forward=lambda fault: self._received(call, fault), sleep=self.sleep)

    def _check_token(self, token: str) -> None:
        api_key = self.tokens.api_key_of(token, now=self.clock())
        if api_key is None:
            raise Refused(ProxyError.BAD_TOKEN)
        # The token outlives the registration: such an application has lost its product.
        if self.registry.keys_of(api_key) is None:
            raise Refused(ProxyError.NOT_ENABLED)

    def _received(self, call: Call, fault: Fault | None) -> Answer:
        try:
            return rewrite(self._receiver_of(call, fault).answer(call), call.request)
        except ReceiverTimedOut:
            return error_answer(ProxyError.RECEIVER_TIMEOUT, call.request)
        except ReceiverUnreachable:
            return error_answer(ProxyError.RECEIVER_UNAVAILABLE, call.request)

    def _receiver_of(self, call: Call, fault: Fault | None) -> Receiver:
        if fault is not None:
            return self.receivers[fault]
        return self.receivers.get(call.base_url, self.receivers[HTTPS])


def _token(request: Request) -> str:
    scheme, _, token = request.header("Authorization").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused(ProxyError.NO_TOKEN)
    return token.strip()


def _check_ids(request: Request) -> None:
    # Presence only: the live proxy leaves the form of the ids to the receiver.
    if not all(request.header(name) for name in ECHOED_IDS):
        raise Refused(ProxyError.NO_IDS)


def _check_document_reference(request: Request, suffix: str) -> None:
    if suffix.split("/")[1:2] != ["DocumentReference"]:
        return
    if accepted_version(request.header("Accept")) < DOCUMENT_REFERENCE_VERSION:
        raise Refused(ProxyError.VERSION_TOO_LOW)
    raise Refused(ProxyError.NOT_BUILT)
