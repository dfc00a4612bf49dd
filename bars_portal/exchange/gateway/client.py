"""The one BaRS client of this process, built from settings.BARS; whose token a request bears: Wallet."""

import atexit
import os
import threading
from contextlib import ExitStack
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from bars_portal.exchange import circuits
from bars_portal.exchange.circuits import Admission
from bars_portal.exchange.gateway.tokens import Wallet, open_http
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.headers import Party
from bars_portal.exchange.transport.judgement import Health
from bars_portal.http import NotSent
from bars_portal.sql import database_time, let_go_of_connection

# Who finds as many as may be under way to a partner waits so long for one of them to end.
TURN_SECONDS = 0.3


class PageGate:
    """Turns at each partner, and the circuit that all processes share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[str, threading.BoundedSemaphore] = {}

    def enter(self, partner: str) -> object:
        with self._lock:
            turns = self._turns.setdefault(partner, threading.BoundedSemaphore(settings.BARS_PARTNER_LIMIT))
        if not turns.acquire(timeout=TURN_SECONDS):
            raise NotSent("busy")
        with ExitStack() as turn:
            turn.callback(turns.release)
            # Of many services that are asked at once each costs the process its statements.
            at_rest = circuits.is_at_rest(partner)
            admission = Admission.FREE if at_rest else circuits.admit(partner, now=database_time())
            if admission is Admission.REFUSED:
                raise NotSent("circuit")
            # It lasts until `leave`.
            turn.pop_all()
        let_go_of_connection()
        return turns, admission

    def leave(self, partner: str, entered: object, health: Health) -> None:
        turns, admission = cast(tuple[threading.BoundedSemaphore, Admission], entered)
        turns.release()
        if health is not Health.UP or not circuits.is_at_rest(partner):
            circuits.note(partner, health, admission, now=database_time())


class _Process:
    """What this process holds: the client, and the settings that it was built from."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.config: dict[str, Any] | None = None
        self.client: BarsClient | None = None
        self.gate = PageGate()

    def close(self) -> None:
        if self.client:
            self.client.close()
        self.client = None


_process = _Process()


def get_client() -> BarsClient:
    """The client, built at the first call and again when settings.BARS changes; for any thread."""
    with _process.lock:
        if _process.client is None or _process.config != settings.BARS:
            _process.close()
            _process.config, _process.client = dict(settings.BARS), _build(settings.BARS)
        return _process.client


# By then a page is shown, with whatever was answered.
PAGE_SECONDS = 8.0


def client_for_page(request: HttpRequest) -> BarsClient:
    """The client for a person who waits: whatever one page asks is over within PAGE_SECONDS altogether.

    So many requests at once as BARS_PARTNER_LIMIT go from this process to one partner, and none to one that
    is spared (exchange.circuits): whoever would be one more is told at once that it does not answer.
    """
    held: BarsClient | None = getattr(request, "bars_client", None)
    if held is None:
        held = get_client().within(PAGE_SECONDS, gate=_process.gate)
        request.bars_client = held  # type: ignore[attr-defined]  # of this request only
    return held


def own_organisation() -> Party:
    """The organisation that runs this portal, for calls that nobody in particular makes."""
    return Party(settings.BARS["ODS_CODE"], settings.BARS["ORGANISATION_NAME"])


def _build(bars: dict[str, Any]) -> BarsClient:
    # A connection for whoever sends, and some for those who ask.
    http = open_http(bars, connections=settings.BARS_SENDERS + 20)
    return BarsClient(
        base_url=bars["BASE_URL"], tokens_of=Wallet(http).tokens_of, http=http, clock=timezone.now
    )


def _forget() -> None:
    """A forked child shares its parent's sockets and perhaps a locked lock: it starts with nothing."""
    global _process
    _process = _Process()


def _close() -> None:
    _process.close()


os.register_at_fork(after_in_child=_forget)
atexit.register(_close)
