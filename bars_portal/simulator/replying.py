"""Sends TKW's replies: later, through the proxy, to the requester's own receiver, noted in the journal."""

import base64
import logging
import time
import uuid
from collections.abc import Callable
from threading import Timer

import orjson

from bars_portal.simulator.config import FHIR_BASE, Clock
from bars_portal.simulator.faults import ConnectionCut
from bars_portal.simulator.forwarding import Call
from bars_portal.simulator.journal import SENT, Journal
from bars_portal.simulator.organisation import ORGANISATION_HEADER, organisation_code
from bars_portal.simulator.reading import FHIR_JSON, FHIR_XML, XML_MEDIA, Resource, is_fhir, media_of, to_xml
from bars_portal.simulator.target import TARGET_HEADER
from bars_portal.simulator.tkw.messages import Message
from bars_portal.simulator.tkw.replies import NoReplyAddress, build_reply, reply_address
from bars_portal.simulator.wire import Answer, Request

VERSION = "version=1.1.0"
# The organisation that TKW answers as.
ORGANISATION = {
    "resourceType": "Organization",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "X26"}],
    "name": "NHS test services (TKW)",
}
SOFTWARE = {
    "resourceType": "Device",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/device-identifier", "value": "BARS-SIMULATOR"}],
    "deviceName": [{"name": "BaRS simulator", "type": "manufacturer-name"}],
    "version": [{"value": "1.0.0"}],
}
Carry = Callable[[Request], Answer]
Later = Callable[[float, Callable[[], None]], object]
log = logging.getLogger("simulator")


def in_a_thread(seconds: float, task: Callable[[], None]) -> None:
    """Runs the task after so many seconds; the end of the program does not wait for it."""
    timer = Timer(seconds, task)
    timer.daemon = True
    timer.start()


class Replies:
    """Sets replies off. One attempt each: what became of it is in the journal."""

    def __init__(
        self, *, carry: Carry, journal: Journal, clock: Clock, delay: float, later: Later = in_a_thread
    ) -> None:
        self._carry = carry
        self._journal = journal
        self._clock = clock
        self._delay = delay
        self._later = later

    def set_off(self, kind: str, message: Message, call: Call) -> None:
        """The reply of that kind (full, interim, safeguarding) to a message that came with `call`."""
        self._later(self._delay, lambda: self._send(kind, message, call))

    def _send(self, kind: str, message: Message, call: Call) -> None:
        try:
            address = reply_address(message)
        except NoReplyAddress:
            log.warning("the %s reply has nowhere to go: the request names no source endpoint", kind)
            return
        if not is_fhir(message.bundle):
            log.warning("no %s reply: the request is no sound FHIR", kind)
            return
        bundle = build_reply(kind, message, now=self._clock())
        self._delivered(_request(bundle, address, call.request), f"Reply: {kind}", call.request)

    def _delivered(self, request: Request, scenario: str, asked: Request) -> None:
        began, at = time.monotonic(), self._clock()
        answer, status = None, "failed"
        try:
            answer = self._carry(request)
            status = str(answer.status)
        except ConnectionCut:
            status = "cut"
        finally:
            self._journal.note(
                request,
                answer=answer,
                status=status,
                at=at,
                took_ms=round((time.monotonic() - began) * 1000),
                scenario=scenario,
                direction=SENT,
                organisation=organisation_code(asked.header(ORGANISATION_HEADER)),
            )


def _request(bundle: Resource, address: str, asked: Request) -> Request:
    """The reply as a request of our own: a new request id, the conversation's correlation id, same format."""
    system, _, value = address.rpartition("|")
    xml = media_of(asked.header("Content-Type")) in XML_MEDIA
    media = FHIR_XML if xml else FHIR_JSON
    headers = {
        "x-request-id": str(uuid.uuid4()),
        "x-correlation-id": asked.header("X-Correlation-Id") or str(uuid.uuid4()),
        TARGET_HEADER.lower(): _encoded({"system": system, "value": value}),
        ORGANISATION_HEADER.lower(): _encoded(ORGANISATION),
        "nhsd-requesting-software": _encoded(SOFTWARE),
        "content-type": f"{media}; {VERSION}",
        "accept": f"{media}; {VERSION}",
    }
    body = to_xml(bundle) if xml else orjson.dumps(bundle)
    return Request("POST", f"{FHIR_BASE}/$process-message", "", headers, body, "")


def _encoded(content: object) -> str:
    return base64.b64encode(orjson.dumps(content)).decode()
