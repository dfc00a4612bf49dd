"""The one BaRS client of this process, built from settings.BARS, and who we say we are in its headers."""

import atexit
import os
import threading
from typing import Any

from django.conf import settings
from django.utils import timezone

from bars_portal.exchange.tokens import DatabaseTokenSource
from bars_portal.exchange.transport.auth import NoToken, TokenEndpoint, TokenSource
from bars_portal.exchange.transport.client import BarsClient, build_http
from bars_portal.exchange.transport.headers import Party, Software
from bars_portal.exchange.transport.tls import client_context


class _Process:
    """What this process holds: the client, and the settings that it was built from."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.config: dict[str, Any] | None = None
        self.client: BarsClient | None = None

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


def own_software() -> Software:
    """This product, for NHSD-Requesting-Software and the message header."""
    bars = settings.BARS
    return Software(bars["SOFTWARE_IDENTIFIER"], bars["SOFTWARE_NAME"], bars["SOFTWARE_VERSION"])


def own_organisation() -> Party:
    """The organisation that runs this portal, for calls that nobody in particular makes."""
    return Party(settings.BARS["ODS_CODE"], settings.BARS["ORGANISATION_NAME"])


def _build(bars: dict[str, Any]) -> BarsClient:
    http = build_http(verify=client_context(ca_file=bars.get("CA_FILE") or None))
    endpoint = TokenEndpoint(
        http=http,
        url=bars["TOKEN_URL"],
        api_key=bars["API_KEY"],
        key_id=bars["KEY_ID"],
        private_key_file=bars["PRIVATE_KEY_FILE"],
    )
    tokens = _token_source(bars, endpoint)
    return BarsClient(base_url=bars["BASE_URL"], tokens=tokens, http=http, clock=timezone.now)


def _token_source(bars: dict[str, Any], endpoint: TokenEndpoint) -> TokenSource:
    if bars["ENVIRONMENT"] == "sandbox":
        return NoToken()
    return DatabaseTokenSource(environment=bars["ENVIRONMENT"], key_id=bars["KEY_ID"], issuer=endpoint)


def _forget() -> None:
    """A forked child shares its parent's sockets and perhaps a locked lock: it starts with nothing."""
    global _process
    _process = _Process()


def _close() -> None:
    _process.close()


os.register_at_fork(after_in_child=_forget)
atexit.register(_close)
