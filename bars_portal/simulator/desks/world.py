"""simulated-int: a second environment beside the simulator's own, under a path of its own.

Nothing of the one is known in the other: applications, tokens, catalogue, names and chain are its own.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from bars_portal.simulator.catalogue.api import CatalogueApi
from bars_portal.simulator.catalogue.resources import Catalogue, CatalogueStore
from bars_portal.simulator.config import FHIR_BASE, TOKEN_PATH, Clock, Config, Sleep
from bars_portal.simulator.desks.clerks import Desks, ensure_authority
from bars_portal.simulator.drills import FaultBoard
from bars_portal.simulator.forwarding import (
    Call,
    MutualTlsReceiver,
    Receiver,
    ReceiverUnreachable,
    client_context,
)
from bars_portal.simulator.journal import Journal
from bars_portal.simulator.oauth import ClientRegistry, TokenEndpoint, TokenStore
from bars_portal.simulator.outcomes import ProxyError, error_answer
from bars_portal.simulator.proxy import HTTPS, Proxy
from bars_portal.simulator.tkw.receiver import TKW_BASE_URL, TkwReceiver
from bars_portal.simulator.tkw.replies import Later, Replies
from bars_portal.simulator.wire import Answer, Request

PREFIX = "/simulated-int"
_DESKS = f"{PREFIX}/desks/"


class NamedReceivers:
    """Receivers by the names that were registered: each has connections of its own, to loopback."""

    def __init__(
        self, address_of: Callable[[str], str | None], make: Callable[[], MutualTlsReceiver]
    ) -> None:
        self._address_of, self._make = address_of, make
        self._lock = Lock()
        self._receivers: dict[str, MutualTlsReceiver] = {}

    def answer(self, call: Call) -> Answer:
        """The receiver's answer. Raises ReceiverUnreachable, also for a name that nobody registered."""
        host = (urlsplit(call.base_url).hostname or "").lower()
        address = self._address_of(host)
        if address is None:
            raise ReceiverUnreachable
        with self._lock:
            if host not in self._receivers:
                self._receivers[host] = self._make()
        return self._receivers[host].answer(replace(call, address=address))

    def close(self) -> None:
        """Closes every connection."""
        for each in self._receivers.values():
            each.close()


class SimulatedInt:
    """Built at the first request for it: nobody else waits for its keys."""

    def __init__(self, config: Config, *, journal: Journal, clock: Clock, sleep: Sleep, later: Later) -> None:
        self._config, self._journal, self._later = config, journal, later
        self._clock, self._sleep = clock, sleep
        self._lock = Lock()
        self._parts: tuple[Desks, TokenEndpoint, Proxy] | None = None

    def find(self, path: str) -> Callable[[Request], Answer] | None:
        """What answers at the path; None when it is not ours."""
        if path.startswith(_DESKS):
            return self._desk
        return self._kept if path.startswith(f"{PREFIX}/") else None

    def _desk(self, request: Request) -> Answer:
        """Not in the journal: it would hold API keys."""
        return self._built()[0].answer(request, request.raw_path.removeprefix(_DESKS))

    def _kept(self, request: Request) -> Answer:
        """Raises ConnectionCut in a drill."""
        inner = replace(request, raw_path=request.raw_path.removeprefix(PREFIX))
        return self._journal.keep(inner, self._answer, clock=self._clock)

    def _answer(self, request: Request) -> Answer:
        _, tokens, proxy = self._built()
        if request.raw_path == TOKEN_PATH:
            return tokens.answer(request)
        if request.raw_path.startswith(f"{FHIR_BASE}/"):
            return proxy.answer(request)
        return error_answer(ProxyError.PATH_UNKNOWN, request)

    def _built(self) -> tuple[Desks, TokenEndpoint, Proxy]:
        with self._lock:
            if self._parts is None:
                self._parts = self._build(self._config.state_dir / PREFIX.strip("/"))
            return self._parts

    def _build(self, folder: Path) -> tuple[Desks, TokenEndpoint, Proxy]:
        authority = ensure_authority(folder, now=self._clock())
        desks = Desks(folder, authority=authority, clock=self._clock)
        context = client_context(
            ca_file=authority.chain_file,
            cert_file=authority.proxy_file,
            key_file=authority.proxy_key_file,
        )
        registry, tokens = ClientRegistry(folder / "clients.json"), TokenStore()
        store = CatalogueStore(folder)
        url = f"{self._config.public_url}{PREFIX}"
        receivers: dict[str, Receiver] = {
            HTTPS: NamedReceivers(desks.address_of, lambda: MutualTlsReceiver(context))
        }
        proxy = Proxy(
            registry=registry,
            tokens=tokens,
            catalogue=Catalogue(folder / "catalogue.json", store=store, clock=self._clock),
            catalogue_api=CatalogueApi(store, fhir_url=url + FHIR_BASE, clock=self._clock),
            receivers=receivers,
            faults=FaultBoard(),
            fhir_url=url + FHIR_BASE,
            clock=self._clock,
            sleep=self._sleep,
        )
        replies = Replies(
            carry=proxy.carry,
            journal=self._journal,
            clock=self._clock,
            delay=self._config.reply_delay,
            later=self._later,
        )
        receivers[TKW_BASE_URL] = TkwReceiver(clock=self._clock, set_off=replies.set_off)
        endpoint = TokenEndpoint(
            registry=registry, tokens=tokens, token_url=url + TOKEN_PATH, clock=self._clock
        )
        return desks, endpoint, proxy
